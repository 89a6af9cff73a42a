using Pillarbox.Broker.Consumers;

namespace Pillarbox.Broker.Queues;

/// <summary>Which messages of a queue their producers want to hear of when they have left it, see <see
/// cref="ProducerOptions.TellsGone"/>. The shard's.</summary>
internal sealed class GoneNotices
{
    private readonly Dictionary<long, (Producer Producer, ulong Tag)> _awaited = [];

    /// <summary>A message came.</summary>
    public void Add(in QueueEntry entry, Producer producer, ulong tag) => _awaited[KeyOf(entry)] = (producer, tag);

    /// <summary>One left; true: that is to be told.</summary>
    public bool TryTake(in QueueEntry entry, out Producer? producer, out ulong tag)
    {
        bool isAwaited = _awaited.Remove(KeyOf(entry), out (Producer Producer, ulong Tag) notice);
        (producer, tag) = notice;
        return isAwaited;
    }

    /// <summary>Nobody hears of the rest of a producer's.</summary>
    public void Forget(Producer producer)
    {
        foreach ((long key, (Producer Producer, ulong Tag) notice) in _awaited)
        {
            if (notice.Producer == producer)
            {
                _awaited.Remove(key);
            }
        }
    }

    // Messages that are not in the journal may have the numbers of those that are.
    private static long KeyOf(in QueueEntry entry) => entry.Has(EntryFlags.InJournal) ? entry.Id : ~entry.Id;
}
