// usage: node matrix.js HOST:PORT send ADDRESS | receive ADDRESS COUNT
// Sends a message for each kind of reply-to by STOMP over WebSocket, or prints each that comes as a line of JSON.
'use strict';
const { Client } = require('@stomp/stompjs');
const WebSocket = require('ws');

const [address, verb, name, count] = process.argv.slice(2);
setTimeout(() => process.exit(1), 60000).unref();
const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

function end(client) {
  client.deactivate();
  console.log('ok');
}

function send(client) {
  client.watchForReceipt('temporary', () => end(client));
  for (const kind of ['queue', 'topic', 'temporary']) {
    const prefix = kind === 'temporary' ? '/temp-queue/' : `/${kind}/`;
    client.publish({
      destination: name,
      body: 'grüße von websocket',
      headers: {
        color: 'red:websocket', traceparent: trace, 'correlation-id': 'c-websocket', 'reply-to': `${prefix}answers`,
        'content-type': 'text/plain', persistent: 'true', receipt: kind, asked: kind, priority: '7',
        expires: `${Date.now() + 600000}`,
      },
    });
  }
}

function receive(client) {
  let left = Number(count);
  client.subscribe(name, (message) => {
    const { color, traceparent, 'correlation-id': correlation, asked } = message.headers;
    const [, kind, reply] = (message.headers['reply-to'] ?? '//').split('/');
    const expires = message.headers.expires ? Number(message.headers.expires) - Date.now() : null;
    const text = {
      body: message.body, color, trace: traceparent, correlation, reply, asked, kind: kind || null,
      priority: Number(message.headers.priority ?? 4), expires,
    };
    console.log(JSON.stringify(text));
    left -= 1;
    if (left === 0) end(client);
  }, { 'x-stream-offset': 'first' });
}

const client = new Client({
  webSocketFactory: () => new WebSocket(`ws://${address}/stomp`, ['v12.stomp']),
  reconnectDelay: 0,
  connectHeaders: { login: 'user', passcode: 'secret' },
  onConnect: () => (verb === 'send' ? send(client) : receive(client)),
  onStompError: (frame) => { console.error(frame.headers.message); process.exit(1); },
});
client.activate();
