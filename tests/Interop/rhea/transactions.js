// rhea has no transactions: the coordinator's link, its messages and the transactional states are built here from the types
// that rhea sends and reads (part 4 of the specification).
'use strict';
const rhea = require('rhea');
const { types, message } = rhea;

const COORDINATOR = 0x30, DECLARE = 0x31, DISCHARGE = 0x32, DECLARED = 0x33, TRANSACTIONAL = 0x34;
const STATE_FIELD = 7; // of a transfer
const LOCAL = 'amqp:local-transactions';

const described = (descriptor, ...fields) => types.described_nc(types.wrap_ulong(descriptor), types.wrap_list(fields));

// A message whose body is a described value: rhea would lose the inner descriptor.
function encode(value) {
  const writer = new types.Writer();
  writer.write(value);
  return Buffer.concat([Buffer.from([0x00, 0x53, 0x77]), writer.toBuffer()]);
}

// The outcome of one message to the coordinator: its descriptor and fields, as they came.
function request(link, body) {
  return new Promise((resolve) => {
    const delivery = link.send(encode(body), undefined, 0);
    const finish = (context) => {
      if (context.delivery !== delivery) return;
      link.removeListener('settled', finish);
      const state = delivery.remote_state;
      resolve(state.descriptor ? { code: state.descriptor.value, fields: state.value } : { code: 0, state });
    };
    link.on('settled', finish);
  });
}

// Opens the link to the coordinator.
function openCoordinator(connection) {
  return new Promise((resolve, reject) => {
    const link = connection.open_sender({ target: {}, autosettle: true });
    link.local.attach.target = described(COORDINATOR, types.wrap_array([LOCAL], types.Sym8.typecode));
    link.once('sendable', () => resolve(link));
    link.once('sender_error', () => reject(link.error));
    link.once('sender_close', () => reject(link.error));
  });
}

// Begins a transaction; gives its id.
async function declare(link) {
  const { code, fields } = await request(link, described(DECLARE));
  if (code !== DECLARED) throw new Error(`declare ended with 0x${code.toString(16)}`);
  return types.unwrap(fields[0]);
}

// Ends a transaction; gives the name of the outcome.
async function discharge(link, id, fail) {
  const { state } = await request(link, described(DISCHARGE, types.wrap_binary(id), types.wrap_boolean(fail)));
  return state.constructor.composite_type;
}

const inTransaction = (id, outcome) =>
  described(TRANSACTIONAL, types.wrap_binary(id), ...(outcome ? [outcome] : []));

// From now on what the sender sends belongs to the transaction.
function sendIn(sender, id) {
  const { session } = sender, output = session.output;
  session.output = function (frame, payload) {
    if (payload && frame.handle === sender.local.handle) frame.value[STATE_FIELD] = inTransaction(id);
    return output.call(this, frame, payload);
  };
}

// Accepts a delivery in the transaction.
const acceptIn = (delivery, id) => delivery.update(true, inTransaction(id, message.accepted().described()));

module.exports = { openCoordinator, declare, discharge, sendIn, acceptIn };
