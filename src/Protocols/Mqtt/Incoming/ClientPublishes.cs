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

    /// <summary>A message on its way; null in <see cref="Retained"/>: it is not retained.</summary>
    private readonly record struct Publish(MessageHeader Header, byte Qos, ushort PacketId, string Address)
    {
        public RetainedMessage? Retained { get; init; }
    }

    /// <summary>A message whose body has a file of its own.</summary>
    private sealed record LargeMessage(LargePublish Body, Publish Publish);

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
        SendWhole(large);
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
        if (packet.Qos > 0)
        {
            _unanswered.Begin(packet.Qos, packet.PacketId);
        }

        var payload = new ReadOnlySequence<byte>(_scratch, 0, bytes);
        var publish = new Publish(header, packet.Qos, packet.PacketId, topic.Address)
        {
            Retained = packet.Retain ? Retained(topic, payload, header) : null,
        };
        if (bytes > _options.LargeMessageBytesMin)
        {
            SendLarge(publish, payload);
        }
        else if (publish.Retained is not null)
        {
            Retain(publish, payload);
        }
        else
        {
            Send(publish, payload);
        }

        if (_scratch.Length > ScratchBytesKept)
        {
            _scratch = [];
        }
    }

    private RetainedMessage Retained(KnownTopic topic, in ReadOnlySequence<byte> stored, in MessageHeader header) =>
        new(TopicText.ToText(topic.Topic), stored.ToArray(), header.ExpiresAtMs, _client.PublisherHash);

    // It is retained when the broker takes it, and taken when it can be retained.
    private void Retain(Publish publish, ReadOnlySequence<byte> payload)
    {
        if (!_retains.TryPublish(publish.Qos, publish.PacketId, publish.Retained!, () => Send(publish, payload)))
        {
            _unanswered.OnNoRoom(publish.Qos, publish.PacketId);
        }
    }

    private BrokerException? Send(in Publish publish, in ReadOnlySequence<byte> payload)
    {
        _credit--;
        // The message and its identifier are on disk together, or neither is.
        Transaction? transaction = IsKept(publish) ? _pass.Take((int)payload.Length) : null;
        BrokerException? refusal = _client.Publish(
            _producer, publish.Header, payload, TagOf(publish), publish.Address, transaction);
        Keep(publish, transaction);
        return refusal;
    }

    private void SendLarge(in Publish publish, in ReadOnlySequence<byte> payload)
    {
        var large = new LargeMessage(_client.BeginLarge(_producer), publish);
        bool isAhead = large.Body.Append(payload);
        if (large.Body.Finish() && isAhead)
        {
            SendWhole(large);
            return;
        }

        _large = large;
        FileReady = large.Body.ReadyAsync(CancellationToken.None).AsTask();
    }

    private void SendWhole(LargeMessage large)
    {
        Publish publish = large.Publish;
        if (publish.Retained is null)
        {
            Send(large);
        }
        else if (!_retains.TryPublish(publish.Qos, publish.PacketId, publish.Retained, () => Send(large)))
        {
            large.Body.Abort();
            _unanswered.OnNoRoom(publish.Qos, publish.PacketId);
        }
    }

    private BrokerException? Send(LargeMessage large)
    {
        _credit--;
        Publish publish = large.Publish;
        Transaction? transaction = IsKept(publish) ? _pass.Take(0) : null;
        BrokerException? refusal = large.Body.Complete(publish.Header, TagOf(publish), publish.Address, transaction);
        Keep(publish, transaction);
        return refusal;
    }

    private bool IsKept(in Publish publish) => publish.Qos == 2 && _state is not null;

    private ulong TagOf(in Publish publish) => publish.Qos switch
    {
        0 => 0,
        1 => new Tag(TagKind.PubAck, publish.PacketId).Value,
        _ => new Tag(IsKept(publish) ? TagKind.Staged : TagKind.PubRec, publish.PacketId).Value,
    };

    private void Keep(in Publish publish, Transaction? transaction)
    {
        if (transaction is not null)
        {
            _state!.PutIncoming(publish.PacketId, transaction);
            _pass.AddIncoming(publish.PacketId);
        }
    }
}
