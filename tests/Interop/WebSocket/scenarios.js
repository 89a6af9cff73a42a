// What clients over WebSocket can rely on.
'use strict';
const assert = require('node:assert');
const { randomUUID } = require('node:crypto');
const { Client, Versions } = require('@stomp/stompjs');
const rhea = require('rhea');
const WebSocket = require('ws');

// A client of one version of STOMP, connected.
function stomp(address, version, options = {}) {
  return new Promise((resolve, reject) => {
    const client = new Client({
      brokerURL: `ws://${address}/stomp`,
      webSocketFactory: () => new WebSocket(`ws://${address}/stomp`, [`v${version.replace('.', '')}.stomp`]),
      stompVersions: new Versions([version]),
      connectHeaders: { login: 'user', passcode: 'secret', host: 'x' },
      reconnectDelay: 0,
      onConnect: (frame) => {
        assert.strictEqual(frame.headers.version, version);
        resolve(client);
      },
      onStompError: (frame) => reject(new Error(frame.headers.message)),
      onWebSocketError: reject,
      ...options,
    });
    client.activate();
  });
}

// Sends and waits until the node has it.
function send(client, message) {
  return new Promise((resolve) => {
    const receipt = randomUUID();
    client.watchForReceipt(receipt, resolve);
    client.publish({ ...message, headers: { persistent: 'true', receipt, ...message.headers } });
  });
}

function receive(client, destination, headers = {}) {
  return new Promise((resolve) => client.subscribe(destination, resolve, headers));
}

const scenarios = {
  async stomp_message_comes_out_as_it_went_in(address) {
    for (const version of ['1.0', '1.1', '1.2']) {
      const destination = `/queue/${randomUUID()}`;
      const client = await stomp(address, version);
      await send(client, { destination, body: 'héllo', headers: { color: 'red' } });
      const message = await receive(client, destination, { ack: 'client' });
      assert.strictEqual(message.body, 'héllo');
      assert.strictEqual(message.headers.color, 'red');
      message.ack();
      await client.deactivate();
    }
  },

  async stomp_bytes_come_out_as_they_went_in(address) {
    const destination = `/queue/${randomUUID()}`;
    const client = await stomp(address, '1.2');
    const binaryBody = Uint8Array.from({ length: 300000 }, (_, i) => i & 0xff);
    await send(client, { destination, binaryBody });
    const message = await receive(client, destination);
    assert.deepStrictEqual(Buffer.from(message.binaryBody), Buffer.from(binaryBody));
    await client.deactivate();
  },

  async stomp_heart_beats_keep_a_connection(address) {
    let closed = false;
    const client = await stomp(address, '1.2', {
      heartbeatIncoming: 1000,
      heartbeatOutgoing: 1000,
      onWebSocketClose: () => { closed = true; },
    });
    await new Promise((resolve) => setTimeout(resolve, 4000));
    assert.ok(!closed);
    await client.deactivate();
  },

  async stomp_transaction_commits(address) {
    const destination = `/queue/${randomUUID()}`;
    const client = await stomp(address, '1.1');
    const aborted = client.begin();
    client.publish({ destination, body: 'no', headers: { transaction: aborted.id } });
    aborted.abort();
    const committed = client.begin();
    client.publish({ destination, body: 'yes', headers: { transaction: committed.id } });
    committed.commit();
    assert.strictEqual((await receive(client, destination)).body, 'yes');
    await client.deactivate();
  },

  async amqp_message_comes_out_as_it_went_in(address) {
    const queue = randomUUID();
    const container = rhea.create_container();
    const connect = container.websocket_connect(WebSocket);
    const connection = container.connect({
      connection_details: connect(`ws://${address}/amqp`, ['amqp'], {}),
      username: 'user', password: 'secret', reconnect: false,
    });
    await new Promise((resolve, reject) => {
      connection.open_receiver(queue);
      connection.open_sender(queue);
      connection.once('sendable', (context) => context.sender.send({ body: 'x'.repeat(200000) }));
      connection.once('message', (context) => {
        assert.strictEqual(context.message.body.length, 200000);
        connection.close();
      });
      connection.once('connection_close', resolve);
      connection.once('disconnected', (context) => reject(context.error ?? new Error('disconnected')));
    });
  },
};

module.exports = { scenarios };
