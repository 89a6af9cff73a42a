// usage: node run.js HOST:PORT SCENARIO; exits 0 and prints "ok" when what the server did is right.
'use strict';
const { scenarios } = require('./scenarios.js');

const [servers, name] = process.argv.slice(2);
setTimeout(() => fail(new Error('the scenario did not end within 120 s')), 120000).unref();

function fail(error) {
  console.error(error);
  process.exit(1);
}

process.on('unhandledRejection', fail);
const options = { connectionString: servers, clientId: 'interop', logger: { logLevel: 1 } };
scenarios[name](options, `${name}-${process.pid}-${Date.now()}`).then(() => {
  console.log('ok');
  process.exit(0);
}, fail);
