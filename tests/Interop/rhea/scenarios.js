'use strict';
const {
  assert, rhea, fresh, connect, close, sendAll, openReceiver, next, take, nothingComes, bodies, numbers,
} = require('./common.js');
const { openCoordinator, declare, discharge, sendIn, acceptIn } = require('./transactions.js');

const UNSETTLED_FIELD = 7; // of an attach

const topic = (address, more = {}) => ({ address, capabilities: ['topic'], ...more });

const scenarios = {
  async send_and_receive(options) {
    const address = fresh(), connection = await connect(options);
    const outcomes = await sendAll(connection, address, bodies(1000));
    assert.ok(outcomes.every((o) => o === 'accepted'));
    const receiver = await openReceiver(connection, address);
    assert.deepStrictEqual(await take(receiver, 1000), numbers(1000));
    await nothingComes(receiver);
    await close(connection);
  },

  async sizes(options) {
    const connection = await connect(options);
    for (const size of [0, 100, 1023, 65536, 1 << 20, 10_000_000]) {
      const address = fresh(), body = Buffer.alloc(size, 'abc');
      await sendAll(connection, address, [{ durable: true, body: rhea.message.data_section(body) }]);
      const receiver = await openReceiver(connection, address);
      const [got] = await take(receiver, 1);
      assert.ok(Buffer.compare(got.content, body) === 0, `a body of ${size} bytes changed`);
      receiver.close();
    }
    await close(connection);
  },

  async presettled(options) {
    const address = fresh(), connection = await connect(options);
    await sendAll(connection, address, bodies(100), { snd_settle_mode: 1 });
    const receiver = await openReceiver(connection, address, { snd_settle_mode: 1 });
    receiver.add_credit(100);
    for (let i = 0; i < 100; i++) {
      const { message, delivery } = await next(receiver);
      assert.strictEqual(message.body, i);
      assert.ok(delivery.remote_settled, 'the delivery should have come settled');
    }
    await nothingComes(receiver);
    await close(connection);
  },

  async receiver_settles_second(options) {
    const address = fresh(), connection = await connect(options);
    await sendAll(connection, address, bodies(10));
    const receiver = await openReceiver(connection, address, { rcv_settle_mode: 1 });
    receiver.add_credit(10);
    for (let i = 0; i < 10; i++) {
      const { delivery } = await next(receiver);
      const settled = new Promise((resolve) => receiver.once('settled', resolve));
      delivery.update(false, rhea.message.accepted().described());
      await settled;
    }
    await nothingComes(receiver);
    await close(connection);
  },

  async outcomes(options) {
    const address = fresh(), connection = await connect(options);
    await sendAll(connection, address, bodies(2));
    const receiver = await openReceiver(connection, address);
    receiver.add_credit(1);
    let got = await next(receiver);
    got.delivery.release();
    receiver.add_credit(1);
    got = await next(receiver);
    assert.strictEqual(got.message.body, 0);
    got.delivery.modified({ delivery_failed: true });
    receiver.add_credit(1);
    got = await next(receiver);
    assert.strictEqual(got.message.body, 0);
    assert.strictEqual(got.message.delivery_count, 1);
    got.delivery.reject({ condition: 'app:bad', description: 'not wanted' });
    assert.deepStrictEqual(await take(receiver, 1), [1]);
    await nothingComes(receiver);
    await close(connection);
  },

  async selector(options) {
    const address = fresh(), connection = await connect(options);
    await sendAll(connection, address, numbers(10).map((n) => (
      { body: n, durable: true, application_properties: { colour: n % 2 ? 'red' : 'blue', n } })));
    const filter = rhea.filter.selector("colour = 'red' AND n > 4");
    const receiver = await openReceiver(connection, { address, filter });
    assert.deepStrictEqual(await take(receiver, 3), [5, 7, 9]);
    await nothingComes(receiver);
    await close(connection);
  },

  async browse(options) {
    const address = fresh(), connection = await connect(options);
    await sendAll(connection, address, bodies(5));
    const browser = await openReceiver(connection, { address, distribution_mode: 'copy' });
    assert.deepStrictEqual(await take(browser, 5), numbers(5));
    await nothingComes(browser);
    const receiver = await openReceiver(connection, address);
    assert.deepStrictEqual(await take(receiver, 5), numbers(5));
    await close(connection);
  },

  async drain(options) {
    const address = fresh(), connection = await connect(options);
    await sendAll(connection, address, bodies(3));
    const receiver = await openReceiver(connection, address);
    const drained = new Promise((resolve) => receiver.once('receiver_drained', resolve));
    receiver.add_credit(10);
    receiver.drain_credit();
    await drained;
    assert.strictEqual(receiver.inbox.length, 3);
    assert.strictEqual(receiver.credit, 0);
    await close(connection);
  },

  async request_and_response(options) {
    const address = fresh(), connection = await connect(options);
    const answers = await openReceiver(connection, { dynamic: true });
    const replyTo = answers.source.address;
    assert.ok(replyTo);
    await sendAll(connection, address, [{ body: 'question', reply_to: replyTo, correlation_id: 'c' }]);
    const requests = await openReceiver(connection, address);
    requests.add_credit(1);
    const { message, delivery } = await next(requests);
    delivery.accept();
    await sendAll(connection, {}, [{ to: message.reply_to, correlation_id: message.correlation_id, body: 'answer' }]);
    assert.deepStrictEqual(await take(answers, 1), ['answer']);
    await close(connection);
  },

  async durable_subscription(options) {
    const address = fresh('topic'), client = fresh('client');
    const source = topic(address, { durable: 2, expiry_policy: 'never' });
    let connection = await connect(options, { container_id: client });
    const first = await openReceiver(connection, source, { name: 'sub' });
    const detached = new Promise((resolve) => first.once('receiver_close', resolve));
    first.detach();
    await detached;
    await sendAll(connection, topic(address), bodies(5));
    await close(connection);
    connection = await connect(options, { container_id: client });
    const receiver = await openReceiver(connection, source, { name: 'sub' });
    assert.deepStrictEqual(await take(receiver, 5), numbers(5));
    receiver.close();
    await close(connection);
  },

  async topic_copies(options) {
    const address = fresh('topic'), connection = await connect(options);
    const receivers = [];
    for (let i = 0; i < 3; i++) receivers.push(await openReceiver(connection, topic(address), { name: `s${i}` }));
    await sendAll(connection, topic(address), bodies(20));
    for (const receiver of receivers) assert.deepStrictEqual(await take(receiver, 20), numbers(20));
    await close(connection);
  },

  async transaction_sends_all_or_nothing(options) {
    for (const [fail, expected] of [[false, [0, 1, 2]], [true, []]]) {
      const address = fresh(), other = fresh(), connection = await connect(options);
      const coordinator = await openCoordinator(connection), id = await declare(coordinator);
      const senders = [];
      for (const target of [address, other]) {
        const sender = connection.open_sender(target);
        await new Promise((resolve) => sender.once('sendable', resolve));
        sendIn(sender, id);
        for (const body of bodies(3)) await new Promise((resolve) => { sender.once('settled', resolve); sender.send(body); });
        senders.push(sender);
      }
      const receiver = await openReceiver(connection, address);
      await nothingComes(receiver);
      assert.strictEqual(await discharge(coordinator, id, fail), 'accepted');
      assert.deepStrictEqual(await take(receiver, expected.length), expected);
      assert.deepStrictEqual(await take(await openReceiver(connection, other), expected.length), expected);
      await nothingComes(receiver);
      await close(connection);
    }
  },

  async transaction_takes_all_or_nothing(options) {
    for (const fail of [true, false]) {
      const address = fresh(), connection = await connect(options);
      await sendAll(connection, address, bodies(3));
      const coordinator = await openCoordinator(connection), id = await declare(coordinator);
      const receiver = await openReceiver(connection, address);
      receiver.add_credit(3);
      for (let i = 0; i < 3; i++) acceptIn((await next(receiver)).delivery, id);
      await new Promise(setImmediate); // else rhea sends the discharge before the last disposition
      assert.strictEqual(await discharge(coordinator, id, fail), 'accepted');
      receiver.close();
      const again = await openReceiver(connection, address);
      if (fail) assert.deepStrictEqual(await take(again, 3), [0, 1, 2]);
      await nothingComes(again);
      await close(connection);
    }
  },

  async transaction_ids_are_checked(options) {
    const connection = await connect(options);
    const first = await openCoordinator(connection), second = await openCoordinator(connection);
    const ids = [await declare(first), await declare(first), await declare(second)];
    assert.strictEqual(new Set(ids.map(String)).size, 3);
    for (const id of ids) assert.strictEqual(await discharge(first, id, true), 'accepted');
    assert.strictEqual(await discharge(second, Buffer.from('unknown'), false), 'rejected');
    assert.strictEqual(await discharge(second, ids[0], false), 'rejected');
    await close(connection);
  },

  async receiver_resumes_its_deliveries(options) {
    const source = { address: fresh(), durable: 2 }, container_id = fresh('client');
    let connection = await connect(options, { container_id });
    await sendAll(connection, source.address, bodies(3));
    let receiver = await openReceiver(connection, source, { name: 'resumed' });
    receiver.add_credit(2);
    const tags = [(await next(receiver)).delivery.tag, (await next(receiver)).delivery.tag];
    connection.socket.end();
    await new Promise((resolve) => connection.once('disconnected', resolve));

    // The first was processed and its outcome not heard; the second has none.
    connection = await connect(options, { container_id });
    const opened = openReceiver(connection, source, { name: 'resumed' }, (attach) => {
      const unsettled = new Map([[tags[0], rhea.message.accepted().described()], [tags[1], null]]);
      attach.value[UNSETTLED_FIELD] = rhea.types.wrap(unsettled);
    });
    receiver = await opened;
    const [key, ...rest] = receiver.remote.attach.value[UNSETTLED_FIELD].value;
    assert.ok(Buffer.compare(key.value, tags[1]) === 0 && rest.length === 1);
    receiver.add_credit(1);
    const { message, delivery } = await next(receiver);
    assert.ok(Buffer.compare(delivery.tag, tags[1]) === 0);
    assert.strictEqual(message.body, 1);
    delivery.accept();
    assert.deepStrictEqual(await take(receiver, 1), [2]);
    await nothingComes(receiver);
    await close(connection);
  },

  async error_ends_only_the_link(options) {
    const address = fresh(), connection = await connect(options);
    const broken = rhea.filter.selector('colour = ');
    const error = await openReceiver(connection, { address, filter: broken }).then((r) => r.refused, (e) => e);
    assert.strictEqual(error.condition, 'amqp:invalid-field');
    await sendAll(connection, address, bodies(1));
    assert.deepStrictEqual(await take(await openReceiver(connection, address), 1), [0]);
    await close(connection);
  },

  async heartbeats(options) {
    const connection = await connect(options, { idle_time_out: 1000 });
    const address = fresh();
    await new Promise((resolve) => setTimeout(resolve, 3500));
    await sendAll(connection, address, bodies(1));
    await close(connection);
  },
};

module.exports = { scenarios };
