using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Links;

/// <content>
/// Deliveries that the peer resumes (part 2 section 2.6.13). A tag names a delivery only until its sender has settled
/// it. With rcv-settle-mode second the node knows when that is, and what it has accepted is never stored again. With
/// mode first the sender may use the tag anew as soon as it hears the outcome: a resumed delivery is then taken for a
/// known one only when its bytes are the same, too.
/// </content>
internal sealed partial class ReceivingLink
{
    private PendingTags? _pendingTags;
    private TagValue _tag;
    private bool _isResumed;

    /// <summary>What the link remembers over attaches; null: nothing.</summary>
    public RememberedDeliveries? Memory { get; init; }

    /// <summary>
    /// The node's unsettled map was incomplete: until the link is attached anew only resumed deliveries may come (part
    /// 2 section 2.7.3).
    /// </summary>
    public bool TakesOnlyResumed { get; init; }

    private PendingTags Pending =>
        _pendingTags ??= new PendingTags(Session.Connection.Options.RememberedDeliveriesMax);

    /// <summary>The peer has settled deliveries: their tags are free for others.</summary>
    public void OnSettledBySender(uint first, uint last)
    {
        if (Memory is null || _pendingTags is null)
        {
            return;
        }

        foreach (TagValue tag in _pendingTags.Take(first, last))
        {
            Memory.Forget(tag);
        }
    }

    /// <inheritdoc/>
    protected override bool Takes(in Transfer transfer, out bool isAnswered)
    {
        isAnswered = false;
        _isResumed = transfer.Resume;
        if (TakesOnlyResumed && !transfer.Resume)
        {
            throw new AmqpException(
                AmqpErrorCondition.NotAllowed, "a new delivery while the unsettled deliveries are not all known",
                AmqpSeverity.Link);
        }

        if (Memory is not null)
        {
            _tag = TagValue.Of(transfer.DeliveryTag);
            if (!transfer.Resume)
            {
                Memory.Forget(_tag);
            }
        }

        return !transfer.Resume || TakesResumed(transfer, out isAnswered);
    }

    /// <inheritdoc/>
    protected override void OnDiscarded()
    {
        if (_settlesSecond && Memory is not null)
        {
            Pending.Add(DeliveryId, new PendingTag(_tag, default));
        }

        Session.Incoming.Accept(DeliveryId, settled: !_settlesSecond);
    }

    private bool TakesResumed(in Transfer transfer, out bool isAnswered)
    {
        // The sender knows the outcome already, and only settles, or gives the delivery up.
        bool isOver = transfer.Aborted || DeliveryState.KindOf(transfer.State) is DeliveryStateKind.Accepted
            or DeliveryStateKind.Rejected or DeliveryStateKind.Released or DeliveryStateKind.Modified;
        isAnswered = !transfer.Aborted;
        if (isOver)
        {
            if (transfer.Settled == true || transfer.Aborted)
            {
                Memory?.Forget(_tag);
            }

            return false;
        }

        if (Memory is not null && Memory.TryGet(_tag, out TakenDelivery taken) && taken.IsUnsettled)
        {
            if (transfer.Settled == true)
            {
                Memory.Forget(_tag);
            }

            return false;
        }

        RefuseRest(transfer);
        return true;
    }

    // The node never has the beginning of a message only, so it cannot take the rest of one.
    private static void RefuseRest(in Transfer transfer)
    {
        if (DeliveryState.KindOf(transfer.State) == DeliveryStateKind.Received
            && DeliveryState.ReadReceived(transfer.State) is not { SectionNumber: 0, SectionOffset: 0 })
        {
            throw new AmqpException(
                AmqpErrorCondition.IllegalState, "the beginning of the resumed delivery is not here",
                AmqpSeverity.Link);
        }
    }

    // Also notes the message, so that it is known once it is on disk.
    private bool IsTakenAlready(ReadOnlySpan<byte> message)
    {
        if (Memory is null || IsSettled || Transaction is not null)
        {
            return false;
        }

        var now = TakenDelivery.Of(message);
        if (_isResumed && Memory.TryGet(_tag, out TakenDelivery taken) && taken == now)
        {
            return true;
        }

        NoteComing(now);
        return false;
    }

    private void NoteComing(TakenDelivery taken)
    {
        if (Memory is not null && !IsSettled && Transaction is null)
        {
            Pending.Add(DeliveryId, new PendingTag(_tag, taken with { IsUnsettled = _settlesSecond }));
        }
    }

    private void NotePublished(uint id, bool isTaken)
    {
        if (Memory is null || _pendingTags is null || !_pendingTags.TryGet(id, out PendingTag pending))
        {
            return;
        }

        if (isTaken)
        {
            Memory.Add(pending.Tag, pending.Taken);
        }

        if (!isTaken || !_settlesSecond)
        {
            _pendingTags.Remove(id);
        }
    }
}
