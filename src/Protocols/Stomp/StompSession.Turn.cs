using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <content>The second half of a pass: what the broker tells, what is owed to the peer, messages out.</content>
internal sealed partial class StompSession
{
    // Rounds of "hear the broker, write, tell the broker" in one pass; a further one only when the last brought
    // something.
    private const int RoundsMax = 8;

    // Messages that one subscription may write before the next one has its turn.
    private const int MessagesPerTurn = 64;

    private readonly Queue<StompSubscription> _ready = new();
    private readonly Queue<StompSubscription> _reads = new();
    private readonly List<StompSubscription> _flushing = [];
    private LargeMessage? _outgoing;
    private ByteBuilder _head;
    private bool _needsPiece;
    private bool _isGoodbye;

    /// <summary>A large message is under way, which needs its next piece from disk.</summary>
    public LargeMessage? PieceToRead => _needsPiece ? _outgoing : null;

    /// <summary>
    /// Hears the broker and writes what is due. <paramref name="outputLimit"/>: messages are written only while the
    /// total of bytes written is below it. True: there is more to do, at once or when the output has room.
    /// </summary>
    public bool Turn(long outputLimit)
    {
        if (_client is null)
        {
            return false;
        }

        for (int round = 0; round < RoundsMax; round++)
        {
            _client.Flush();
            _client.DrainInbox(this);
            bool wrote = State is (SessionState.Connected or SessionState.Disconnecting) && WriteMessages(outputLimit);
            if (!wrote && !_client.HasEvents)
            {
                break;
            }
        }

        _client.Flush();
        FinishDisconnect();
        return State != SessionState.Ended
            && (_client.HasEvents || (State == SessionState.Connected && _outgoing is null && _ready.Count > 0)
                || _outgoing is { Piece.IsEmpty: false });
    }

    /// <summary>A subscription whose oldest message must come from disk; the loop starts one read at a time.</summary>
    public bool TryTakeRead(out StompSubscription subscription) => _reads.TryDequeue(out subscription!);

    /// <summary>The read is done.</summary>
    public void OnRead(StompSubscription subscription, in MessageLease lease)
    {
        subscription.IsReading = false;
        if (subscription.IsOver)
        {
            lease.Large?.Dispose();
            lease.Dispose();
            return;
        }

        subscription.ReadAhead = lease;
        Enqueue(subscription);
    }

    /// <summary>The message cannot be had: it is damaged, or (<paramref name="isWhole"/>) only not as STOMP.</summary>
    public void OnReadFailed(StompSubscription subscription, string reason, bool isWhole)
    {
        subscription.IsReading = false;
        if (!subscription.IsOver)
        {
            Delivery delivery = subscription.Pending.Head;
            subscription.Pending.Dequeue();
            GiveUp(delivery, reason, isWhole);
            subscription.Regulate();
            Enqueue(subscription);
        }
    }

    /// <summary>A piece of the large message is there; 0 bytes: its file is damaged.</summary>
    public void OnPieceRead(int bytes)
    {
        _outgoing!.OnPieceRead(bytes);
        _needsPiece = false;
        if (bytes == 0)
        {
            AbandonOutgoing("the body's file is damaged");
        }
        else if (_outgoing.Subscription.IsOver && !_outgoing.IsBegun)
        {
            _outgoing.Dispose();
            _outgoing = null;
        }
    }

    /// <summary>What is written so far is on its way to the socket.</summary>
    public void BeginFlush()
    {
        _flushing.Clear();
        foreach (StompSubscription subscription in _subscriptions.Values)
        {
            if (subscription.AwaitsFlush)
            {
                subscription.BeginFlush();
                _flushing.Add(subscription);
            }
        }
    }

    /// <summary>The socket has taken it: messages of mode auto are consumed.</summary>
    public void EndFlush()
    {
        foreach (StompSubscription subscription in _flushing)
        {
            if (!subscription.IsOver)
            {
                subscription.EndFlush();
                Enqueue(subscription);
            }
        }

        _flushing.Clear();
    }

    /// <inheritdoc/>
    void IClientEvents.OnDelivery(in Delivery delivery)
    {
        var subscription = (StompSubscription)delivery.Consumer.Tag!;
        subscription.OnDelivery(delivery);
        Enqueue(subscription);
    }

    /// <inheritdoc/>
    void IClientEvents.OnDrained(Consumer consumer, int unusedCredit)
    {
        var subscription = (StompSubscription)consumer.Tag!;
        subscription.OnDrained(unusedCredit);
        Enqueue(subscription);
    }

    /// <inheritdoc/>
    void IClientEvents.OnConsumerClosed(Consumer consumer, BrokerException reason)
    {
        var subscription = (StompSubscription)consumer.Tag!;
        Fail($"subscription '{Shorten(subscription.Id ?? subscription.Destination)}' was ended: {reason.Message}",
            default, null);
    }

