import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import zlib from 'node:zlib';
import { Admin, Consumer, Producer, ProduceAcks, stringDeserializers, stringSerializers } from '@platformatic/kafka';

async function send(base, messages, options = {}) {
  const producer = new Producer({ ...base, serializers: stringSerializers, autocreateTopics: true, ...options });
  try {
    return await producer.send({ messages, acks: ProduceAcks.ALL });
  } finally {
    await producer.close();
  }
}

// Reads a topic from its start, or from where its group was, until it has so many messages.
async function take(base, topic, count, options = {}) {
  const consumer = new Consumer({
    ...base, groupId: options.group ?? `take-${topic}`, deserializers: stringDeserializers, ...options.consumer,
  });
  const got = [];
  const stream = await consumer.consume({
    topics: [topic], mode: options.mode ?? 'earliest', fallbackMode: 'earliest', autocommit: false, maxWaitTime: 500,
    ...options.consume,
  });
  for await (const message of stream) {
    got.push(message);
    if (got.length === count) {
      if (options.commit) await message.commit();
      break;
    }
  }
  await consumer.close(true);
  return got;
}

const numbered = (topic, from, to) =>
  Array.from({ length: to - from }, (_, i) => ({ topic, key: `k${from + i}`, value: `${from + i}` }));

export const scenarios = {
  async messages_come_as_they_went(base, topic) {
    await send(base, [
      { topic, key: 'a', value: 'one', headers: { h: 'x' } },
      { topic, key: 'b', value: 'x'.repeat(100000) },
    ]);
    const got = await take(base, topic, 2);
    assert.deepEqual(got.map(m => [m.key, m.value.length, Number(m.offset)]), [['a', 3, 0], ['b', 100000, 1]]);
    assert.equal(got[0].headers.get('h'), 'x');
  },

  async every_compression_is_taken_and_given(base, topic) {
    // It takes Zstandard from newer versions of Node.js.
    const codecs = ['none', 'gzip', 'snappy', 'lz4', ...(zlib.zstdCompressSync ? ['zstd'] : [])];
    for (const compression of codecs) {
      await send(base, numbered(topic, 0, 300).map(m => ({ ...m, value: `${compression} ${m.value}` })), { compression });
    }
    const got = await take(base, topic, codecs.length * 300);
    assert.deepEqual(got.map(m => m.value), codecs.flatMap(c => Array.from({ length: 300 }, (_, i) => `${c} ${i}`)));
  },

  async large_records_pass(base, topic) {
    const value = 'y'.repeat(1000000);
    for (let i = 0; i < 10; i++) await send(base, [{ topic, key: `${i}`, value }]);
    const got = await take(base, topic, 10);
    assert.deepEqual(got.map(m => m.key), Array.from({ length: 10 }, (_, i) => `${i}`));
    assert.ok(got.every(m => m.value === value));
  },

  async a_group_goes_on_where_it_was(base, topic) {
    const group = `g-${topic}`;
    await send(base, numbered(topic, 0, 40));
    const first = await take(base, topic, 40, { group, mode: 'committed', commit: true });
    await send(base, numbered(topic, 40, 60));
    const second = await take(base, topic, 20, { group, mode: 'committed', commit: true });
    assert.deepEqual([...first, ...second].map(m => Number(m.value)), Array.from({ length: 60 }, (_, i) => i));
  },

  async a_group_grows_and_shrinks_under_load(base, topic) {
    const admin = new Admin(base);
    await admin.createTopics({ topics: [topic], partitions: 6, replicas: 1 });
    await admin.close();
    const producer = new Producer({ ...base, serializers: stringSerializers });
    const got = new Set();
    const consumers = [];
    const start = async () => {
      const consumer = new Consumer({
        ...base, groupId: `g-${topic}`, deserializers: stringDeserializers, sessionTimeout: 10000,
        heartbeatInterval: 300, rebalanceTimeout: 10000,
      });
      consumers.push(consumer);
      const stream = await consumer.consume({
        topics: [topic], mode: 'committed', fallbackMode: 'earliest', autocommit: 200, maxWaitTime: 300,
      });
      stream.on('data', m => got.add(m.value));
    };
    const shares = () => consumers.map(c => c.assignments?.find(a => a.topic === topic)?.partitions ?? []);
    const until = async (what, holds) => {
      for (let i = 0; i < 300 && !holds(); i++) await sleep(100);
      assert.ok(holds(), `${what}: ${JSON.stringify(shares())}, ${got.size}`);
    };
    const isShared = () => new Set(shares().flat()).size === 6 && shares().every(s => s.length === 6 / consumers.length);
    let sent = 0;
    let isLoad = true;
    const load = (async () => {
      for (; isLoad; await sleep(20)) {
        await producer.send({ messages: numbered(topic, sent, sent + 5), acks: ProduceAcks.ALL });
        sent += 5;
      }
    })();
    for (const size of [1, 2, 3, 2, 1]) {
      if (size > consumers.length) await start();
      else await consumers.shift().close(true);
      await until(`${size} share`, isShared);
    }
    isLoad = false;
    await load;
    await until(`all of ${sent} messages came`, () => got.size === sent);
    await consumers[0].close(true);
    await producer.close();
  },

  async topics_and_groups_are_administered(base, topic) {
    const admin = new Admin(base);
    const [made] = await admin.createTopics({ topics: [topic], partitions: 3, replicas: 1 });
    assert.deepEqual([made.name, made.partitions, made.replicas], [topic, 3, 1]);
    await assert.rejects(admin.createTopics({ topics: [topic], partitions: 3, replicas: 1 }));
    assert.ok((await admin.listTopics()).includes(topic));
    const metadata = await admin.metadata({ topics: [topic] });
    assert.equal(metadata.topics.get(topic).partitionsCount, 3);
    await send(base, numbered(topic, 0, 10));
    await take(base, topic, 10, { group: `g-${topic}`, mode: 'committed', commit: true });
    assert.ok((await admin.listGroups()).has(`g-${topic}`));
    const described = await admin.describeGroups({ groups: [`g-${topic}`] });
    assert.equal(described.get(`g-${topic}`).state, 'EMPTY');
    await admin.deleteGroups({ groups: [`g-${topic}`] });
    assert.ok(!(await admin.listGroups()).has(`g-${topic}`));
    await admin.deleteTopics({ topics: [topic] });
    assert.ok(!(await admin.listTopics()).includes(topic));
    await admin.close();
  },

  async an_idempotent_producer_sends_in_order(base, topic) {
    const producer = new Producer({ ...base, serializers: stringSerializers, idempotent: true, autocreateTopics: true });
    for (let i = 0; i < 100; i++) await producer.send({ messages: numbered(topic, i, i + 1) });
    await producer.close();
    const got = await take(base, topic, 100);
    assert.deepEqual(got.map(m => Number(m.value)), Array.from({ length: 100 }, (_, i) => i));
  },

  async transactions_show_all_or_nothing(base, topic) {
    const producer = new Producer({
      ...base, serializers: stringSerializers, idempotent: true, transactionalId: `t-${topic}`, autocreateTopics: true,
    });
    for (const [name, commit] of [['a', true], ['b', false], ['c', true]]) {
      const transaction = await producer.beginTransaction();
      await transaction.send({ messages: [{ topic, key: 'k', value: `${name}1` }, { topic, key: 'k', value: `${name}2` }] });
      await (commit ? transaction.commit() : transaction.abort());
    }
    await producer.close();
    const got = await take(base, topic, 4, { consume: { isolationLevel: 1 } });
    assert.deepEqual(got.map(m => m.value), ['a1', 'a2', 'c1', 'c2']);
  },

  async the_new_group_protocol_shares_partitions(base, topic) {
    const admin = new Admin(base);
    await admin.createTopics({ topics: [topic], partitions: 4, replicas: 1 });
    await admin.close();
    const got = [];
    const consumers = [];
    for (let i = 0; i < 2; i++) {
      const consumer = new Consumer({
        ...base, groupId: `g-${topic}`, groupProtocol: 'consumer', deserializers: stringDeserializers,
      });
      consumers.push(consumer);
      const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: true, maxWaitTime: 500 });
      stream.on('data', m => got.push([i, m.value]));
    }
    for (let i = 0; i < 300 && consumers.some(c => c.assignments?.[0]?.partitions?.length !== 2); i++) await sleep(100);
    await send(base, numbered(topic, 0, 100));
    for (let i = 0; i < 300 && got.length < 100; i++) await sleep(100);
    assert.deepEqual([...new Set(got.map(g => g[1]))].length, 100);
    assert.deepEqual([...new Set(got.map(g => g[0]))].sort(), [0, 1]);
    for (const consumer of consumers) await consumer.close(true);
  },
};
