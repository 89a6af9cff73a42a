'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { setTimeout: sleep } = require('node:timers/promises');
const { CompressionCodecs, CompressionTypes } = require('kafkajs');
const fzstd = require('fzstd');
const lz4 = require('lz4js');
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy');
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async encoder => Buffer.from(lz4.compress(encoder.buffer)),
  decompress: async buffer => Buffer.from(lz4.decompress(buffer)),
});
// It has no means to write this one: kcat does.
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async () => assert.fail('Zstandard is only read here'),
  decompress: async buffer => Buffer.from(fzstd.decompress(buffer)),
});

// Reads a topic from its start with a group of its own until it has so many messages.
async function take(kafka, topic, count, options = {}) {
  const consumer = kafka.consumer({ groupId: options.group ?? `take-${topic}`, readUncommitted: options.uncommitted });
  const got = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise((resolve, reject) => {
    consumer.on('consumer.crash', e => reject(e.payload.error));
    consumer.run({
      eachMessage: async ({ partition, message }) => {
        got.push({ partition, ...message });
        if (got.length === count) resolve();
      },
    }).catch(reject);
  });
  await consumer.disconnect();
  return got;
}

async function withProducer(kafka, options, work) {
  const producer = kafka.producer(options);
  await producer.connect();
  try {
    return await work(producer);
  } finally {
    await producer.disconnect();
  }
}

async function withAdmin(kafka, work) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

