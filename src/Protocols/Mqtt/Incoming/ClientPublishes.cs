using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Incoming;

/// <summary>The messages of a client on their way to the broker (MQTT 5.0 §3.3): their topics, the stored form, the
/// file of a large one. Owned by the connection.</summary>
internal sealed class ClientPublishes
{
    private const int ScratchBytesKept = 16 << 10;

    private readonly BrokerClient _client;
    private readonly SessionState? _state;
    private readonly Producer _producer;
    private readonly MqttOptions _options;
    private readonly UnansweredPublishes _unanswered;
    private readonly RetainRequests _retains;
    private readonly PassTransaction _pass;
    private readonly TopicTable _topics;
    private byte[] _scratch = [];
    private int _credit;
    private LargeMessage? _large;

    public ClientPublishes(
        SessionQueues queues, Producer producer, MqttOptions options, UnansweredPublishes unanswered,
        RetainRequests retains, PassTransaction pass)
    {
        _client = queues.Client;
        _state = queues.State;
        _producer = producer;
        _options = options;
        _unanswered = unanswered;
        _retains = retains;
        _pass = pass;
        _topics = new TopicTable(options.KnownTopicsMax, options.TopicAliasMaximum);
    }

    /// <summary>A message whose body has a file of its own.</summary>
    private sealed record LargeMessage(
        LargePublish Body, MessageHeader Header, byte Qos, ushort PacketId, string Address);

    /// <summary>Whether the broker takes no more messages now; the input waits.</summary>
    public bool IsPaused => _credit <= 0 || _large is not null || _client.IsBehind;

    /// <summary>A large message goes to its file: the input waits until this has ended, then <see cref="OnFileReady"/>
    /// is called. Null: none does.</summary>
    public Task? FileReady { get; private set; }

    /// <summary>The broker takes so many more.</summary>
    public void AddCredit(int credit) => _credit += credit;

    /// <summary>The file is written: the message is published.</summary>
    public void OnFileReady()
    {
        LargeMessage large = _large!;
        _large = null;
        FileReady = null;
        Publish(large);
    }

    /// <summary>The connection is over: a message that is not whole in its file is none.</summary>
    public void Abort() => _large?.Body.Abort();

    /// <summary>PUBLISH.</summary>
    public void OnPublish(PublishPacket packet, long nowMs)
    {
        KnownTopic topic = TopicOf(packet);
        if (packet.HasSubscriptionId)
        {
            MqttException.Protocol("a client gives no subscription identifiers");
        }

        if (packet.Qos > 0 && !_unanswered.MayCome(packet))
        {
            return;
        }

        if (TopicNames.IsOfNode(topic.Topic))
        {
            _unanswered.Refuse(packet, ReasonCode.TopicNameInvalid, "the topics below $SYS are the node's own");
            return;
        }

        Store(packet, topic, nowMs);
    }

    private KnownTopic TopicOf(in PublishPacket packet)
    {
        if (!packet.HasTopicAlias)
        {
            return _topics.Get(packet.Topic);
        }

        int alias = packet.TopicAlias;
        if (!_topics.IsAlias(alias))
        {
            throw new MqttException(ReasonCode.TopicAliasInvalid, $"topic alias {alias} is beyond the maximum");
        }

        if (!packet.Topic.IsEmpty)
        {
            KnownTopic known = _topics.Get(packet.Topic);
            _topics.SetAlias(alias, known);
            return known;
        }

        return _topics.TryGetAlias(alias, out KnownTopic? topic)
            ? topic
            : throw new MqttException(ReasonCode.ProtocolError, $"topic alias {alias} means nothing yet");
    }

    private void Store(in PublishPacket packet, KnownTopic topic, long nowMs)
    {
        var header = new MessageHeader
        {
            Durable = packet.Qos > 0,
            ExpiresAtMs = packet.MessageExpiry is { } seconds ? nowMs + Math.Max(1, seconds * 1000L) : 0,
            Format = PayloadFormat.Mqtt,
        };
        var stored = new MqttMessageMap
        {
            Qos = packet.Qos,
            Retain = packet.Retain,
            Topic = topic.Topic,
            Properties = MqttMessageMap.Stored(packet),
            Payload = packet.Payload,
        };
        int bytes = stored.Bytes;
        if (_scratch.Length < bytes)
        {
            _scratch = new byte[Math.Max(bytes, 256)];
        }

        stored.Write(_scratch);
        if (packet.Retain && !_retains.TrySet(packet, _scratch.AsSpan(0, bytes), header.ExpiresAtMs, topic))
        {
            _unanswered.Refuse(packet, ReasonCode.QuotaExceeded, "no more retained messages are taken");
            return;
        }

        if (packet.Qos > 0)
        {
            _unanswered.Begin(packet.Qos, packet.PacketId);
        }

        var payload = new ReadOnlySequence<byte>(_scratch, 0, bytes);
        if (bytes > _options.LargeMessageBytesMin)
        {
            PublishLarge(header, payload, packet, topic.Address);
        }
        else
        {
            Publish(header, payload, packet, topic.Address);
        }

        if (_scratch.Length > ScratchBytesKept)
        {
            _scratch = [];
        }
    }

    private void Publish(
        in MessageHeader header, in ReadOnlySequence<byte> payload, in PublishPacket packet, string address)
    {
        _credit--;
        switch (packet.Qos)
        {
            case 0:
                _client.Publish(_producer, header, payload, 0, address);
                break;
            case 1:
                _client.Publish(_producer, header, payload, new Tag(TagKind.PubAck, packet.PacketId).Value, address);
                break;
            case 2 when _state is null:
                _client.Publish(_producer, header, payload, new Tag(TagKind.PubRec, packet.PacketId).Value, address);
                break;
            default:
                // The message and its identifier are on disk together, or neither is.
                Transaction transaction = _pass.Take((int)payload.Length);
                ulong tag = new Tag(TagKind.Staged, packet.PacketId).Value;
                _client.Publish(_producer, header, payload, tag, address, transaction);
                Keep(packet.PacketId, transaction);
                break;
        }
    }

    private void PublishLarge(
        in MessageHeader header, in ReadOnlySequence<byte> payload, in PublishPacket packet, string address)
    {
        var large = new LargeMessage(_client.BeginLarge(_producer), header, packet.Qos, packet.PacketId, address);
        bool isAhead = large.Body.Append(payload);
        if (large.Body.Finish() && isAhead)
        {
            Publish(large);
            return;
        }

        _large = large;
        FileReady = large.Body.ReadyAsync(CancellationToken.None).AsTask();
    }

    private void Publish(LargeMessage large)
    {
        _credit--;
        bool isKept = large.Qos == 2 && _state is not null;
        TagKind kind = large.Qos switch
        {
            0 => TagKind.None,
            1 => TagKind.PubAck,
            _ => isKept ? TagKind.Staged : TagKind.PubRec,
        };
        ulong tag = kind == TagKind.None ? 0 : new Tag(kind, large.PacketId).Value;
        Transaction? transaction = isKept ? _pass.Take(0) : null;
        large.Body.Complete(large.Header, tag, large.Address, transaction);
        if (transaction is not null)
        {
            Keep(large.PacketId, transaction);
        }
    }

    private void Keep(ushort packetId, Transaction transaction)
    {
        _state!.PutIncoming(packetId, transaction);
        _pass.AddIncoming(packetId);
    }
}
