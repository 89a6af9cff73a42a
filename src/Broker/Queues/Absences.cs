using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Shards;

namespace Pillarbox.Broker.Queues;

/// <summary>
/// Finds which of some messages a queue does not have any more, and will not give out again; tells the client of each
/// when that is on disk, by the tag. Of others nothing is told. A slice of the queue a turn. The shard's.
/// </summary>
/// <param name="queue">Where they were.</param>
/// <param name="client">Who is told.</param>
/// <param name="wanted">Message ids and tags.</param>
internal sealed class Absences(Queue queue, BrokerClient client, Dictionary<long, ulong> wanted) : IShardWork
{
    private const int LooksPerTurn = 65_536;

    private int _priority = Queue.Priorities - 1;
    private long _at;

    /// <inheritdoc/>
    public void Run(Shard shard)
    {
        if (queue.IsDeleted)
        {
            return;
        }

        if (!TryLookThrough())
        {
            shard.Post(this);
            return;
        }

        foreach ((long id, ulong tag) in wanted)
        {
            if (!RecordId.Is(id) || IsSettledRecord(id))
            {
                shard.Settlements.ConfirmAll(client, tag);
            }
        }
    }

    // What is there leaves the list. False: more is to be looked through.
    private bool TryLookThrough()
    {
        int looks = 0;
        while (wanted.Count > 0 && _priority >= 0)
        {
            EntryList? list = queue.Contents.ListOf(_priority);
            _at = list?.SkipGone(_at) ?? 0;
            if (list is null || _at >= list.End)
            {
                (_priority, _at) = (_priority - 1, 0);
                continue;
            }

            if (looks++ == LooksPerTurn)
            {
                return false;
            }

            QueueEntry entry = list.Find(_at++);
            if (entry.State != EntryState.Removed)
            {
                wanted.Remove(entry.Id);
            }
        }

        return true;
    }

    // Records come into the queue as consumers take them: one that is not in it may be to come.
    private bool IsSettledRecord(long id) =>
        queue.Feed?.FindCursor(RecordId.Partition(id))?.Progress.IsSettled(RecordId.Offset(id)) == true;
}
