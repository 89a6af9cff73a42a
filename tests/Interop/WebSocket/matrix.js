// usage: node matrix.js HOST:PORT send ADDRESS | receive ADDRESS COUNT
// Sends one message by STOMP over WebSocket, or prints each that comes as a line of JSON.
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
  client.watchForReceipt('r', () => end(client));
  client.publish({
    destination: name,
    body: 'grüße von websocket',
    headers: {
      color: 'red:websocket', traceparent: trace, 'correlation-id': 'c-websocket', 'reply-to': '/queue/answers',
      'content-type': 'text/plain', persistent: 'true', receipt: 'r',
    },
  });
}

function receive(client) {
  let left = Number(count);
  client.subscribe(name, (message) => {
    const { color, traceparent, 'correlation-id': correlation, 'reply-to': reply } = message.headers;
    const text = { body: message.body, color, trace: traceparent, correlation, reply: reply?.replace('/queue/', '') };
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
