// usage: node run.js URL VERSION; exits 0 and prints "ok" when what the server did is right. The URL is mqtt://HOST:PORT
// or ws://HOST:PORT/mqtt, the version 4 (3.1.1) or 5.
'use strict';
const assert = require('node:assert');
const { randomUUID } = require('node:crypto');
const mqtt = require('mqtt');

const [url, version] = process.argv.slice(2);
const protocolVersion = Number(version);
setTimeout(() => fail(new Error('the scenario did not end within 60 s')), 60000).unref();

function fail(error) {
  console.error(error);
  process.exit(1);
}

async function main() {
  const name = `mqttjs/${randomUUID()}`;
  const client = await mqtt.connectAsync(url, { protocolVersion, reconnectPeriod: 0 });
  const got = [];
  let arrived = () => {};
  client.on('message', (topic, payload, packet) => {
    got.push({ topic, body: payload.toString(), packet });
    arrived();
  });
  await client.subscribeAsync(`${name}/#`, { qos: 2 });
  const properties = protocolVersion === 5
    ? { properties: { contentType: 'text/plain', userProperties: { a: ['1', '2'] } } } : {};
  for (const qos of [0, 1, 2]) {
    for (let i = 0; i < 50; i++) await client.publishAsync(`${name}/${qos}`, `${i}`, { qos, ...properties });
  }
  while (got.length < 150) await new Promise((resolve) => { arrived = resolve; });
  for (const qos of [0, 1, 2]) {
    const some = got.filter((m) => m.topic === `${name}/${qos}`);
    assert.deepStrictEqual(some.map((m) => m.body), Array.from({ length: 50 }, (_, i) => `${i}`));
    assert(some.every((m) => m.packet.qos === qos));
    if (protocolVersion === 5) {
      assert(some.every((m) => m.packet.properties.contentType === 'text/plain'));
      assert.deepStrictEqual([...some[0].packet.properties.userProperties.a], ['1', '2']);
    }
  }
  await client.publishAsync(`${name}/kept`, 'x', { qos: 1, retain: true });
  const later = await mqtt.connectAsync(url, { protocolVersion, reconnectPeriod: 0 });
  const kept = new Promise((resolve) => later.on('message', (topic, payload, packet) => resolve(packet)));
  await later.subscribeAsync(`${name}/kept`, { qos: 1 });
  assert((await kept).retain);
  await later.publishAsync(`${name}/kept`, '', { qos: 1, retain: true });
  await client.endAsync();
  await later.endAsync();
}

main().then(() => {
  console.log('ok');
  process.exit(0);
}, fail);
