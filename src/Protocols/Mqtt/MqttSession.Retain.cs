using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <content>Retained messages (MQTT 5.0 §3.3.1.3, §3.8.3.1).</content>
internal sealed partial class MqttSession : IRetainWaiter
{
    private ConcurrentQueue<(ulong Tag, BrokerException? Error)>? _retainedDone;
    private Dictionary<ushort, int>? _retaining;
    private Queue<RetainedSending>? _sendings;
    private Producer? _ownProducer;
    private int _ownCredit;

    /// <summary>Whether retained messages of the client are on disk, and it has not been told. Any thread.</summary>
    public bool HasRetained => _retainedDone is { IsEmpty: false };

    private bool CanWriteRetained => _sendings is { Count: > 0 } && (_ownProducer is null || _ownCredit > 0);

    /// <inheritdoc/>
    void IRetainWaiter.OnRetained(ulong tag, BrokerException? error)
    {
        _retainedDone!.Enqueue((tag, error));
        _connection.Wake();
    }

    // False: there is no room for it; the client has been told.
    private bool TryRetain(in PublishPacket packet, ReadOnlySpan<byte> stored, long expiresAtMs, KnownTopic topic)
    {
        string text = Encoding.UTF8.GetString(topic.Topic);
        var message = new RetainedMessage(text, stored.ToArray(), expiresAtMs, _client.PublisherHash);
        if (!MaySend(topic.Address))
        {
            // The publish is refused for the same reason, and answered.
            return true;
        }

        bool isAwaited = packet.Qos > 0;
        if (isAwaited)
        {
            _retainedDone ??= new ConcurrentQueue<(ulong, BrokerException?)>();
            (_retaining ??= [])[packet.PacketId] = 2;
        }

        TagKind kind = packet.Qos == 1 ? TagKind.PubAck : TagKind.PubRec;
        if (_retained.Set(message, isAwaited ? this : null, new Tag(kind, packet.PacketId).Value))
        {
            return true;
        }

        if (isAwaited)
        {
            _retaining!.Remove(packet.PacketId);
            _unanswered--;
        }

        Refuse(packet, ReasonCode.QuotaExceeded, "no more retained messages are taken");
        return false;
    }

    private bool MaySend(string address) => _environment.Broker.Authorizer.IsAllowed(
        _client.Info.Identity, Broker.Security.Permission.Send, _client.Info.AddressSpace,
        new AddressName(address, null));

    private void HearRetained()
    {
        while (_retainedDone is not null && _retainedDone.TryDequeue(out (ulong Tag, BrokerException? Error) done))
        {
            Tag tag = Tag.From(done.Tag);
            OnStored(
                (ushort)tag.Number, tag.Kind == TagKind.PubAck ? PacketType.PubAck : PacketType.PubRec, done.Error);
        }
    }

    // A message that is retained is answered when it is on disk both times.
    private bool IsAwaitingRetained(ushort id, BrokerException? error)
    {
        if (_retaining is null || !_retaining.TryGetValue(id, out int awaited))
        {
            return false;
        }

        if (awaited > 1 && error is null)
        {
            _retaining[id] = awaited - 1;
            return true;
        }

        _retaining.Remove(id);
        return false;
    }

    private void SendRetained(Subscription subscription, bool isNew)
    {
        int handling = subscription.Options.RetainHandling;
        if (subscription.Group is null && (handling == 0 || (handling == 1 && isNew)))
        {
            (_sendings ??= new Queue<RetainedSending>()).Enqueue(
                new RetainedSending(subscription, _retained.Match(subscription.Filter)));
        }
    }

    private bool WriteRetained(long outputLimit)
    {
        bool wrote = false;
        int steps = Options.RetainedStepsPerPass;
        while (CanWriteRetained && steps > 0 && _output.BytesWritten < outputLimit)
        {
            RetainedSending sending = _sendings!.Peek();
            if (sending.Cursor.Next(ref steps) is { } message)
            {
                wrote |= Send(message, sending.Subscription);
            }
            else if (sending.Cursor.AtEnd)
            {
                _sendings.Dequeue();
            }
        }

        return wrote;
    }

    private bool Send(RetainedMessage message, Subscription subscription)
    {
        bool isOwn = message.Publisher == _client.PublisherHash;
        if (message.IsExpired(NowMs) || (isOwn && subscription.Options.NoLocal)
            || !MqttMessageMap.TryRead(message.Stored, out MqttMessageMap stored))
        {
            return false;
        }

        int qos = Math.Min(stored.Qos, subscription.Options.Qos);
        if (qos > 0)
        {
            SendByQueue(message, stored, subscription, (byte)qos);
            return true;
        }

        var outgoing = new OutgoingPublish
        {
            Message = stored,
            Retain = true,
            MessageExpiry = message.ExpiresAtMs == 0 ? 0 : (uint)((message.ExpiresAtMs - NowMs + 999) / 1000),
            SubscriptionIds = subscription.Id == 0 ? [] : [subscription.Id],
        };
        return outgoing.TryWrite(_output, _version, _aliases, _connect.MaximumPacketSize);
    }

    // With an answer due it waits in the session's queue like any other message.
    private void SendByQueue(RetainedMessage message, MqttMessageMap stored, Subscription subscription, byte qos)
    {
        var copy = new MqttMessageMap
        {
            Qos = qos,
            Retain = true,
            IsAsItIs = true,
            Topic = stored.Topic,
            Properties = PropertiesFor(stored, subscription),
            Payload = stored.Payload,
        };
        PublishToOwn(copy, message.ExpiresAtMs, null);
    }

    private static ReadOnlySpan<byte> PropertiesFor(in MqttMessageMap stored, Subscription subscription)
    {
        var properties = new PropertyWriter();
        properties.AddEncoded(stored.Properties);
        if (subscription.Id != 0)
        {
            properties.Add(PropertyId.SubscriptionIdentifier, (uint)subscription.Id);
        }

        return properties.Written;
    }

    // What the session's own queue does not take is told.
    private BrokerException? PublishToOwn(in MqttMessageMap copy, long expiresAtMs, Transaction? transaction)
    {
        _ownProducer ??= _client.OpenProducer(
            new ProducerOptions { Address = $"{SessionNames.Address}::{_queues.Queue}" });
        byte[] bytes = new byte[copy.Bytes];
        copy.Write(bytes);
        var header = new MessageHeader
        {
            Durable = true,
            ExpiresAtMs = expiresAtMs,
            Format = PayloadFormat.Mqtt,
        };
        _ownCredit--;
        return _client.Publish(
            _ownProducer, header, new ReadOnlySequence<byte>(bytes), 0, to: null, transaction);
    }

    /// <summary>Retained messages on their way to a new subscription.</summary>
    private sealed record RetainedSending(Subscription Subscription, RetainedTree.Cursor Cursor);
}
