using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp.Subscriptions;

/// <summary>Which subscriptions of a connection have something to write, each in its turn, which need bytes from disk
/// first, and the large message that is under way. Used by the connection's loop alone.</summary>
internal sealed class MessageTurns(BrokerClient client, SessionLife life, FrameWriter frames) : IDisposable
{
    private const int ScratchBytesKept = 64 << 10;

    // Messages that one subscription may write before the next one has its turn.
    private const int MessagesPerTurn = 64;

    private readonly Queue<StompSubscription> _ready = new();
    private readonly Queue<StompSubscription> _reads = new();
    private LargeMessage? _outgoing;
    private ByteBuilder _head;
    private bool _needsPiece;

    /// <summary>A large message is under way, which needs its next piece from disk.</summary>
    public LargeMessage? PieceToRead => _needsPiece ? _outgoing : null;

    /// <summary>Whether something could be written if the output had room.</summary>
    public bool Any => _outgoing is { Piece.IsEmpty: false }
        || (life.State == SessionState.Connected && _outgoing is null && _ready.Count > 0);

    /// <summary>A subscription whose oldest message must come from disk; the loop starts one read at a time.</summary>
    public bool TryTakeRead(out StompSubscription? subscription) => _reads.TryDequeue(out subscription);

    /// <summary>Notes that a subscription may have something to write.</summary>
    public void Enqueue(StompSubscription subscription)
    {
        if (!subscription.IsQueued && subscription.HasWork)
        {
            subscription.IsQueued = true;
            _ready.Enqueue(subscription);
        }
    }

    /// <summary>A subscription ends. A large message in the middle of which it ends goes on to its end: half a frame
    /// would be none.</summary>
    public void Drop(StompSubscription subscription)
    {
        if (_outgoing?.Subscription == subscription && !_outgoing.IsBegun && !_outgoing.IsReading)
        {
            _outgoing.Dispose();
            _outgoing = null;
        }
    }

    /// <summary>Writes while the total of bytes written is below the limit. True: something was written.</summary>
    public bool Write(long limit)
    {
        bool wrote = false;
        while (frames.BytesWritten < limit)
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

            if (life.State != SessionState.Connected || !_ready.TryDequeue(out StompSubscription? subscription))
            {
                return wrote;
            }

            subscription.IsQueued = false;
            for (int i = 0; i < MessagesPerTurn && frames.BytesWritten < limit && subscription.HasWork; i++)
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

    /// <summary>A read is done.</summary>
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

    /// <summary>The connection is over.</summary>
    public void Dispose() => _outgoing?.Dispose();

    private bool TryWrite(StompSubscription subscription)
    {
        if (subscription.Pending.Count == 0)
        {
            subscription.OwesEnd = false;
            _head.Clear(ScratchBytesKept);
            StompMessageMap.AppendEnd(ref _head, subscription, life.Version);
            frames.WriteMessage(_head.Span, default);
            return true;
        }

        Delivery delivery = subscription.Pending.Head;
        MessageLease lease;
        if (subscription.ReadAhead is { } ready)
        {
            lease = ready;
            subscription.ReadAhead = null;
        }
        else if (!client.TryRead(delivery, out lease))
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
            subscription.Regulate();
            return;
        }

        _head.Clear(ScratchBytesKept);
        ReadOnlySpan<byte> body = payload[bodyAt..];
        StompMessageMap.AppendHead(ref _head, subscription, delivery, lease, payload, body.Length, life.Version);
        subscription.Held.Add(delivery);
        frames.WriteMessage(_head.Span, body);
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

        int count = (int)Math.Min(outgoing.Piece.Length, Math.Max(1, limit - frames.BytesWritten));
        frames.WritePiece(outgoing.Piece.Span[..count]);
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
            outgoing.Lease.Large!.Length - bodyAt, life.Version);
        outgoing.Subscription.Held.Add(outgoing.Delivery);
        outgoing.Subscription.IsMidway = true;
        outgoing.IsBegun = true;
        outgoing.Written(bodyAt);
        frames.Hold();
        frames.WritePiece(_head.Span);
    }

    private void EndOutgoing()
    {
        frames.WritePiece("\0"u8);
        frames.Release();
        _outgoing!.Subscription.IsMidway = false;
        _outgoing.Dispose();
        _outgoing = null;
    }

    private void AbandonOutgoing(string reason)
    {
        LargeMessage outgoing = _outgoing!;
        if (outgoing.IsBegun)
        {
            // Half of it is out, and there is no way to take that back.
            life.State = SessionState.Ended;
        }

        GiveUp(outgoing.Delivery, reason, isWhole: false);
        outgoing.Subscription.Regulate();
        outgoing.Dispose();
        _outgoing = null;
    }

    private void GiveUp(in Delivery delivery, string reason, bool isWhole)
    {
        if (isWhole)
        {
            client.Settle(delivery, new Outcome(OutcomeKind.Rejected, Reason: reason));
        }
        else
        {
            client.Quarantine(delivery, reason);
        }
    }
}