    /// <inheritdoc/>
    void IClientEvents.OnProducerClosed(Producer producer, BrokerException reason)
    {
        var target = (SendTarget)producer.Tag!;
        _targets.Remove(target);
        if (target == _needsCredit)
        {
            // The frame that waits is read again, and finds or makes its destination anew.
            _needsCredit = null;
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnCloseRequested(BrokerException reason)
    {
        _isGoodbye = true;
        Fail(reason.Message, default, null);
    }

    private void Enqueue(StompSubscription subscription)
    {
        if (!subscription.IsQueued && subscription.HasWork)
        {
            subscription.IsQueued = true;
            _ready.Enqueue(subscription);
        }
    }

    // 1.2, "DISCONNECT": its receipt says that everything before it was done.
    private void FinishDisconnect()
    {
        if (State == SessionState.Disconnecting && _lastDone == _lastTag && _settleReceipts.Count == 0
            && _discharges.Count == 0 && _outgoing is not { IsBegun: true })
        {
            if (_goodbyeReceipt is not null)
            {
                Frames.WriteReceipt(_goodbyeReceipt);
            }

            State = SessionState.Ended;
        }
    }

    private bool WriteMessages(long limit)
    {
        bool wrote = false;
        while (Frames.BytesWritten < limit)
        {
            if (_outgoing is not null)
            {
                if (!WriteOutgoing(limit))
                {
                    return wrote;
                }

                wrote = true;
                continue;
            }

            if (State != SessionState.Connected || !_ready.TryDequeue(out StompSubscription? subscription))
            {
                return wrote;
            }

            subscription.IsQueued = false;
            for (int i = 0; i < MessagesPerTurn && Frames.BytesWritten < limit && subscription.HasWork; i++)
            {
                wrote |= TryWrite(subscription);
                if (_outgoing is not null)
                {
                    break;
                }
            }

            Enqueue(subscription);
        }

        return wrote;
    }

    private bool TryWrite(StompSubscription subscription)
    {
        if (subscription.Pending.Count == 0)
        {
            subscription.OwesEnd = false;
            _head.Clear(ScratchBytesKept);
            StompMessageMap.AppendEnd(ref _head, subscription, Version);
            Frames.WriteMessage(_head.Span, default);
            return true;
        }

        Delivery delivery = subscription.Pending.Head;
        MessageLease lease;
        if (subscription.ReadAhead is { } ready)
        {
            lease = ready;
            subscription.ReadAhead = null;
        }
        else if (!Client.TryRead(delivery, out lease))
        {
            subscription.IsReading = true;
            _reads.Enqueue(subscription);
            return false;
        }

        subscription.Pending.Dequeue();
        if (lease.Large is not null)
        {
            _outgoing = new LargeMessage(subscription, delivery, lease);
            return true;
        }

        using (lease)
        {
            Write(subscription, delivery, lease);
        }

        return true;
    }

    private void Write(StompSubscription subscription, in Delivery delivery, in MessageLease lease)
    {
        ReadOnlySpan<byte> payload = lease.Payload.Span;
        int bodyAt = StompMessageMap.BodyAt(payload);
        if (bodyAt < 0)
        {
            GiveUp(delivery, "its payload is no STOMP message", isWhole: false);
            return;
        }

        _head.Clear(ScratchBytesKept);
        ReadOnlySpan<byte> body = payload[bodyAt..];
        StompMessageMap.AppendHead(ref _head, subscription, delivery, lease, payload, body.Length, Version);
        subscription.Held.Add(delivery);
        Frames.WriteMessage(_head.Span, body);
    }

    // False: nothing can be written of it now.
    private bool WriteOutgoing(long limit)
    {
        LargeMessage outgoing = _outgoing!;
        if (outgoing.IsReading)
        {
            return false;
        }

        if (outgoing.Piece.IsEmpty)
        {
            if (outgoing is { IsBegun: true, IsRead: true })
            {
                EndOutgoing();
                return true;
            }

            _needsPiece = true;
            return false;
        }

        if (!outgoing.IsBegun)
        {
            BeginOutgoing(outgoing);
            return true;
        }

        int count = (int)Math.Min(outgoing.Piece.Length, Math.Max(1, limit - Frames.BytesWritten));
        Frames.WritePiece(outgoing.Piece.Span[..count]);
        outgoing.Written(count);
        return true;
    }

    private void BeginOutgoing(LargeMessage outgoing)
    {
        ReadOnlySpan<byte> piece = outgoing.Piece.Span;
        int bodyAt = StompMessageMap.BodyAt(piece);
        if (bodyAt < 0)
        {
            AbandonOutgoing("its payload is no STOMP message");
            return;
        }

        _head.Clear(ScratchBytesKept);
        StompMessageMap.AppendHead(
            ref _head, outgoing.Subscription, outgoing.Delivery, outgoing.Lease, piece,
            outgoing.Lease.Large!.Length - bodyAt, Version);
        outgoing.Subscription.Held.Add(outgoing.Delivery);
        outgoing.IsBegun = true;
        outgoing.Written(bodyAt);
        Frames.Hold();
        Frames.WritePiece(_head.Span);
    }

    private void EndOutgoing()
    {
        Frames.WritePiece("\0"u8);
        Frames.Release();
        _outgoing!.Dispose();
        _outgoing = null;
    }

    private void AbandonOutgoing(string reason)
    {
        LargeMessage outgoing = _outgoing!;
        if (outgoing.IsBegun)
        {
            // Half of it is out, and there is no way to take that back.
            State = SessionState.Ended;
        }

        GiveUp(outgoing.Delivery, reason, isWhole: false);
        outgoing.Dispose();
        _outgoing = null;
    }

    private void GiveUp(in Delivery delivery, string reason, bool isWhole)
    {
        if (isWhole)
        {
            Client.Settle(delivery, new Outcome(OutcomeKind.Rejected, Reason: reason));
        }
        else
        {
            Client.Quarantine(delivery, reason);
        }
    }
}
