// usage: node security.mjs HOST:PORT SCENARIO; user root is the administrator, alice may do nothing; both have the
// password that stands in PASSWORD. Exits 0 and prints "ok" when what the server did is right.
import assert from 'node:assert/strict';
import { pbkdf2Sync } from 'node:crypto';
import {
  Admin, Connection, Producer, ProduceAcks, Writer, alterUserScramCredentialsV0, describeQuorumV2,
  describeUserScramCredentialsV0, stringSerializers,
} from '@platformatic/kafka';

const [servers, name] = process.argv.slice(2);
const password = process.env.PASSWORD;
const topic = 't';
const Allow = 3;
const Any = 1;
const Literal = 3;
const Topic = 2;
const Write = 4;
const Sha256 = 1;

setTimeout(() => fail(new Error('the scenario did not end within 120 s')), 120000).unref();

function fail(error) {
  console.error(error, JSON.stringify(error?.errors ?? error?.cause ?? '', null, 2));
  process.exit(1);
}

process.on('unhandledRejection', fail);

function as(username, mechanism = 'PLAIN', secret = password) {
  return {
    clientId: 'interop', bootstrapBrokers: [servers], retries: 2, connectTimeout: 60000,
    sasl: { mechanism, username, password: secret },
  };
}

async function withAdmin(act) {
  const admin = new Admin(as('root'));
  try {
    return await act(admin);
  } finally {
    await admin.close();
  }
}

async function withConnection(act) {
  const connection = new Connection('interop', { sasl: as('root').sasl });
  const [host, port] = servers.split(':');
  await connection.connect(host, Number(port));
  try {
    return await act(connection);
  } finally {
    await connection.close();
  }
}

async function send(options) {
  const producer = new Producer({ ...options, serializers: stringSerializers });
  try {
    return await producer.send({ messages: [{ topic, value: 'x' }], acks: ProduceAcks.ALL });
  } finally {
    await producer.close();
  }
}

const scenarios = {
  async acls() {
    await withAdmin(async admin => {
      await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
      await assert.rejects(send(as('alice')));
      const acl = {
        resourceType: Topic, resourceName: topic, resourcePatternType: Literal, principal: 'User:alice', host: '*',
        operation: Write, permissionType: Allow,
      };
      await admin.createAcls({ creations: [acl] });
      await send(as('alice'));
      const filter = { ...acl, operation: Any, permissionType: Any, host: null };
      const [found] = await admin.describeAcls({ filter });
      assert.equal(found.resourceName, topic);
      assert.deepEqual(found.acls.map(a => [a.principal, a.operation]), [['User:alice', Write]]);
      await assert.rejects(admin.createAcls({ creations: [{ ...acl, host: '10.0.0.1' }] }));
      await admin.deleteAcls({ filters: [filter] });
      assert.equal((await admin.describeAcls({ filter })).length, 0);
      await assert.rejects(send(as('alice')));
    });
  },

  async quotas() {
    await withAdmin(async admin => {
      const entities = [{ entityType: 'user', entityName: 'alice' }];
      await admin.alterClientQuotas({
        entries: [{ entities, ops: [{ key: 'consumer_byte_rate', value: 1000, remove: false }] }],
      });
      const [quota] = await admin.describeClientQuotas({
        components: [{ entityType: 'user', matchType: 0, match: 'alice' }],
      });
      assert.deepEqual(quota.values.map(v => [v.key, v.value]), [['consumer_byte_rate', 1000]]);
      await assert.rejects(admin.alterClientQuotas({
        entries: [{ entities, ops: [{ key: 'no_such_quota', value: 1, remove: false }] }],
      }));
    });
  },

  async scram() {
    const salt = Buffer.from('a salt of our own');
    const saltedPassword = pbkdf2Sync('new secret', salt, 4096, 32, 'sha256');
    await withConnection(async connection => {
      // The library's own request ends with a byte too many.
      const request = Writer.create().appendArray([], () => {}).appendArray(['carol'], (writer, user) => writer
        .appendString(user).appendInt8(Sha256).appendInt32(4096).appendBytes(salt).appendBytes(saltedPassword))
        .appendTaggedFields();
      await new Promise((resolve, reject) => connection.send(
        51, 0, () => request, alterUserScramCredentialsV0.parseResponse, true, true,
        (error, answer) => error ? reject(error) : resolve(answer)));
      const shown = await describeUserScramCredentialsV0.api.async(connection, [{ name: 'carol' }]);
      assert.deepEqual(shown.results[0].credentialInfos, [{ mechanism: Sha256, iterations: 4096 }]);
    });
    await withAdmin(async admin => {
      await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
      await admin.createAcls({
        creations: [{
          resourceType: Topic, resourceName: topic, resourcePatternType: Literal, principal: 'User:carol', host: '*',
          operation: Write, permissionType: Allow,
        }],
      });
    });
    await send(as('carol', 'SCRAM-SHA-256', 'new secret'));
    await assert.rejects(send(as('carol', 'SCRAM-SHA-256', 'another')));
  },

  async quorum() {
    await withConnection(async connection => {
      const answer = await describeQuorumV2.api.async(
        connection, [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]);
      assert.equal(answer.topics[0].partitions[0].leaderId, 1);
    });
  },
};

scenarios[name]().then(() => {
  console.log('ok');
  process.exit(0);
}, fail);
