using System.Diagnostics.CodeAnalysis;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <content>Messages to the client (MQTT 5.0 §3.3.4, §4.3, §4.9).</content>
internal sealed partial class MqttSession
{
    private readonly OutgoingWindow _window;
    private Queue<Delivery>? _pending;
    private LoadedMessage? _loaded;
    private MessageKey _loadedKey;
    private Delivery _toRead;
    private bool _isBlocked;
    private bool _needsRead;
    private bool _isStoredRead;
    private int _owed;

    /// <summary>How an attempt to send went.</summary>
    private enum SendResult
    {
        Done,

        /// <summary>It waits for answers of the client, or for those before it.</summary>
        Blocked,

        /// <summary>It is sent when its identifier is on disk; the next can be looked at.</summary>
        Storing,

        /// <summary>It is to be read from disk first.</summary>
        NeedsRead,
    }

    private bool CanWrite =>
        !_needsRead && !_isResuming && (IsNextStored || (!_isBlocked && _pending is { Count: > 0 }));

    /// <summary>A message that has to be read from disk before the next can be sent.</summary>
    public bool TryTakeRead(out Delivery delivery, out bool isState)
    {
        isState = State?.TryPeekUnread(out delivery) == true;
        if (isState)
        {
            return State!.TryPeekUnread(out delivery);
        }

        delivery = _toRead;
        return _needsRead;
    }

    /// <summary>Reads a message whole, from its file if need be. Throws <see cref="Storage.DamagedRecordException"/>.
    /// </summary>
    public Task<LoadedMessage> ReadAsync(Delivery delivery, CancellationToken cancellation) =>
        LoadedMessage.ReadAsync(_client, delivery, cancellation);

    /// <summary>What was read.</summary>
    public void OnRead(bool isState, LoadedMessage message)
    {
        if (isState)
        {
            State!.OnRead(message.Payload.ToArray());
            return;
        }

        // Its subscription may have gone meanwhile, and it with that.
        (_loaded, _loadedKey) = _needsRead ? (message, KeyOf(_toRead)) : (null, default);
        _needsRead = false;
    }

    /// <summary>It is damaged, or cannot be had as an MQTT message.</summary>
    public void OnReadFailed(bool isState, Exception fault)
    {
        if (isState)
        {
            State!.OnRead(null);
            return;
        }

        if (!_needsRead)
        {
            return;
        }

        _needsRead = false;
        Delivery delivery = _toRead;
        Take(_isStoredRead);
        Owe(delivery.Consumer);
        if (fault is ConversionException)
        {
            _client.Settle(delivery, new Outcome(OutcomeKind.Rejected, Reason: fault.Message));
        }
        else
        {
            _client.Quarantine(delivery, fault.Message);
        }

        if (State?.TryGetSent(KeyOf(delivery), out ushort id) == true)
        {
            ReleaseUnsent(id);
        }
    }

    private bool WriteDeliveries(long outputLimit)
    {
        bool wrote = false;
        while (CanWrite && _output.BytesWritten < outputLimit)
        {
            bool isStored = IsNextStored;
            Delivery next = isStored ? _storing!.Peek().Delivery : _pending!.Peek();
            SendResult result = TrySend(next, isStored);
            if (result == SendResult.NeedsRead)
            {
                (_toRead, _isStoredRead, _needsRead) = (next, isStored, true);
            }
            else if (result == SendResult.Blocked)
            {
                _isBlocked = true;
            }
            else
            {
                Take(isStored);
                wrote = true;
            }
        }

        return wrote;
    }

    private void Take(bool isStored)
    {
        if (isStored)
        {
            _storing!.Dequeue();
            Unblock();
        }
        else
        {
            _pending!.Dequeue();
        }
    }

    private void Unblock() => _isBlocked = false;

