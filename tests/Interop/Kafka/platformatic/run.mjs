// usage: node run.mjs HOST:PORT SCENARIO; exits 0 and prints "ok" when what the server did is right.
import { scenarios } from './scenarios.mjs';

const [servers, name] = process.argv.slice(2);
setTimeout(() => fail(new Error('the scenario did not end within 120 s')), 120000).unref();

function fail(error) {
  console.error(error, JSON.stringify(error?.errors ?? error?.cause ?? '', null, 2));
  process.exit(1);
}

process.on('unhandledRejection', fail);
const base = { clientId: 'interop', bootstrapBrokers: [servers], retries: 5 };
scenarios[name](base, `${name}-${process.pid}-${Date.now()}`).then(() => {
  console.log('ok');
  process.exit(0);
}, fail);
