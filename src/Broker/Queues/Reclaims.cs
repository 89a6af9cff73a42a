using System.Runtime.CompilerServices;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Shards;

namespace Pillarbox.Broker.Queues;

/// <summary>
/// A consumer that came back names messages that it was given before. Those that are still in the queue, and that
/// nobody else has, are given to it again, without credit.
/// </summary>
internal sealed class Reclaims(Consumer consumer, DeliveryName[] names) : IShardWork
{
    /// <summary>Entries from the front of a queue that are looked through for what is not where it was.</summary>
    private const int LooksMax = 65_536;

    /// <inheritdoc/>
    public void Run(Shard shard)
    {
        Queue queue = consumer.Queue;
        if (consumer.IsGone || queue.IsDeleted)
        {
            return;
        }

        var missing = new Dictionary<(long Id, bool InJournal), int>();
        for (int i = 0; i < names.Length; i++)
        {
            bool? inJournal = shard.Services.InJournal(names[i].Incarnation);
            if (inJournal is null || TryGive(queue, names[i].Priority, names[i].Sequence, i, inJournal.Value))
            {
                continue;
            }

            missing.TryAdd((names[i].MessageId, inJournal.Value), i);
        }

        Search(queue, missing);
        ref ClientEvent told = ref shard.Tell(consumer.Client);
        told.Kind = EventKind.Reclaimed;
        told.Subject = consumer;
    }

    private void Search(Queue queue, Dictionary<(long Id, bool InJournal), int> missing)
    {
        int looks = 0;
        for (int priority = Queue.Priorities - 1; priority >= 0 && missing.Count > 0; priority--)
        {
            EntryList? list = queue.Contents.ListOf(priority);
            for (long at = list?.SkipGone(0) ?? 0; list is not null && at < list.End
                && missing.Count > 0 && looks++ < LooksMax; at = list.SkipGone(at + 1))
            {
                QueueEntry entry = list.Find(at);
                (long Id, bool InJournal) key = (entry.Id, entry.Has(EntryFlags.InJournal));
                if (entry.State != EntryState.Removed && missing.Remove(key, out int index))
                {
                    TryGive(queue, (byte)priority, at, index, key.InJournal);
                }
            }
        }
    }

    // A message that was changed since (an annotation) is another one.
    private bool TryGive(Queue queue, byte priority, long sequence, int index, bool inJournal)
    {
        ref QueueEntry entry = ref queue.Find(priority, sequence);
        if (Unsafe.IsNullRef(ref entry) || entry.State is not (EntryState.Ready or EntryState.Delayed)
            || entry.Id != names[index].MessageId || entry.RecordBytes != names[index].RecordBytes
            || entry.Has(EntryFlags.InJournal) != inJournal || entry.Has(EntryFlags.Doomed))
        {
            return false;
        }

        queue.Hand(consumer, ref entry, priority, sequence, claim: index + 1);
        return true;
    }
}