exports.scenarios = {
  async messages_come_as_they_went(kafka, topic) {
    const sent = [
      { key: 'a', value: 'one', headers: { h: 'x', empty: '' } },
      { key: null, value: 'two' },
      { key: 'gone', value: null },
      { key: Buffer.from([0, 255]), value: Buffer.alloc(100000, 7) },
    ];
    await withProducer(kafka, {}, p => p.send({ topic, messages: sent }));
    const got = await take(kafka, topic, sent.length);
    assert.deepEqual(got.map(m => m.key && Buffer.from(m.key).toString('latin1')), ['a', null, 'gone', '\x00\xff']);
    assert.deepEqual(got.map(m => m.offset), ['0', '1', '2', '3']);
    assert.equal(got[0].headers.h.toString(), 'x');
    assert.equal(got[0].headers.empty.toString(), '');
    assert.equal(got[2].value, null);
    assert.ok(got[3].value.equals(Buffer.alloc(100000, 7)));
  },

  async every_compression_is_taken_and_given(kafka, topic) {
    const types = [CompressionTypes.None, CompressionTypes.GZIP, CompressionTypes.Snappy, CompressionTypes.LZ4];
    const zstd = Array.from({ length: 500 }, (_, i) => `${CompressionTypes.ZSTD} message ${i}`);
    await withProducer(kafka, {}, async producer => {
      for (const compression of types) {
        const messages = Array.from({ length: 500 }, (_, i) => ({ value: `${compression} message ${i}` }));
        await producer.send({ topic, messages, compression });
      }
    });
    execFileSync('kcat', ['-b', process.argv[2], '-P', '-t', topic, '-z', 'zstd'], { input: zstd.join('\n') });
    const got = await take(kafka, topic, types.length * 500 + zstd.length);
    assert.deepEqual(
      got.map(m => m.value.toString()),
      [...types.flatMap(c => Array.from({ length: 500 }, (_, i) => `${c} message ${i}`)), ...zstd]);
  },

  async large_records_pass(kafka, topic) {
    const value = Buffer.alloc(1000000, 'x');
    await withProducer(kafka, {}, async producer => {
      for (let i = 0; i < 20; i++) await producer.send({ topic, messages: [{ key: `${i}`, value }] });
    });
    const got = await take(kafka, topic, 20);
    assert.deepEqual(got.map(m => m.key.toString()), Array.from({ length: 20 }, (_, i) => `${i}`));
    assert.ok(got.every(m => m.value.equals(value)));
  },

  async a_group_goes_on_where_it_was(kafka, topic) {
    const send = (from, to) => withProducer(kafka, {}, p =>
      p.send({ topic, messages: Array.from({ length: to - from }, (_, i) => ({ value: `${from + i}` })) }));
    await send(0, 50);
    const first = await take(kafka, topic, 50, { group: `g-${topic}` });
    await send(50, 80);
    const second = await take(kafka, topic, 30, { group: `g-${topic}` });
    assert.deepEqual([...first, ...second].map(m => Number(m.value)), Array.from({ length: 80 }, (_, i) => i));
    const offsets = await withAdmin(kafka, a => a.fetchOffsets({ groupId: `g-${topic}`, topics: [topic] }));
    assert.equal(offsets[0].partitions[0].offset, '80');
  },

  async a_group_grows_and_shrinks_under_load(kafka, topic) {
    await withAdmin(kafka, a => a.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 6 }] }));
    const got = new Set();
    const consumers = [];
    const assigned = new Map();
    const start = async () => {
      const consumer = kafka.consumer({ groupId: `g-${topic}`, sessionTimeout: 10000, heartbeatInterval: 500 });
      consumers.push(consumer);
      consumer.on('consumer.group_join', e => assigned.set(consumer, e.payload.memberAssignment[topic] ?? []));
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({ eachMessage: async ({ message }) => { got.add(message.value.toString()); } });
    };
    const until = async (what, holds) => {
      for (let i = 0; i < 300 && !holds(); i++) await sleep(100);
      assert.ok(holds(), `${what}: ${JSON.stringify([...assigned.values()])}, ${got.size}`);
    };
    // Each partition with one member, and each member with its share.
    const isShared = () => {
      const parts = consumers.map(c => assigned.get(c) ?? []);
      return JSON.stringify(parts.flat().sort()) === '[0,1,2,3,4,5]' && parts.every(p => p.length === 6 / parts.length);
    };
    await withProducer(kafka, {}, async producer => {
      let sent = 0;
      let isLoad = true;
      const load = (async () => {
        for (; isLoad; await sleep(20)) {
          await producer.send({ topic, messages: Array.from({ length: 5 }, () => ({ key: `${sent}`, value: `${sent++}` })) });
        }
      })();
      for (const size of [1, 2, 3, 2, 1]) {
        if (size > consumers.length) await start();
        else await consumers.shift().disconnect();
        await until(`${size} share`, isShared);
      }
      isLoad = false;
      await load;
      await until(`all of ${sent} messages came`, () => got.size === sent);
    });
    await consumers[0].disconnect();
  },

  async topics_are_administered(kafka, topic) {
    await withAdmin(kafka, async admin => {
      assert.equal(await admin.createTopics({
        topics: [{ topic, numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '60000' }] }],
      }), true);
      assert.equal(await admin.createTopics({ topics: [{ topic }] }), false);
      assert.ok((await admin.listTopics()).includes(topic));
      await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] });
      const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
      assert.deepEqual(metadata.topics[0].partitions.map(p => p.partitionId).sort(), [0, 1, 2, 3, 4]);
      const described = await admin.describeConfigs({ resources: [{ type: 2, name: topic }], includeSynonyms: false });
      const entry = described.resources[0].configEntries.find(e => e.configName === 'retention.ms');
      assert.equal(entry.configValue, '60000');
      await admin.alterConfigs({
        resources: [{ type: 2, name: topic, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }],
      });
      const again = await admin.describeConfigs({ resources: [{ type: 2, name: topic, configNames: ['cleanup.policy'] }] });
      assert.deepEqual(again.resources[0].configEntries.map(e => e.configValue), ['compact']);
      const cluster = await admin.describeCluster();
      assert.equal(cluster.brokers.length, 1);
      await admin.deleteTopics({ topics: [topic] });
      assert.ok(!(await admin.listTopics()).includes(topic));
    });
  },

  async offsets_are_found_by_time(kafka, topic) {
    const start = Date.now() - 100000;
    await withProducer(kafka, {}, p => p.send({
      topic,
      messages: Array.from({ length: 10 }, (_, i) => ({ value: `${i}`, timestamp: `${start + i * 1000}` })),
    }));
    const found = await withAdmin(kafka, a => a.fetchTopicOffsetsByTimestamp(topic, start + 4500));
    assert.equal(found[0].offset, '5');
    const ends = await withAdmin(kafka, a => a.fetchTopicOffsets(topic));
    assert.deepEqual([ends[0].low, ends[0].high], ['0', '10']);
  },

  async acknowledgements_of_every_kind(kafka, topic) {
    await withProducer(kafka, {}, async producer => {
      for (const acks of [0, 1, -1]) await producer.send({ topic, acks, messages: [{ value: `${acks}` }] });
    });
    const got = await take(kafka, topic, 3);
    assert.deepEqual(got.map(m => m.value.toString()), ['0', '1', '-1']);
  },

  async an_idempotent_producer_sends_in_order(kafka, topic) {
    await withProducer(kafka, { idempotent: true }, async producer => {
      for (let i = 0; i < 100; i++) await producer.send({ topic, messages: [{ value: `${i}` }] });
    });
    const got = await take(kafka, topic, 100);
    assert.deepEqual(got.map(m => Number(m.value)), Array.from({ length: 100 }, (_, i) => i));
  },

  async transactions_show_all_or_nothing(kafka, topic) {
    await withProducer(kafka, { transactionalId: `t-${topic}`, maxInFlightRequests: 1, idempotent: true }, async producer => {
      for (const [name, commit] of [['a', true], ['b', false], ['c', true]]) {
        const transaction = await producer.transaction();
        await transaction.send({ topic, messages: [{ value: `${name}1` }, { value: `${name}2` }] });
        await (commit ? transaction.commit() : transaction.abort());
      }
    });
    const got = await take(kafka, topic, 4);
    assert.deepEqual(got.map(m => m.value.toString()), ['a1', 'a2', 'c1', 'c2']);
  },

  async offsets_of_a_transaction_count_when_it_commits(kafka, topic) {
    const groupId = `g-${topic}`;
    await withProducer(kafka, {}, p => p.send({ topic, messages: [{ value: 'x' }, { value: 'y' }] }));
    await withProducer(kafka, { transactionalId: `t-${topic}`, maxInFlightRequests: 1, idempotent: true }, async producer => {
      const offset = value => ({ consumerGroupId: groupId, topics: [{ topic, partitions: [{ partition: 0, offset: value }] }] });
      const committed = async () => (await withAdmin(kafka, a => a.fetchOffsets({ groupId, topics: [topic] })))[0].partitions[0].offset;
      const lost = await producer.transaction();
      await lost.sendOffsets(offset('1'));
      await lost.abort();
      assert.equal(await committed(), '-1');
      const kept = await producer.transaction();
      await kept.sendOffsets(offset('2'));
      await kept.commit();
      for (let i = 0; i < 50 && (await committed()) !== '2'; i++) await sleep(100);
      assert.equal(await committed(), '2');
    });
  },
};
