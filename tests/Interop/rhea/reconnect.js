// usage: node reconnect.js HOST PORT
//
// Sends 100 messages, each again until it is accepted, and receives them on the same connection. Prints "half" when half of
// them have come, waits for its connection to break, goes on after rhea's own reconnect, prints "ok" when all have come.
'use strict';
const rhea = require('rhea');

const COUNT = 100;
const open = Array.from({ length: COUNT }, (_, i) => i);
const flying = new Map(), seen = new Set();
// A break before half have come, on a machine that is too busy, does not count.
let limit = COUNT / 2, told = false, breaks = 0;

const connection = rhea.connect({ host: process.argv[2], port: Number(process.argv[3]), initial_reconnect_delay: 100 });
const sender = connection.open_sender('reconnect');
connection.open_receiver('reconnect');

sender.on('sendable', () => {
  while (sender.sendable() && open.length > 0 && COUNT - open.length < limit) {
    const number = open.shift();
    flying.set(sender.send({ durable: true, body: number }), number);
  }
});

rhea.on('accepted', ({ delivery }) => flying.delete(delivery));
rhea.on('released', () => { });
rhea.on('disconnected', () => {
  open.unshift(...flying.values());
  flying.clear();
  if (!told) return;
  breaks++;
  limit = COUNT;
});

rhea.on('message', ({ message }) => {
  seen.add(message.body);
  if (seen.size === COUNT / 2 && !told) {
    told = true;
    console.log('half');
  }
  if (seen.size === COUNT) {
    console.log(breaks > 0 ? 'ok' : 'the connection never broke');
    connection.close();
  }
});
