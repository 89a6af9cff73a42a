// Over a line of nodes: a consumer at the one end, a producer at the other, and answers to an address that a node made.
// line.js PORT-OF-FIRST PORT-OF-LAST
'use strict';
const assert = require('assert');
const { connect, close, fresh } = require('./common.js');

const COUNT = 500;

async function main([first, last]) {
  const address = fresh('line');
  const service = await connect({ host: '127.0.0.1', port: first, reconnect: false });
  const client = await connect({ host: '127.0.0.1', port: last, reconnect: false });
  const answers = service.open_sender({ target: {} });
  const receiver = service.open_receiver({ source: address });
  receiver.on('message', ({ message }) => {
    answers.send({ to: message.reply_to, correlation_id: message.message_id, body: `${message.body}!` });
  });
  await new Promise((resolve) => receiver.once('receiver_open', resolve));

  const replies = client.open_receiver({ source: { dynamic: true } });
  await new Promise((resolve) => replies.once('receiver_open', resolve));
  const got = [];
  const done = new Promise((resolve) => replies.on('message', ({ message }) => {
    got.push([message.correlation_id, message.body]);
    if (got.length === COUNT) resolve();
  }));
  const sender = client.open_sender(address);
  let sent = 0;
  let accepted = 0;
  const settled = new Promise((resolve) => sender.on('accepted', () => {
    accepted += 1;
    if (accepted === COUNT) resolve();
  }));
  sender.on('sendable', () => {
    while (sender.sendable() && sent < COUNT) {
      sender.send({ message_id: sent, reply_to: replies.source.address, body: `q${sent}` });
      sent += 1;
    }
  });
  // An answer may come before the word that its question was accepted.
  await Promise.all([done, settled]);
  assert.deepStrictEqual(got, Array.from({ length: COUNT }, (_, i) => [i, `q${i}!`]));
  await close(client);
  await close(service);
  console.log('ok');
}

main(process.argv.slice(2)).catch((error) => { console.error(error); process.exit(1); });
