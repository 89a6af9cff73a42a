using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <content>Messages from the client (MQTT 5.0 §3.3, §4.3).</content>
internal sealed partial class MqttSession
{
    private const int ScratchBytesKept = 16 << 10;

    private const int TransactionBytesMax = 1 << 20;

    private readonly TopicTable _topics;
    private byte[] _scratch = [];
    private Dictionary<ushort, IncomingState>? _incoming;

    // Why messages were refused whose identifiers are not forgotten yet.
    private Dictionary<ushort, BrokerException>? _refusals;
    private HashSet<ushort>? _unrouted;
    private Transaction? _transaction;
    private TransactionParts? _parts;
    private Dictionary<ulong, TransactionParts>? _discharging;
    private ulong _lastDischarge;
    private int _unanswered;
    private int _credit;
    private LargeMessage? _large;

    /// <summary>What waits for the end of a transaction.</summary>
    private sealed class TransactionParts
    {
        /// <summary>The identifiers of messages from the client.</summary>
        public List<ushort> Incoming { get; } = [];

        /// <summary>Messages of shared subscriptions become the client's own by it.</summary>
        public bool TakesOver { get; set; }
    }

    /// <summary>A message of QoS 2 from the client.</summary>
    private enum IncomingState : byte
    {
        /// <summary>It goes to disk.</summary>
        Storing,

        /// <summary>PUBREC is sent.</summary>
        Stored,

        /// <summary>PUBREL came; PUBCOMP goes out when that is on disk.</summary>
        Completing,

        /// <summary>The broker refused it.</summary>
        Refused,
    }

    /// <summary>Whether the broker takes no more messages now; the input waits.</summary>
    public bool IsInputPaused => _credit <= 0 || End is not null || _large is not null || _client.IsBehind;

    /// <summary>A large message goes to its file: the input waits until this has ended, then <see cref="OnFileReady"/>
    /// is called. Null: none does.</summary>
    public Task? FileReady { get; private set; }

    /// <summary>A message whose body has a file of its own.</summary>
    private sealed record LargeMessage(
        LargePublish Body, MessageHeader Header, byte Qos, ushort PacketId, string Address);

    /// <summary>The file is written: the message is published.</summary>
    public void OnFileReady()
    {
        LargeMessage large = _large!;
        _large = null;
        FileReady = null;
        Publish(large);
    }

    private void OnPublish(PublishPacket packet)
    {
        KnownTopic topic = TopicOf(packet);
        if (packet.HasSubscriptionId)
        {
            MqttException.Protocol("a client gives no subscription identifiers");
        }

        if (packet.Qos > 0 && !MayCome(packet))
        {
            return;
        }

        if (TopicNames.IsOfNode(topic.Topic))
        {
            Refuse(packet, ReasonCode.TopicNameInvalid, "the topics below $SYS are the node's own");
            return;
        }

        if (packet.Qos > 0)
        {
            _unanswered++;
        }

        Store(packet, topic);
    }

    // It is not taken. Of one that has no answer nothing is said, as of any that the broker refuses.
    private void Refuse(in PublishPacket packet, ReasonCode reason, string text)
    {
        if (packet.Qos > 0 && _version != MqttVersion.V5)
        {
            // There is no way to say that a message was not taken but to end (3.1.1 [MQTT-3.3.5-2]).
            throw new MqttException(reason, text);
        }

        if (packet.Qos > 0)
        {
            Answer(packet.Qos == 1 ? PacketType.PubAck : PacketType.PubRec, packet.PacketId, reason, text);
        }
    }

