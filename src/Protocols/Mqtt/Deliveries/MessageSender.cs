using System.Diagnostics.CodeAnalysis;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;

namespace Pillarbox.Protocols.Mqtt.Deliveries;

/// <summary>Messages to a client in their order (MQTT 5.0 §3.3.4, §4.6): what its subscriptions make of each, whether
/// it may go now, and when not, what it waits for. Owned by the connection.</summary>
internal sealed class MessageSender(
    SessionQueues queues, SubscriptionTable subscriptions, OutgoingWindow window, OutgoingAnswers answers,
    SharedTakeOver takeOver, ClientOutput output)
{
    private readonly BrokerClient _client = queues.Client;
    private readonly SessionState? _state = queues.State;
    private readonly OutgoingIdentifiers _identifiers = new(queues.State, window);
    private readonly AwaitedRead _read = new();
    private Queue<Delivery>? _pending;
    private IReadOnlySet<ushort>? _sentBefore;

    // What an earlier connection has kept may be on its way to the disk still.
    private bool _isResuming;

    /// <summary>Whether there is one that may be tried now.</summary>
    public bool CanWrite => !_read.IsAwaited && !_isResuming
        && (_identifiers.IsNextStored || (!window.IsBlocked && _pending is { Count: > 0 }));

    /// <summary>The broker hands one over.</summary>
    public void Add(in Delivery delivery) => (_pending ??= new Queue<Delivery>()).Enqueue(delivery);

    /// <summary>Writes some, while the total of bytes written is below a limit; false: there was none.</summary>
    public bool Write(long outputLimit, long nowMs)
    {
        bool wrote = false;
        while (CanWrite && output.BytesWritten < outputLimit)
        {
            bool isStored = _identifiers.IsNextStored;
            Delivery next = isStored ? _identifiers.NextStored : _pending!.Peek();
            SendResult result = TrySend(next, isStored, nowMs);
            if (result == SendResult.NeedsRead)
            {
                _read.Await(next, isStored);
            }
            else if (result == SendResult.Blocked)
            {
                window.IsBlocked = true;
            }
            else
            {
                Take(isStored);
                wrote = true;
            }
        }

        return wrote;
    }

    /// <summary>The message that has to be read from disk before the next can be sent.</summary>
    public bool TryTakeRead(out Delivery delivery)
    {
        delivery = _read.Delivery;
        return _read.IsAwaited;
    }

    /// <summary>What was read.</summary>
    public void OnRead(in Delivery delivery, LoadedMessage message) => _read.OnRead(delivery, message);

    /// <summary>It is damaged, or cannot be had as an MQTT message.</summary>
    public void OnReadFailed(in Delivery delivery, Exception fault)
    {
        if (_read.OnFailed(delivery))
        {
            Take(_read.IsStored);
            answers.GiveUp(delivery, fault);
        }
    }

    /// <summary>It is on disk which message an identifier stands for.</summary>
    public void OnKept(ushort id) => _identifiers.OnKept(id);

    /// <summary>The client leaves a group: what it was sent once and did not answer ends.</summary>
    public void EndUnanswered(Subscription shared) => answers.EndUnanswered(shared);

    /// <summary>What a consumer that is closed had got went back to its queue; its identifiers need not be stored any
    /// more.</summary>
    public void Forget(Consumer consumer)
    {
        foreach (ushort id in _identifiers.Forget(consumer))
        {
            answers.ReleaseUnsent(id);
        }

        if (_pending is { Count: > 0 })
        {
            _pending = new Queue<Delivery>(_pending.Where(one => !ReferenceEquals(one.Consumer, consumer)));
        }

        _read.Forget();
        window.IsBlocked = false;
    }

    /// <summary>What an earlier connection of the client had sent without an answer bears DUP (§3.3.1.1).</summary>
    public void Resume(IReadOnlySet<ushort>? sentBefore) => _sentBefore = sentBefore;

    /// <summary>What an earlier connection has kept of QoS 2 is sent again, or released where the message is gone.
    /// </summary>
    public void ResumeKept()
    {
        (ushort PacketId, MessageKey Message)[] sent = [.. _state!.Sent];
        if (sent.Length == 0)
        {
            return;
        }

        _isResuming = true;
        _client.AwaitDisk(new Tag(TagKind.Resumed, 0).Value);
        foreach ((ushort id, _) in sent.Where(one => one.Message == default))
        {
            answers.OnGone(id);
        }

        _client.AwaitGone(
            queues.Queue,
            sent.Where(one => one.Message != default)
                .Select(one => (one.Message, new Tag(TagKind.Gone, one.PacketId).Value)));
    }

    /// <summary>What an earlier connection has kept is on disk: messages may flow.</summary>
    public void OnResumed() => _isResuming = false;

    private void Take(bool isStored)
    {
        if (isStored)
        {
            _identifiers.TakeStored();
        }
        else
        {
            _pending!.Dequeue();
        }
    }

    private SendResult TrySend(in Delivery delivery, bool isStored, long nowMs)
    {
        if (_read.Of(delivery) is { } loaded)
        {
            SendResult sent = TrySend(
                delivery, isStored, nowMs, loaded.Header, loaded.Publisher, loaded.Payload.Span);
            if (sent == SendResult.Done)
            {
                _read.OnSent();
            }

            return sent;
        }

        if (delivery.Large || !_client.TryRead(delivery, out MessageLease lease))
        {
            return SendResult.NeedsRead;
        }

        using (lease)
        {
            return TrySend(delivery, isStored, nowMs, lease.Header, lease.Publisher, lease.Payload.Span);
        }
    }

    private SendResult TrySend(
        in Delivery delivery, bool isStored, long nowMs, in MessageHeader header, ulong publisher,
        ReadOnlySpan<byte> payload)
    {
        bool isBegun = _identifiers.IsBegun(delivery);
        if (header.Format != PayloadFormat.Mqtt || !MqttMessageMap.TryRead(payload, out MqttMessageMap message))
        {
            answers.Drop(delivery);
            return SendResult.Done;
        }

        // What has begun goes on, also without the subscription (§3.10.4), and does not expire (§4.3.3).
        bool isWanted = TryMatch(delivery, message, publisher, out OutgoingPublish outgoing)
            && TryExpire(header, nowMs, ref outgoing);
        if (!isWanted && !isBegun)
        {
            answers.Drop(delivery);
            return SendResult.Done;
        }

        outgoing.Qos = isBegun || isStored ? 2 : outgoing.Qos;
        if (outgoing.Qos == 2 && !isBegun && !isStored && !output.Fits(outgoing))
        {
            // To the client it does not exist (§3.1.2.11.4): no identifier is kept for it, and none is released.
            answers.Drop(delivery);
            return SendResult.Done;
        }

        if (outgoing.Qos == 2 && _state is not null
            && delivery.Consumer.Tag is Subscription { Group: not null } shared)
        {
            return takeOver.TryTake(delivery, shared, header, outgoing);
        }

        SendResult result = _identifiers.Choose(delivery, isStored, outgoing.Qos, out outgoing.PacketId);
        if (result == SendResult.Done)
        {
            outgoing.Dup = isBegun || (outgoing.Qos == 1 && _sentBefore?.Contains(outgoing.PacketId) == true);
            Send(delivery, outgoing);
        }

        return result;
    }

    private void Send(in Delivery delivery, in OutgoingPublish outgoing)
    {
        if (!output.TryPublish(outgoing))
        {
            // Larger than the client takes: to it the message does not exist (§3.1.2.11.4).
            answers.Drop(delivery);
        }
        else if (outgoing.Qos == 0)
        {
            answers.Settle(delivery);
        }
        else
        {
            answers.Await(delivery, outgoing);
        }
    }

    private bool TryMatch(
        in Delivery delivery, MqttMessageMap message, ulong publisher,
        [UnscopedRef] out OutgoingPublish outgoing)
    {
        outgoing = new OutgoingPublish { Message = message, Qos = message.Qos, Retain = message.Retain };
        if (message.IsAsItIs)
        {
            return true;
        }

        bool isOwn = publisher == _client.PublisherHash;
        Match match = delivery.Consumer.Tag is Subscription shared
            ? shared.MatchOf(message.Topic)
            : subscriptions.Find(message.Topic, isOwn);
        outgoing.Qos = Math.Min(match.Qos, message.Qos);
        if (_state is not null && !delivery.Durable && !delivery.IsRecord)
        {
            // What the node itself may forget is not sent exactly once.
            outgoing.Qos = Math.Min(outgoing.Qos, (byte)1);
        }

        outgoing.Retain &= match.RetainAsPublished;
        outgoing.SubscriptionIds = match.Ids;
        return !match.IsNone;
    }

    private static bool TryExpire(in MessageHeader header, long nowMs, ref OutgoingPublish outgoing)
    {
        if (header.ExpiresAtMs == 0)
        {
            return true;
        }

        long left = header.ExpiresAtMs - nowMs;
        outgoing.MessageExpiry = (uint)Math.Max(1, (left + 999) / 1000);
        return left > 0;
    }
}
