// Promises over rhea's events: only what the scenarios need.
'use strict';
const assert = require('assert');
const crypto = require('crypto');
const rhea = require('rhea');

const fresh = (prefix = 'q') => `${prefix}.${crypto.randomUUID()}`;

function connect(options, more = {}) {
  return new Promise((resolve, reject) => {
    const container = rhea.create_container({ id: more.container_id || fresh('client') });
    const connection = container.connect({ ...options, ...more });
    container.on('error', () => { });
    connection.once('connection_open', () => resolve(connection));
    connection.once('disconnected', (context) => reject(context.error || new Error('disconnected')));
    connection.once('connection_error', () => reject(connection.error));
  });
}

function close(connection) {
  return new Promise((resolve) => {
    connection.once('connection_close', resolve);
    connection.once('disconnected', resolve);
    connection.close();
  });
}

// Sends all messages, as fast as credit allows; resolves with the outcomes' names in order.
function sendAll(connection, target, messages, options = {}) {
  return new Promise((resolve, reject) => {
    const sender = connection.open_sender({ target, ...options });
    const outcomes = new Map();
    let next = 0;
    const finish = (name) => ({ delivery }) => {
      outcomes.set(delivery.id, name);
      if (outcomes.size === messages.length) done();
    };
    const done = () => { sender.close(); resolve([...outcomes.values()]); };
    sender.on('sendable', () => {
      while (sender.sendable() && next < messages.length) sender.send(messages[next++]);
      if (options.snd_settle_mode === 1 && next === messages.length) done();
    });
    for (const name of ['accepted', 'rejected', 'released', 'modified']) sender.on(name, finish(name));
    sender.once('sender_error', () => reject(sender.error));
  });
}

// Opens a receiver without credit of its own; take() grants what it wants and accepts what comes. change() is given the attach
// before it goes out.
function openReceiver(connection, source, options = {}, change = () => { }) {
  return new Promise((resolve, reject) => {
    const receiver = connection.open_receiver({ source, credit_window: 0, autoaccept: false, ...options });
    change(receiver.local.attach);
    receiver.inbox = [];
    receiver.waiting = [];
    receiver.refused = new Promise((refuse) => receiver.once('receiver_error', () => refuse(receiver.error)));
    receiver.on('message', (context) => {
      const waiting = receiver.waiting.shift();
      if (waiting) waiting(context); else receiver.inbox.push(context);
    });
    receiver.once('receiver_open', () => resolve(receiver));
    receiver.once('receiver_error', () => reject(receiver.error));
  });
}

function next(receiver) {
  if (receiver.inbox.length > 0) return Promise.resolve(receiver.inbox.shift());
  return new Promise((resolve) => receiver.waiting.push(resolve));
}

async function take(receiver, count) {
  receiver.add_credit(count);
  const bodies = [];
  for (let i = 0; i < count; i++) {
    const { message, delivery } = await next(receiver);
    delivery.accept();
    bodies.push(message.body);
  }
  return bodies;
}

// A drain, not a wait, says that nothing is there.
function nothingComes(receiver) {
  return new Promise((resolve, reject) => {
    receiver.once('receiver_drained', () => {
      receiver.drain = false;
      if (receiver.inbox.length > 0) reject(new Error('a message came where none should')); else resolve();
    });
    receiver.add_credit(1);
    receiver.drain_credit();
  });
}

const bodies = (count) => Array.from({ length: count }, (_, i) => ({ message_id: i, durable: true, body: i }));
const numbers = (count) => Array.from({ length: count }, (_, i) => i);

module.exports = { assert, rhea, fresh, connect, close, sendAll, openReceiver, next, take, nothingComes, bodies, numbers };
