using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>
/// What a session must not forget over its connection and over a crash (MQTT 5.0 §4.1): a durable queue that only its
/// client uses, with a message for each subscription and each packet identifier of QoS 2 that is in use. They are
/// published and settled like any message, in one transaction with the message that they are about. Owned by the
/// connection.
/// </summary>
internal sealed class SessionState
{
    private const int CreditMax = 1 << 20;

    private readonly BrokerClient _client;
    private readonly Consumer _consumer;
    private readonly Producer _producer;
    private readonly Dictionary<StateKey, Entry> _entries = [];
    private readonly Dictionary<MessageKey, ushort> _sent = [];
    private readonly Queue<Delivery> _unread = new();

    // Removals of records that came back from the disk no sooner than a newer one had taken their place: who waits for
    // them, by generation.
    private Dictionary<int, ulong>? _replaced;
    private int _generation;
    private byte[] _scratch = new byte[StateRecord.BytesMax];

    public SessionState(BrokerClient client, string queue)
    {
        _client = client;
        _consumer = client.OpenConsumer(new ConsumerOptions { Queue = queue, Exclusive = true });
        _producer = client.OpenProducer(new ProducerOptions { Address = $"{SessionNames.Address}::{queue}" });
        client.Grant(_consumer, CreditMax);
        client.Drain(_consumer);
    }

    /// <summary>Whether everything that the disk has is here.</summary>
    public bool IsLoaded => IsDrained && _unread.Count == 0;

    /// <summary>Records that came and are not read yet: the oldest is to be read from disk.</summary>
    public bool TryPeekUnread(out Delivery delivery) => _unread.TryPeek(out delivery);

    private bool IsDrained { get; set; }

    // Records of the start that are to be read from disk still; newer ones come behind them.
    private int _toLoad;

    /// <summary>Whether the consumer is this one's.</summary>
    public bool Owns(Consumer consumer) => ReferenceEquals(consumer, _consumer);

    /// <summary>The queue has told all that it had.</summary>
    public void OnDrained()
    {
        IsDrained = true;
        _toLoad = _unread.Count;
        _client.Grant(_consumer, CreditMax);
    }

    /// <summary>A record came.</summary>
    public void OnDelivery(in Delivery delivery)
    {
        if (_unread.Count == 0 && _client.TryRead(delivery, out MessageLease lease))
        {
            using (lease)
            {
                Take(delivery, lease.Payload.Span, isLoading: !IsDrained);
            }

            return;
        }

        _unread.Enqueue(delivery);
    }

    /// <summary>The oldest unread record was read; null: it is damaged.</summary>
    public void OnRead(byte[]? bytes)
    {
        Delivery delivery = _unread.Dequeue();
        bool isLoading = !IsDrained || _toLoad-- > 0;
        if (bytes is null)
        {
            _client.Quarantine(delivery, "a record of an MQTT session is damaged");
            return;
        }

        Take(delivery, bytes, isLoading);
    }

    /// <summary>The subscriptions, once loaded.</summary>
    public IEnumerable<(string Key, SubscriptionOptions Options, int Id)> Subscriptions =>
        from entry in _entries
        where entry.Key.Kind == StateKind.Subscription && !entry.Value.IsRemoved
        select (entry.Key.Filter!, entry.Value.Options, entry.Value.SubscriptionId);

    /// <summary>The packet identifiers that the client may not use anew, once loaded.</summary>
    public IEnumerable<ushort> Incoming =>
        from entry in _entries
        where entry.Key.Kind == StateKind.Incoming && !entry.Value.IsRemoved
        select entry.Key.PacketId;

    /// <summary>The packet identifiers under which messages were sent to the client, and which it may hold still, once
    /// loaded.</summary>
    public IEnumerable<(ushort PacketId, MessageKey Message)> Sent =>
        from entry in _entries
        where entry.Key.Kind == StateKind.Sent && !entry.Value.IsRemoved
        select (entry.Key.PacketId, entry.Value.Message);

    /// <summary>What a message is known by. Numbers of messages that are not durable may be those of durable ones.
    /// </summary>
    public static MessageKey KeyOf(in Delivery delivery) => new(
        delivery.Durable || delivery.IsRecord ? delivery.QueueNumber : ~delivery.QueueNumber, delivery.MessageId);

    /// <summary>Under which packet identifier a message is sent to the client; false: it has none yet.</summary>
    public bool TryGetSent(in Delivery delivery, out ushort packetId) =>
        _sent.TryGetValue(KeyOf(delivery), out packetId);

    /// <summary>Whether the client may hold a packet identifier for a message.</summary>
    public bool IsSent(ushort packetId) => _entries.ContainsKey(new StateKey(StateKind.Sent, packetId, null));

    /// <summary>Keeps a subscription; <paramref name="tag"/> is told when it is on disk. Or says why the broker does
    /// not take it, which is told with the tag, too: what was kept before stays.</summary>
    public BrokerException? Put(
        string key, ReadOnlySpan<byte> filter, SubscriptionOptions options, int id, ulong tag)
    {
        var record = new StateRecord
        {
            Kind = StateKind.Subscription,
            Generation = NextGeneration(),
            Options = options,
            SubscriptionId = id,
            Filter = filter,
        };
        if (Publish(record, tag, null) is { } refusal)
        {
            return refusal;
        }

        Entry entry = Renew(new StateKey(StateKind.Subscription, 0, key), record.Generation);
        entry.Options = options;
        entry.SubscriptionId = id;
        return null;
    }

