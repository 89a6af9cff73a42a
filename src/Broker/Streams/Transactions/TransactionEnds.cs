using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Streams.Transactions;

/// <summary>Carries decided ends out: a marker into every partition, then the record that all are there. What is
/// refused is tried again until it is done. One owner: the loop.</summary>
internal sealed class TransactionEnds(
    TransactionTable table, ITransactionPartitions partitions, CoordinatorLoop loop, TimerHeap timers,
    Func<long> nowMs, TransactionOptions options)
{
    /// <summary>Writes the markers of a prepared end; also at start, for one that was under way.</summary>
    public void Start(TransactionSlot slot)
    {
        slot.Marking.Clear();
        slot.Unmarked.Clear();
        slot.Unmarked.UnionWith(slot.Current!.Partitions);
        Go(slot);
    }

    private void Go(TransactionSlot slot)
    {
        TransactionSnapshot prepared = slot.Current!;
        if (slot.Unmarked.Count == 0)
        {
            Complete(slot);
            return;
        }

        TransactionEnd end = new(
            prepared.Producer, prepared.State == TransactionState.PrepareCommit, prepared.ClientVersion);
        foreach (TopicPartition partition in slot.Unmarked.Where(slot.Marking.Add).ToArray())
        {
            partitions.WriteMarker(
                partition, end, outcome => loop.Post(() => OnOutcome(slot, prepared, partition, outcome)));
        }
    }

    private void OnOutcome(
        TransactionSlot slot, TransactionSnapshot prepared, TopicPartition partition, MarkerOutcome outcome)
    {
        if (slot.Current != prepared)
        {
            return;
        }

        slot.Marking.Remove(partition);
        if (outcome == MarkerOutcome.Retry)
        {
            Again(slot);
        }
        else if (slot.Unmarked.Remove(partition) && slot.Unmarked.Count == 0)
        {
            Complete(slot);
        }
    }

    private void Complete(TransactionSlot slot)
    {
        if (slot.IsBusy)
        {
            return;
        }

        CoordinatorError refusal = table.Change(slot, slot.Current!.Complete(nowMs()), _ => { });
        if (refusal != CoordinatorError.None)
        {
            Again(slot);
        }
    }

    private void Again(TransactionSlot slot)
    {
        slot.Retry ??= new CoordinatorTimer(() =>
        {
            if (slot.Current is { IsPrepared: true } && !slot.IsBusy)
            {
                Go(slot);
            }
        });
        if (!slot.Retry.IsArmed)
        {
            timers.Arm(slot.Retry, nowMs() + options.RetryMs);
        }
    }
}
