using System.Buffers.Binary;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Links;

/// <content>Writing transfers (part 2 section 2.7.5).</content>
internal sealed partial class SendingLink
{
    private const int TagBytesMax = DeliveryName.Bytes;

    /// <inheritdoc/>
    public override SendResult TrySend(FrameWriter frames)
    {
        if (State != LinkState.Attached || IsReading)
        {
            return SendResult.Idle;
        }

        if (_partial is not null)
        {
            return SendPartial(frames);
        }

        if (_pending.Count + ResumedCount == 0 || _linkCredit == 0)
        {
            return SendResult.Idle;
        }

        if (!Session.CanBeginDelivery)
        {
            return SendResult.SessionBlocked;
        }

        if (!TryTakeResumed(out Delivery delivery))
        {
            delivery = _pending.Head;
            _pending.Dequeue();
        }

        if (!_client.TryRead(delivery, out MessageLease lease))
        {
            _readingDelivery = delivery;
            IsReading = true;
            Session.Connection.Turns.RequestRead(this);
            return SendResult.NeedsRead;
        }

        return Send(frames, delivery, lease);
    }

    /// <summary>
    /// Starts the read that <see cref="TrySend"/> asked for: of the message, or of the next piece of a large body.
    /// </summary>
    public LinkRead StartRead(CancellationToken cancellation) => _partial is null
        ? new LinkRead(this, _client.ReadAsync(_readingDelivery, cancellation))
        : new LinkRead(this, _partial.ReadPiece(cancellation));

    /// <summary>The message came from disk.</summary>
    public void OnRead(in MessageLease lease)
    {
        IsReading = false;
        if (State != LinkState.Attached)
        {
            lease.Large?.Dispose();
            lease.Dispose();
            return;
        }

        _partial = MakePartial(_readingDelivery, lease);
        if (_linkCredit == 0)
        {
            ReleaseExcess();
        }

        Session.Connection.Turns.Enqueue(this);
    }

    /// <summary>A piece of a large body came from disk.</summary>
    public void OnPieceRead(int bytes)
    {
        IsReading = false;
        _partial!.OnPieceRead(bytes);
        if (State != LinkState.Attached)
        {
            _partial.Dispose();
            _partial = null;
            return;
        }

        Session.Connection.Turns.Enqueue(this);
    }

    /// <summary>The bytes on disk are damaged: the message leaves the queue, the link goes on.</summary>
    public void OnReadFailed(string reason)
    {
        IsReading = false;
        Delivery delivery = _partial?.Delivery ?? _readingDelivery;
        if (_partial is not null)
        {
            _partial.OnPieceRead(0);
            AbortPartial();
        }

        AbortResumed();
        if (State == LinkState.Attached)
        {
            _client.Quarantine(delivery, reason);
            Regulate();
            Session.Connection.Turns.Enqueue(this);
        }
    }

    /// <summary>The message cannot be had as AMQP: it is rejected for this consumer; the link goes on.</summary>
    public void OnReadRefused(string reason)
    {
        IsReading = false;
        AbortResumed();
        if (State == LinkState.Attached)
        {
            _client.Settle(_readingDelivery, new Outcome(OutcomeKind.Rejected, Reason: reason));
            Regulate();
            Session.Connection.Turns.Enqueue(this);
        }
    }

    private SendResult Send(FrameWriter frames, in Delivery delivery, in MessageLease lease)
    {
        int room =
            (int)Session.Connection.PeerFrameBytesMax - FrameWriter.TransferOverheadMax - AmqpMessageMap.HeaderBytesMax;
        if (lease.Large is not null || lease.Origin is not null || lease.Payload.Length > room)
        {
            _partial = MakePartial(delivery, lease);
            return SendPartial(frames);
        }

        MessageHeader header = lease.Header;
        Span<byte> prefix = stackalloc byte[AmqpMessageMap.HeaderBytesMax];
        int prefixBytes = AmqpMessageMap.WriteHeader(prefix, header, delivery.DeliveryCount, Session.Connection.NowMs);
        uint id = BeginDelivery(delivery);
        Span<byte> tag = stackalloc byte[TagBytesMax];
        var transfer = new Transfer
        {
            Handle = Handle,
            DeliveryId = id,
            DeliveryTag = WriteTag(tag, id, delivery),
            MessageFormat = 0,
            Settled = _settlesOnSend ? true : null,
            Resume = _resumedTag is not null,
            State = _resumedTag is not null ? DeliveryState.ReceivedNothing : default,
        };
        frames.Write(Session.Channel, transfer, prefix[..prefixBytes], lease.Payload.Span);
        lease.Dispose();
        Session.Window.OnTransferSent();
        EndDelivery(delivery);
        return SendResult.Sent;
    }

