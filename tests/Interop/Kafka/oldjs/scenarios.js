// What no-kafka, a client of Kafka 0.9, must find right: it knows no record batches, and asks in the first versions,
// which newer brokers have dropped.
'use strict';
const assert = require('node:assert/strict');
const kafka = require('no-kafka');

const codecs = [kafka.COMPRESSION_NONE, kafka.COMPRESSION_GZIP, kafka.COMPRESSION_SNAPPY];

async function until(condition, what) {
  for (let end = Date.now() + 60000; !condition();) {
    assert.ok(Date.now() < end, `waited in vain: ${what()}`);
    await new Promise(done => setTimeout(done, 50));
  }
}

async function send(options, topic, values, codec = kafka.COMPRESSION_NONE) {
  const producer = new kafka.Producer(options);
  await producer.init();
  const messages = values.map(value => ({ topic, partition: 0, message: { key: `k-${value}`, value } }));
  const sent = await producer.send(messages, { codec });
  await producer.end();
  assert.deepEqual(sent.map(one => one.error), sent.map(() => null));
  return sent.map(one => Number(one.offset));
}

// A client of its own for each look; offsets, keys and values as they came.
async function read(options, topic, count, from) {
  const consumer = new kafka.SimpleConsumer(options);
  const got = [];
  await consumer.init();
  await consumer.subscribe(topic, 0, from, messages => messages.forEach(
    one => got.push([Number(one.offset), one.message.key?.toString(), one.message.value.toString()])));
  await until(() => got.length >= count, () => `${got.length} of ${count} messages`);
  await consumer.end();
  return got;
}

exports.scenarios = {
  async records_come_as_they_went(options, topic) {
    const expected = [];
    for (const codec of codecs) {
      const values = [`a${codec}`, `b${codec}`, `c${codec}`];
      await send(options, topic, values, codec);
      expected.push(...values);
    }
    const rows = expected.map((value, offset) => [offset, `k-${value}`, value]);
    assert.deepEqual(await read(options, topic, rows.length, { time: kafka.EARLIEST_OFFSET }), rows);
    assert.deepEqual(await read(options, topic, rows.length - 4, { offset: 4 }), rows.slice(4));
  },

  async offsets_are_found(options, topic) {
    await send(options, topic, ['a', 'b', 'c']);
    const consumer = new kafka.SimpleConsumer(options);
    await consumer.init();
    assert.equal(Number(await consumer.offset(topic, 0, kafka.EARLIEST_OFFSET)), 0);
    assert.equal(Number(await consumer.offset(topic, 0, kafka.LATEST_OFFSET)), 3);
    const committed = await consumer.commitOffset({ topic, partition: 0, offset: 1, metadata: 'm' });
    assert.deepEqual([committed].flat(Infinity).map(one => one.error), [null]);
    const [found] = await consumer.fetchOffset([{ topic, partition: 0 }]);
    assert.deepEqual([Number(found.offset), found.error], [1, null]);
    await consumer.end();
  },

  async a_group_goes_on_where_it_was(options, topic) {
    await send(options, topic, ['a', 'b', 'c']);
    const group = { ...options, groupId: topic, startingOffset: kafka.EARLIEST_OFFSET };
    for (const expected of [['a', 'b', 'c'], ['d']]) {
      const got = [];
      const consumer = new kafka.GroupConsumer(group);
      const handler = async (messages, name, partition) => {
        for (const one of messages) {
          got.push(one.message.value.toString());
          await consumer.commitOffset({ topic: name, partition, offset: one.offset });
        }
      };
      await consumer.init([{ subscriptions: [topic], handler }]);
      await until(() => got.length >= expected.length, () => `${got}`);
      await consumer.end();
      assert.deepEqual(got, expected);
      await send(options, topic, ['d']);
    }
    const admin = new kafka.GroupAdmin(options);
    await admin.init();
    assert.ok((await admin.listGroups()).some(one => one.groupId === topic));
    const [lag] = await admin.fetchConsumerLag(topic, [{ topicName: topic, partitions: [0] }]);
    assert.deepEqual([Number(lag.offset), Number(lag.highwaterMark)], [4, 5]);
    await admin.end();
  },
};