    private SendResult TrySend(in Delivery delivery, bool isStored)
    {
        if (_loaded is { } loaded && _loadedKey == KeyOf(delivery))
        {
            SendResult sent = TrySend(delivery, isStored, loaded.Header, loaded.Publisher, loaded.Payload.Span);
            _loaded = sent == SendResult.Done ? null : loaded;
            return sent;
        }

        if (delivery.Large || !_client.TryRead(delivery, out MessageLease lease))
        {
            return SendResult.NeedsRead;
        }

        using (lease)
        {
            return TrySend(delivery, isStored, lease.Header, lease.Publisher, lease.Payload.Span);
        }
    }

    private SendResult TrySend(
        in Delivery delivery, bool isStored, in MessageHeader header, ulong publisher, ReadOnlySpan<byte> payload)
    {
        bool isBegun = IsBegun(delivery);
        if (header.Format != PayloadFormat.Mqtt || !MqttMessageMap.TryRead(payload, out MqttMessageMap message))
        {
            Drop(delivery, isTaken: false);
            return SendResult.Done;
        }

        // What has begun goes on, also without the subscription (§3.10.4), and does not expire (§4.3.3).
        bool isWanted = TryMatch(delivery, message, publisher, out OutgoingPublish outgoing)
            && TryExpire(header, ref outgoing);
        if (!isWanted && !isBegun)
        {
            Drop(delivery, message.IsTaken);
            return SendResult.Done;
        }

        outgoing.Qos = isBegun || isStored ? 2 : outgoing.Qos;
        if (outgoing.Qos == 2 && State is not null && delivery.Consumer.Tag is Subscription { Group: not null } shared)
        {
            return TryTakeOver(delivery, shared, header, outgoing);
        }

        SendResult result = ChooseId(delivery, isStored, outgoing.Qos, out outgoing.PacketId);
        if (result == SendResult.Done)
        {
            outgoing.Dup = isBegun || (outgoing.Qos == 1 && _sentBefore?.Contains(outgoing.PacketId) == true);
            Send(delivery, outgoing);
        }

        return result;
    }

    // Done: it may be sent now.
    private SendResult ChooseId(in Delivery delivery, bool isStored, int qos, out ushort id)
    {
        if (qos == 2 && State is not null)
        {
            return Identify(delivery, isStored, out id);
        }

        id = 0;
        if (IsStoring)
        {
            return SendResult.Blocked;
        }

        if (qos == 0)
        {
            return SendResult.Done;
        }

        id = _window.IdOf(delivery);
        if (_window.IsFree(id) && State?.IsSent(id) == true)
        {
            id = _window.FreeFrom(id, State);
        }

        return id == 0 || _window.IsFull || !_window.IsFree(id) ? SendResult.Blocked : SendResult.Done;
    }

