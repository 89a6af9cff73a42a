// usage: node run.js HOST:PORT SCENARIO; exits 0 and prints "ok" when what the server did is right.
'use strict';
const { scenarios } = require('./scenarios.js');

const [address, name] = process.argv.slice(2);
setTimeout(() => fail(new Error('the scenario did not end within 60 s')), 60000).unref();

function fail(error) {
  console.error(error);
  process.exit(1);
}

process.on('unhandledRejection', fail);
scenarios[name](address).then(() => {
  console.log('ok');
  process.exit(0);
}, fail);