    // False: it is known already.
    private bool MayCome(in PublishPacket packet)
    {
        if (packet.Qos == 2 && _incoming?.TryGetValue(packet.PacketId, out IncomingState state) == true)
        {
            if (state == IncomingState.Stored)
            {
                Answer(PacketType.PubRec, packet.PacketId);
            }

            return false;
        }

        if (_version == MqttVersion.V5 && _unanswered >= Options.ReceiveMaximum)
        {
            throw new MqttException(ReasonCode.ReceiveMaximumExceeded, "more messages are unanswered than are taken");
        }

        return true;
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

    private void Store(in PublishPacket packet, KnownTopic topic)
    {
        var header = new MessageHeader
        {
            Durable = packet.Qos > 0,
            ExpiresAtMs = packet.MessageExpiry is { } seconds ? NowMs + Math.Max(1, seconds * 1000L) : 0,
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
        if (packet.Retain && !TryRetain(packet, _scratch.AsSpan(0, bytes), header.ExpiresAtMs, topic))
        {
            return;
        }

        var payload = new ReadOnlySequence<byte>(_scratch, 0, bytes);
        if (bytes > Options.LargeMessageBytesMin)
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
            case 2 when State is null:
                (_incoming ??= [])[packet.PacketId] = IncomingState.Storing;
                _client.Publish(_producer, header, payload, new Tag(TagKind.PubRec, packet.PacketId).Value, address);
                break;
            default:
                // The message and its identifier are on disk together, or neither is.
                (_incoming ??= [])[packet.PacketId] = IncomingState.Storing;
                Transaction transaction = Pass((int)payload.Length);
                ulong tag = new Tag(TagKind.Staged, packet.PacketId).Value;
                _client.Publish(_producer, header, payload, tag, address, transaction);
                State!.PutIncoming(packet.PacketId, transaction);
                _parts!.Incoming.Add(packet.PacketId);
                break;
        }
    }

    private void PublishLarge(
        in MessageHeader header, in ReadOnlySequence<byte> payload, in PublishPacket packet, string address)
    {
        var large = new LargeMessage(_client.BeginLarge(_producer), header, packet.Qos, packet.PacketId, address);
        if (packet.Qos == 2)
        {
            (_incoming ??= [])[packet.PacketId] = IncomingState.Storing;
        }

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
        bool isKept = large.Qos == 2 && State is not null;
        TagKind kind = large.Qos switch
        {
            0 => TagKind.None,
            1 => TagKind.PubAck,
            _ => isKept ? TagKind.Staged : TagKind.PubRec,
        };
        ulong tag = kind == TagKind.None ? 0 : new Tag(kind, large.PacketId).Value;
        Transaction? transaction = isKept ? Pass(0) : null;
        large.Body.Complete(large.Header, tag, large.Address, transaction);
        if (transaction is not null)
        {
            State!.PutIncoming(large.PacketId, transaction);
            _parts!.Incoming.Add(large.PacketId);
        }
    }

    /// <summary>The transaction of this pass: all that has to be on disk together with its messages. A message that
    /// would fill one begins another.</summary>
    private Transaction Pass(int bytes)
    {
        long most = Math.Min(TransactionBytesMax, _client.TransactionBytesMax / 2);
        if (_transaction is not null && _transaction.Bytes + bytes > most)
        {
            EndPass();
        }

        _parts ??= new TransactionParts();
        return _transaction ??= _client.Begin();
    }

    private void EndPass()
    {
        if (_transaction is null)
        {
            return;
        }

        (_discharging ??= []).Add(++_lastDischarge, _parts!);
        _client.Discharge(_transaction, fail: false, _lastDischarge);
        _transaction = null;
        _parts = null;
    }

    private void OnStored(ushort id, PacketType type, BrokerException? error, bool isUnrouted = false)
    {
        if (IsAwaitingRetained(id, error))
        {
            return;
        }

        _unanswered -= type == PacketType.PubAck ? 1 : 0;
        if (error is not null && _version != MqttVersion.V5)
        {
            // There is no way to say that a message was not taken but to end.
            EndWith(BrokerErrors.ToReason(error), error.Message);
            return;
        }

        if (type == PacketType.PubRec)
        {
            if (error is null)
            {
                _incoming![id] = IncomingState.Stored;
            }
            else
            {
                _incoming!.Remove(id);
                _unanswered--;
            }
        }

        ReasonCode good = isUnrouted ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success;
        Answer(type, id, error is null ? good : BrokerErrors.ToReason(error), error?.Message);
    }

    private void OnPubRel(AckPacket packet)
    {
        ushort id = packet.PacketId;
        if (_incoming is null || !_incoming.TryGetValue(id, out IncomingState state))
        {
            Answer(PacketType.PubComp, id, ReasonCode.PacketIdentifierNotFound);
            return;
        }

        if (state != IncomingState.Stored)
        {
            return;
        }

        if (State is null)
        {
            Complete(id);
            return;
        }

        _incoming[id] = IncomingState.Completing;
        if (!State.Remove(StateKind.Incoming, id, new Tag(TagKind.PubComp, id).Value))
        {
            Complete(id);
        }
    }

    private void Complete(ushort id)
    {
        _incoming!.Remove(id);
        _unanswered--;
        Answer(PacketType.PubComp, id);
    }
}