    private void Send(in Delivery delivery, in OutgoingPublish outgoing)
    {
        if (!_output.TryPublish(outgoing))
        {
            // Larger than the client takes: to it the message does not exist (§3.1.2.11.4).
            Drop(delivery, outgoing.Message.IsTaken);
        }
        else if (outgoing.Qos == 0)
        {
            Settle(delivery);
        }
        else
        {
            _window.Set(outgoing.PacketId, new Outgoing
            {
                Delivery = delivery,
                Qos = (byte)outgoing.Qos,
                State = OutgoingState.Sent,
                IsTaken = outgoing.Message.IsTaken,
            });
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
            : _subscriptions.Find(message.Topic, isOwn);
        outgoing.Qos = Math.Min(match.Qos, message.Qos);
        if (State is not null && !delivery.Durable && !delivery.IsRecord)
        {
            // What the node itself may forget is not sent exactly once.
            outgoing.Qos = Math.Min(outgoing.Qos, (byte)1);
        }

        outgoing.Retain &= match.RetainAsPublished;
        outgoing.SubscriptionIds = match.Ids;
        return !match.IsNone;
    }

    private bool TryExpire(in MessageHeader header, ref OutgoingPublish outgoing)
    {
        if (header.ExpiresAtMs == 0)
        {
            return true;
        }

        long left = header.ExpiresAtMs - NowMs;
        outgoing.MessageExpiry = (uint)Math.Max(1, (left + 999) / 1000);
        return left > 0;
    }

    private void Settle(in Delivery delivery)
    {
        _client.Settle(delivery, Outcome.Accepted);
        Owe(delivery.Consumer);
    }

    private void Owe(Consumer consumer)
    {
        if (ReferenceEquals(consumer, _consumer))
        {
            _owed++;
        }
        else
        {
            _client.Grant(consumer, 1);
        }
    }

    private void Owe(in Outgoing outgoing)
    {
        Owe(outgoing.Delivery.Consumer);
        if (outgoing.IsTaken && _takenFrom?.TryDequeue(out Consumer? shared) == true)
        {
            _client.Grant(shared, 1);
        }
    }

    // Those of QoS 1 that are sent and not answered.
    private ushort[] SentOnce() =>
        [.. _window.Ids.Where(id => _window.TryGet(id, out Outgoing outgoing) && outgoing.Qos == 1)];

    private void GrantOwed()
    {
        if (_owed > 0)
        {
            _client.Grant(_consumer, _owed);
            _owed = 0;
        }
    }

    private void OnAnswer(AckPacket packet)
    {
        bool isKnown = _window.TryGet(packet.PacketId, out Outgoing outgoing);
        switch (packet.Type)
        {
            case PacketType.PubAck when isKnown && outgoing.Qos == 1:
                Finish(packet.PacketId);
                break;
            case PacketType.PubRec:
                OnPubRec(packet, isKnown, outgoing);
                break;
            case PacketType.PubComp when isKnown && outgoing.State == OutgoingState.Released:
                OnPubComp(packet.PacketId, outgoing);
                break;
        }
    }

    private void OnPubRec(AckPacket packet, bool isKnown, Outgoing outgoing)
    {
        ushort id = packet.PacketId;
        if (!isKnown || outgoing.Qos != 2)
        {
            _output.Answer(PacketType.PubRel, id, ReasonCode.PacketIdentifierNotFound);
            return;
        }

        if (outgoing.State != OutgoingState.Sent)
        {
            if (outgoing.State == OutgoingState.Released)
            {
                _output.Answer(PacketType.PubRel, id);
            }

            return;
        }

        if ((int)packet.Reason >= 0x80)
        {
            Finish(id);
            State?.Remove(StateKind.Sent, id, 0);
            return;
        }

        outgoing.State = OutgoingState.Releasing;
        _window.Set(id, outgoing);
        if (State is null)
        {
            _client.Settle(outgoing.Delivery, Outcome.Accepted);
            OnReleased(id);
            return;
        }

        // Once it is on disk that the message is gone, it is never sent again under the identifier, which is kept.
        _client.Settle(outgoing.Delivery, Outcome.Accepted, new Tag(TagKind.Release, id).Value);
    }

    // It is on disk that the client has the message.
    private void OnReleased(ushort id)
    {
        if (_window.TryGet(id, out Outgoing outgoing))
        {
            Owe(outgoing);
            Release(id);
        }
    }

    private void Release(ushort id)
    {
        if (_window.TryGet(id, out Outgoing outgoing))
        {
            outgoing.State = OutgoingState.Released;
            _window.Set(id, outgoing);
            _output.Answer(PacketType.PubRel, id);
        }
    }

    private void OnPubComp(ushort id, Outgoing outgoing)
    {
        outgoing.State = OutgoingState.Completing;
        _window.Set(id, outgoing);
        if (State?.Remove(StateKind.Sent, id, new Tag(TagKind.Free, id).Value) != true)
        {
            Free(id);
        }
    }

    private void Free(ushort id)
    {
        _window.Remove(id, out _);
        Unblock();
    }

    private void Finish(ushort id)
    {
        if (_window.Remove(id, out Outgoing outgoing))
        {
            _client.Settle(outgoing.Delivery, Outcome.Accepted);
            Owe(outgoing);
            Unblock();
        }
    }
}
