using System.Diagnostics.CodeAnalysis;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <content>Messages to the client (MQTT 5.0 §3.3.4, §4.3, §4.9).</content>
internal sealed partial class MqttSession
{
    private readonly SentAliases _aliases;
    private readonly OutgoingWindow _window;
    private Queue<Delivery>? _pending;
    private LoadedMessage? _loaded;
    private bool _isBlocked;
    private bool _awaitsDisk;
    private bool _needsRead;
    private int _owed;

    /// <summary>How an attempt to send went.</summary>
    private enum SendResult
    {
        Done,

        /// <summary>It waits for answers of the client, or for the disk.</summary>
        Blocked,

        /// <summary>It is to be read from disk first.</summary>
        NeedsRead,
    }

    private bool CanWrite => !_isBlocked && !_needsRead && _pending is { Count: > 0 };

    /// <summary>A message that has to be read from disk before the next can be sent.</summary>
    public bool TryTakeRead(out Delivery delivery, out bool isState)
    {
        isState = State?.TryPeekUnread(out delivery) == true;
        if (isState)
        {
            return State!.TryPeekUnread(out delivery);
        }

        delivery = default;
        return _needsRead && _pending!.TryPeek(out delivery);
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
        _loaded = _needsRead ? message : null;
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
        Delivery delivery = _pending!.Dequeue();
        Owe(delivery.Consumer);
        if (fault is ConversionException)
        {
            _client.Settle(delivery, new Outcome(OutcomeKind.Rejected, Reason: fault.Message));
        }
        else
        {
            _client.Quarantine(delivery, fault.Message);
        }
    }

    private bool WriteDeliveries(long outputLimit)
    {
        bool wrote = false;
        while (CanWrite && _output.BytesWritten < outputLimit)
        {
            SendResult result = TrySend(_pending!.Peek());
            _isBlocked = result == SendResult.Blocked;
            _needsRead = result == SendResult.NeedsRead;
            if (result == SendResult.Done)
            {
                _pending.Dequeue();
                wrote = true;
            }
        }

        return wrote;
    }

    private SendResult TrySend(in Delivery delivery)
    {
        if (_loaded is { } loaded)
        {
            SendResult sent = TrySend(delivery, loaded.Header, loaded.Publisher, loaded.Payload.Span);
            _loaded = sent == SendResult.Blocked ? loaded : null;
            return sent;
        }

        if (delivery.Large || !_client.TryRead(delivery, out MessageLease lease))
        {
            return SendResult.NeedsRead;
        }

        using (lease)
        {
            return TrySend(delivery, lease.Header, lease.Publisher, lease.Payload.Span);
        }
    }

    private SendResult TrySend(
        in Delivery delivery, in MessageHeader header, ulong publisher, ReadOnlySpan<byte> payload)
    {
        if (header.Format != PayloadFormat.Mqtt || !MqttMessageMap.TryRead(payload, out MqttMessageMap message)
            || !TryMatch(delivery, message, publisher, out OutgoingPublish outgoing)
            || !TryExpire(header, ref outgoing))
        {
            Settle(delivery);
            return SendResult.Done;
        }

        if (outgoing.Qos == 2 && State is not null && delivery.Consumer.Tag is Subscription { Group: not null } shared)
        {
            return TryTakeOver(delivery, shared, header, outgoing);
        }

        ushort id = 0;
        if (outgoing.Qos > 0)
        {
            id = OutgoingWindow.IdOf(delivery);
            if (_window.IsFull || !_window.IsFree(id) || (outgoing.Qos == 2 && !IsKept(delivery, id)))
            {
                return SendResult.Blocked;
            }
        }

        outgoing.PacketId = id;
        outgoing.Dup = id != 0 && _sentBefore?.Contains(id) == true;
        if (!outgoing.TryWrite(_output, _version, _aliases, _connect.MaximumPacketSize))
        {
            // Larger than the client takes: to it the message does not exist (§3.1.2.11.4).
            Settle(delivery);
            return SendResult.Done;
        }

        if (id == 0)
        {
            Settle(delivery);
        }
        else
        {
            _window.Set(
                id, new Outgoing { Delivery = delivery, Qos = (byte)outgoing.Qos, IsTaken = message.IsTaken });
        }

        return SendResult.Done;
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
            ? new Match(shared.Options.Qos, shared.Options.RetainAsPublished, shared.Id == 0 ? [] : [shared.Id])
            : _subscriptions.Find(message.Topic, isOwn);
        outgoing.Qos = Math.Min(match.Qos, message.Qos);
        if (State is not null && !delivery.Durable && !delivery.IsRecord)
        {
            // What the node itself may forget is not sent exactly once: see IsKept.
            outgoing.Qos = Math.Min(outgoing.Qos, (byte)1);
        }

        outgoing.Retain &= match.RetainAsPublished;
        outgoing.SubscriptionIds = match.Ids;
        return !match.IsNone;
    }

    // The client remembers the identifier until it is released. Were the message lost in a crash, then another one that
    // comes to bear the identifier would be taken for it, and dropped.
    private bool IsKept(in Delivery delivery, ushort id)
    {
        _awaitsDisk = State is not null
            && (_awaitsDisk || !_client.IsOnDisk(delivery, new Tag(TagKind.Send, id).Value));
        return !_awaitsDisk;
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
            Answer(PacketType.PubRel, id, ReasonCode.PacketIdentifierNotFound);
            return;
        }

        if (outgoing.State != OutgoingState.Sent)
        {
            if (outgoing.State == OutgoingState.Released)
            {
                Answer(PacketType.PubRel, id);
            }

            return;
        }

        if ((int)packet.Reason >= 0x80)
        {
            Finish(id);
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

        // The message is gone and its identifier is kept, together: it is never sent anew under it.
        var transaction = Pass();
        _client.Settle(outgoing.Delivery, Outcome.Accepted, 0, transaction);
        State.Put(StateKind.Released, id, transaction);
        _parts!.Add(new TransactionPart(PacketType.PubRel, id, null));
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
            Answer(PacketType.PubRel, id);
        }
    }

    private void OnPubComp(ushort id, Outgoing outgoing)
    {
        outgoing.State = OutgoingState.Completing;
        _window.Set(id, outgoing);
        if (State?.Remove(StateKind.Released, id, new Tag(TagKind.Free, id).Value) != true)
        {
            Free(id);
        }
    }

    private void Free(ushort id)
    {
        _window.Remove(id, out _);
        _isBlocked = false;
    }

    private void Finish(ushort id)
    {
        if (_window.Remove(id, out Outgoing outgoing))
        {
            _client.Settle(outgoing.Delivery, Outcome.Accepted);
            Owe(outgoing);
            _isBlocked = false;
        }
    }
}