    /// <summary>Keeps a packet identifier of the client's, as part of a transaction.</summary>
    public void PutIncoming(ushort packetId, Transaction transaction)
    {
        Entry entry = Renew(new StateKey(StateKind.Incoming, packetId, null), NextGeneration());
        var record = new StateRecord
        {
            Kind = StateKind.Incoming,
            Generation = entry.Generation,
            PacketId = packetId,
        };
        transaction.Fail(Publish(record, 0, transaction));
    }

    /// <summary>Keeps under which packet identifier a message is sent to the client; <paramref name="tag"/> is told
    /// when that is on disk, and the message, if it is durable, with it.</summary>
    public void PutSent(ushort packetId, in Delivery delivery, ulong tag)
    {
        MessageKey message = KeyOf(delivery);
        Entry entry = Renew(new StateKey(StateKind.Sent, packetId, null), NextGeneration());
        entry.Message = message;
        _sent[message] = packetId;
        var record = new StateRecord
        {
            Kind = StateKind.Sent,
            Generation = entry.Generation,
            PacketId = packetId,
            Message = message,
        };
        Publish(record, tag, null);
    }

    /// <summary>Forgets a subscription; <paramref name="tag"/> is told as settled when that is on disk. False: there is
    /// none.</summary>
    public bool Remove(string filter, ulong tag) => Remove(new StateKey(StateKind.Subscription, 0, filter), tag);

    /// <summary>The same for a packet identifier.</summary>
    public bool Remove(StateKind kind, ushort packetId, ulong tag) => Remove(new StateKey(kind, packetId, null), tag);

    /// <summary>A transaction that kept a packet identifier of the client's was rolled back.</summary>
    public void ForgetIncoming(ushort packetId) => _entries.Remove(new StateKey(StateKind.Incoming, packetId, null));

    private bool Remove(StateKey key, ulong tag)
    {
        if (!_entries.TryGetValue(key, out Entry? entry) || entry.IsRemoved)
        {
            return false;
        }

        entry.IsRemoved = true;
        entry.RemovalTag = tag;
        if (key.Kind == StateKind.Sent)
        {
            _sent.Remove(entry.Message);
        }

        if (entry.Delivery is { } delivery)
        {
            _entries.Remove(key);
            _client.Settle(delivery, Outcome.Accepted, tag);
        }

        return true;
    }

    private int NextGeneration() => _generation = (_generation + 1) & MqttReader.VarIntMax;

    private Entry Renew(StateKey key, int generation)
    {
        if (!_entries.TryGetValue(key, out Entry? entry))
        {
            entry = new Entry();
            _entries[key] = entry;
        }

        if (entry is { IsRemoved: true, RemovalTag: not 0 })
        {
            (_replaced ??= [])[entry.Generation] = entry.RemovalTag;
        }

        entry.IsRemoved = false;
        entry.Generation = generation;
        return entry;
    }

    private BrokerException? Publish(in StateRecord record, ulong tag, Transaction? transaction)
    {
        int room = StateRecord.BytesMax + record.Filter.Length;
        if (_scratch.Length < room)
        {
            _scratch = new byte[room];
        }

        int count = record.Write(_scratch);
        var bytes = new ReadOnlySequence<byte>(_scratch, 0, count);
        return _client.Publish(_producer, new MessageHeader { Durable = true }, bytes, tag, null, transaction);
    }

    private void Take(in Delivery delivery, ReadOnlySpan<byte> bytes, bool isLoading)
    {
        if (!StateRecord.TryRead(bytes, out StateRecord record))
        {
            _client.Settle(delivery, Outcome.Accepted);
            return;
        }

        StateKey key = record.Kind == StateKind.Subscription
            ? new StateKey(record.Kind, 0, SubscriptionTable.KeyOf(record.Filter))
            : new StateKey(record.Kind, record.PacketId, null);
        if (isLoading)
        {
            Load(record, key);
        }

        if (!_entries.TryGetValue(key, out Entry? entry) || entry.Generation != record.Generation)
        {
            // A newer one is on its way.
            ulong tag = 0;
            _replaced?.Remove(record.Generation, out tag);
            _client.Settle(delivery, Outcome.Accepted, tag);
            return;
        }

        if (entry.Delivery is { } older)
        {
            _client.Settle(older, Outcome.Accepted);
        }

        entry.Delivery = delivery;
        if (entry.IsRemoved)
        {
            _entries.Remove(key);
            _client.Settle(delivery, Outcome.Accepted, entry.RemovalTag);
        }
    }

    private void Load(in StateRecord record, StateKey key)
    {
        _generation = Math.Max(_generation, record.Generation);
        if (!_entries.TryGetValue(key, out Entry? entry))
        {
            entry = new Entry();
            _entries[key] = entry;
        }

        entry.Generation = record.Generation;
        entry.Options = record.Options;
        entry.SubscriptionId = record.SubscriptionId;
        if (record.Kind == StateKind.Sent)
        {
            _sent.Remove(entry.Message);
            entry.Message = record.Message;
            _sent[record.Message] = record.PacketId;
        }
    }

    /// <summary>What a record is about: a packet identifier, or a subscription by its filter.</summary>
    private readonly record struct StateKey(StateKind Kind, ushort PacketId, string? Filter);

    private sealed class Entry
    {
        public int Generation { get; set; }

        public Delivery? Delivery { get; set; }

        public bool IsRemoved { get; set; }

        public ulong RemovalTag { get; set; }

        public MessageKey Message { get; set; }

        public SubscriptionOptions Options { get; set; }

        public int SubscriptionId { get; set; }
    }
}
