// usage: node token.js HOST:PORT TOPIC TOKEN [TOKEN]; sends messages and takes them, logged in with the first token;
// with a second one, logs in again with it before the first, good for half a minute, expires. Prints "ok".
'use strict';
const { Kafka, logLevel } = require('kafkajs');

const [servers, topic, ...tokens] = process.argv.slice(2);
let current = 0;
let used = 0;

function fail(error) {
  console.error(error.message);
  process.exit(1);
}

process.on('unhandledRejection', fail);
setTimeout(() => fail(new Error('it did not end within 120 s')), 120000).unref();

async function main() {
  const kafka = new Kafka({
    brokers: [servers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 1 },
    reauthenticationThreshold: 28000,
    sasl: {
      mechanism: 'oauthbearer',
      oauthBearerProvider: async () => {
        used++;
        return { value: tokens[current] };
      },
    },
  });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ value: 'one' }] });
  if (tokens.length > 1) {
    // The first token is about to expire: before its next request the library logs in again.
    current = 1;
    const before = used;
    await new Promise(resolve => setTimeout(resolve, 3000));
    await producer.send({ topic, messages: [{ value: 'two' }] });
    if (used === before) throw new Error('no second login');
  }
  await producer.disconnect();
  const consumer = kafka.consumer({ groupId: `g-${topic}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const value = await new Promise((resolve, reject) => {
    consumer.run({ eachMessage: async ({ message }) => resolve(message.value.toString()) }).catch(reject);
  });
  await consumer.disconnect();
  if (value !== 'one') throw new Error(`got ${value}`);
}

main().then(() => {
  console.log('ok');
  process.exit(0);
}, fail);