    private SendResult SendPartial(FrameWriter frames)
    {
        PartialDelivery partial = _partial!;
        if (partial.DeliveryId is null && (_linkCredit == 0 || !Session.CanBeginDelivery))
        {
            return _linkCredit == 0 ? SendResult.Idle : SendResult.SessionBlocked;
        }

        if (Session.Window.RemoteIncomingWindow == 0)
        {
            return SendResult.SessionBlocked;
        }

        if (partial.NeedsPiece)
        {
            IsReading = true;
            Session.Connection.Turns.RequestRead(this);
            return SendResult.NeedsRead;
        }

        WritePart(frames, partial);
        if (partial.IsComplete)
        {
            Delivery delivery = partial.Delivery;
            partial.Dispose();
            _partial = null;
            EndDelivery(delivery);
        }

        return SendResult.Sent;
    }

    private void WritePart(FrameWriter frames, PartialDelivery partial)
    {
        bool first = partial.DeliveryId is null;
        uint id = partial.DeliveryId ??= BeginDelivery(partial.Delivery);
        int room = (int)Session.Connection.PeerFrameBytesMax - FrameWriter.TransferOverheadMax;
        ReadOnlySpan<byte> prefix = partial.NextPrefix(room);
        ReadOnlySpan<byte> body = partial.NextBody(room - prefix.Length);
        partial.Advance(prefix.Length + body.Length);
        Span<byte> tag = stackalloc byte[TagBytesMax];
        var transfer = new Transfer
        {
            Handle = Handle,
            DeliveryId = first ? id : null,
            DeliveryTag = first ? WriteTag(tag, id, partial.Delivery) : default,
            Resume = first && _resumedTag is not null,
            State = first && _resumedTag is not null ? DeliveryState.ReceivedNothing : default,
            MessageFormat = first ? 0 : null,
            Settled = _settlesOnSend ? true : null,
            More = !partial.IsComplete,
        };
        frames.Write(Session.Channel, transfer, prefix, body);
        Session.Window.OnTransferSent();
    }

    // Part 2 section 2.7.5: an aborted delivery is settled, and nothing more is said of it.
    private void AbortPartial()
    {
        if (_partial!.DeliveryId is { } id && State == LinkState.Attached)
        {
            Session.Connection.Frames.Write(
                Session.Channel, new Transfer { Handle = Handle, Aborted = true }, default, default);
            Session.Window.OnTransferSent();
            Session.ForgetDelivery(id);
            _resumedTag = null;
            UseCredit();
        }

        _partial.Dispose();
        _partial = null;
    }

    private ReadOnlySpan<byte> WriteTag(Span<byte> tag, uint id, in Delivery delivery)
    {
        if (_resumedTag is not null)
        {
            return _resumedTag;
        }

        if (NamesDeliveries)
        {
            delivery.Name.Write(tag);
            return tag;
        }

        BinaryPrimitives.WriteUInt32BigEndian(tag, id);
        return tag[..sizeof(uint)];
    }

    private PartialDelivery MakePartial(in Delivery delivery, in MessageLease lease)
    {
        Span<byte> header = stackalloc byte[AmqpMessageMap.HeaderBytesMax];
        MessageHeader envelope = lease.Header;
        int headerBytes = AmqpMessageMap.WriteHeader(
            header, envelope, delivery.DeliveryCount, Session.Connection.NowMs);
        if (lease.Origin is null || lease.Large is not null)
        {
            return new PartialDelivery(delivery, lease, header[..headerBytes].ToArray(), skip: 0);
        }

        byte[] annotations = AmqpMessageMap.WriteAnnotations(lease.Payload.Span, lease.Origin, out int replaced);
        return new PartialDelivery(delivery, lease, [.. header[..headerBytes], .. annotations], replaced);
    }

    // A peer may have taken all credit back while a delivery was under way, which uses it up when it ends.
    private void UseCredit()
    {
        _linkCredit -= Math.Min(_linkCredit, 1);
        _deliveryCount++;
    }

    private uint BeginDelivery(in Delivery delivery) =>
        _settlesOnSend ? Session.Unsettled.TakeSettledId() : Session.Unsettled.Add(delivery, this);

    private void EndDelivery(in Delivery delivery)
    {
        UseCredit();
        _resumedTag = null;
        if (_settlesOnSend)
        {
            _client.Settle(delivery, Outcome.Accepted);
        }

        Regulate();
    }
}
