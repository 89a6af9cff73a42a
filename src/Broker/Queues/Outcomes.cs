using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Shards;

namespace Pillarbox.Broker.Queues;

/// <summary>What becomes of a message after what its consumer said of it: gone, back in its place, later, or a dead
/// letter. The shard's.</summary>
internal sealed class Outcomes(Queue queue)
{
    /// <summary>Dead letters end here: what fails again stays.</summary>
    private bool IsDeadLetterQueue => queue.Config.Address == queue.Rules.DeadLetterAddress;

    private Shard Shard => queue.Shard;

    private int AttemptsMax => queue.Rules.MaxDeliveryAttempts;

    /// <summary>An outcome that was stated; the entry is the consumer's until then.</summary>
    public void Conclude(Consumer consumer, ref QueueEntry entry, in ShardOp op)
    {
        bool journal = op.Kind == OpKind.Settle;
        entry.Flags &= ~EntryFlags.Staged;
        switch (op.Outcome & OutcomeBits.KindMask)
        {
            case OutcomeBits.Accepted:
                queue.Counters.AcknowledgedTotal++;
                queue.Remove(ref entry, op.Priority, op.Id, journal);
                break;
            case OutcomeBits.Rejected:
                Reject(consumer, ref entry, op, journal);
                break;
            default:
                TakeBack(consumer, ref entry, op, journal);
                break;
        }
    }

    private void TakeBack(Consumer consumer, ref QueueEntry entry, in ShardOp op, bool journal)
    {
        bool isExpired = (op.Outcome & OutcomeBits.Expired) != 0;
        bool isFailed = (op.Outcome & OutcomeBits.DeliveryFailed) != 0
            || (isExpired && !entry.Has(EntryFlags.HasExpiry));
        if ((op.Outcome & OutcomeBits.Begun) != 0)
        {
            entry.Flags &= ~(EntryFlags.HasExpiry | EntryFlags.Expired);
        }

        if ((op.Outcome & OutcomeBits.UndeliverableHere) != 0)
        {
            Exclude(consumer, op.Priority, op.Id);
        }

        if (isFailed)
        {
            FailAttempt(ref entry, op.Priority, op.Id, Noted(consumer, op.Reason), journal);
            return;
        }

        entry.Flags |= isExpired ? EntryFlags.Expired : 0;
        GiveBack(ref entry, op.Priority, op.Id);
    }

    /// <summary>The consumer has gone without a word.</summary>
    public void GoBack(ref QueueEntry entry, in HeldDelivery held, bool countAttempts, Consumer consumer)
    {
        if (countAttempts)
        {
            const string Reason = "consumer gone without an outcome";
            FailAttempt(ref entry, held.Priority, held.Sequence, Noted(consumer, Reason), journal: true);
        }
        else
        {
            GiveBack(ref entry, held.Priority, held.Sequence);
        }
    }

    /// <summary>Back in its place, unless its time was over meanwhile.</summary>
    public void GiveBack(ref QueueEntry entry, byte priority, long sequence)
    {
        if (entry.Has(EntryFlags.Expired))
        {
            queue.Depart(ref entry, priority, sequence, DepartureReason.Expired);
            return;
        }

        queue.MakeReady(ref entry, priority, sequence);
    }

    private FailedAttempt Noted(Consumer consumer, string? reason) =>
        new(Shard.NowMs, consumer.ClientId, reason);

    private void Reject(Consumer consumer, ref QueueEntry entry, in ShardOp op, bool journal)
    {
        FailedAttempt attempt = Noted(consumer, op.Reason ?? "rejected");
        if (IsDeadLetterQueue)
        {
            NoteAttempt(ref entry, op.Priority, attempt, dueMs: 0, journal);
            Exclude(consumer, op.Priority, op.Id);
            GiveBack(ref entry, op.Priority, op.Id);
            return;
        }

        entry.Flags |= EntryFlags.Doomed;
        NoteAttempt(ref entry, op.Priority, attempt, dueMs: 0, journal);
        queue.Depart(ref entry, op.Priority, op.Id, DepartureReason.Rejected);
    }

    private void FailAttempt(
        ref QueueEntry entry, byte priority, long sequence, FailedAttempt attempt, bool journal)
    {
        bool exhausted = AttemptsMax >= 0 && !IsDeadLetterQueue && entry.DeliveryCount + 1 >= AttemptsMax;
        long delay = exhausted ? 0
            : Redelivery.DelayMs(queue.Rules, entry.DeliveryCount + 1, Shard.Services.Options.Random);
        entry.Flags |= exhausted ? EntryFlags.Doomed | EntryFlags.Exhausted : 0;
        long dueMs = delay > 0 ? Shard.NowMs + delay : 0;
        NoteAttempt(ref entry, priority, attempt, dueMs, journal);
        if (exhausted)
        {
            queue.Depart(ref entry, priority, sequence, DepartureReason.MaxDeliveryAttempts);
        }
        else if (dueMs > 0)
        {
            queue.Delay(ref entry, priority, sequence, dueMs);
        }
        else
        {
            GiveBack(ref entry, priority, sequence);
        }
    }

    private void NoteAttempt(ref QueueEntry entry, byte priority, FailedAttempt attempt, long dueMs, bool journal)
    {
        entry.DeliveryCount = (ushort)Math.Min(entry.DeliveryCount + 1, ushort.MaxValue);
        entry.Flags |= EntryFlags.HasAttempts;
        queue.Attempts.Add(entry, attempt);
        if (journal && queue.IsDurable && (entry.IsRecord || entry.Has(EntryFlags.InJournal)))
        {
            Shard.Settlements.Attempt(queue.Id, entry, priority, attempt, dueMs);
        }
    }

    private void Exclude(Consumer consumer, byte priority, long sequence)
    {
        if (consumer.Filter is null)
        {
            consumer.Filter = new ConsumerFilter(Shard.Services, null, 0);
            queue.Consumers.Choosers.Add(consumer);
        }

        consumer.Filter.Exclude(priority, sequence);
    }
}
