using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Transactions;

namespace Pillarbox.Broker.Queues.Feeds;

/// <content>How far the group is told to have come: every now and then, and by transactions.</content>
internal sealed partial class GroupReading
{
    /// <summary>Partitions for which a transaction is about to commit an offset. Nothing else is committed for them
    /// until it has ended, for the later one of two commits would count.</summary>
    private readonly Dictionary<int, long> _inTransaction = [];

    /// <summary>
    /// Commits, as a part of a producer's transaction, how far everything is settled once these records are, by
    /// partition. Says, when that is on disk, what was written, for the transaction's marker makes it count; null:
    /// nothing had to be. Or it says why not. <paramref name="isHeld"/>: the reader may be gone when the transaction
    /// ends, so that no record may lie before these that is not settled.
    /// </summary>
    public void CommitWith(
        ProducerStamp producer, Dictionary<int, List<long>> accepted, bool isHeld, Action<string?, SpannedPart?> done)
    {
        List<OffsetToCommit> offsets = [];
        foreach ((int number, List<long> records) in accepted)
        {
            records.Sort();
            if (Refusal(number, records, isHeld, out FeedCursor? cursor) is { } refusal)
            {
                done(refusal, null);
                return;
            }

            AddMark(offsets, number, cursor!, cursor!.Progress.MarkWith(records));
        }

        if (offsets.Count == 0)
        {
            done(null, null);
            return;
        }

        offsets.ForEach(offset => _inTransaction[offset.Partition.Partition] = offset.Offset);
        OffsetCommitRequest request = new()
        {
            Member = Member,
            Offsets = offsets,
            KnowsGroupIdNotFound = true,
            Producer = producer,
        };
        coordinator.CommitOffsets(request, result => done(ProblemOf(result), PartOf(producer)));
    }

    /// <summary>A transaction that <see cref="CommitWith"/> was a part of is rolled back.</summary>
    public void RollBack(IEnumerable<int> partitions)
    {
        foreach (int partition in partitions)
        {
            _inTransaction.Remove(partition);
        }
    }

    private static string? ProblemOf(OffsetCommitResult result)
    {
        CoordinatorError error = result.Error != CoordinatorError.None
            ? result.Error
            : result.Offsets.FirstOrDefault(error => error != CoordinatorError.None);
        return error == CoordinatorError.None ? null : $"{error}";
    }

    private string? Refusal(int number, List<long> records, bool isHeld, out FeedCursor? cursor)
    {
        cursor = Feed.FindCursor(number);
        return _isClosed || !_committed.ContainsKey(number) || cursor is null
                ? "its partition is another reader's by now"
            : IsInTransaction(number, cursor) ? "another transaction over its partition has not ended"
            : isHeld && cursor.Progress.MarkWith(records) <= records[^1]
                ? "records before them are not settled, and a group has one offset only"
            : null;
    }

    private bool IsInTransaction(int number, FeedCursor cursor) =>
        _inTransaction.TryGetValue(number, out long offset) && cursor.Progress.Mark < offset;

    // Where the transaction stands in the stream of groups. Any thread.
    private SpannedPart? PartOf(ProducerStamp producer)
    {
        Partition? partition = Shard.Services.Streams.GetValueOrDefault(queue.Space.Name)
            ?.Find(StreamCoordinators.OffsetsStream)?.FindPartition(coordinator.PartitionOf(reader.Group));
        long first = partition?.TransactionStartOf(producer.Id) ?? -1;
        return first < 0 ? null : new SpannedPart(partition!, first, partition!.EndOffset);
    }

    private void Commit(IReadOnlyCollection<int> partitions)
    {
        List<OffsetToCommit> offsets = [];
        foreach (int number in partitions)
        {
            if (Feed.FindCursor(number) is { } cursor && !IsInTransaction(number, cursor))
            {
                AddMark(offsets, number, cursor, cursor.Progress.Mark);
            }
        }

        if (offsets.Count == 0 || _isClosed)
        {
            return;
        }

        OffsetCommitRequest request = new() { Member = Member, Offsets = offsets, KnowsGroupIdNotFound = true };
        coordinator.CommitOffsets(request, result => Shard.Post(new ShardAction(_ => OnCommitted(offsets, result))));
    }

    // The group has come further than it was told.
    private void AddMark(List<OffsetToCommit> offsets, int number, FeedCursor cursor, long mark)
    {
        if (_committed.TryGetValue(number, out long committed) && mark > committed)
        {
            int epoch = cursor.Partition?.LeaderEpoch ?? -1;
            offsets.Add(new OffsetToCommit(new TopicPartition(stream.Name, number), mark, epoch, null));
        }
    }

    // What was refused is tried again with the next tick, by then perhaps with another epoch.
    private void OnCommitted(List<OffsetToCommit> offsets, OffsetCommitResult result)
    {
        for (int i = 0; i < offsets.Count; i++)
        {
            bool isDone = result.Error == CoordinatorError.None
                && (i >= result.Offsets.Count || result.Offsets[i] == CoordinatorError.None);
            int number = offsets[i].Partition.Partition;
            if (isDone && _committed.TryGetValue(number, out long known))
            {
                _committed[number] = Math.Max(known, offsets[i].Offset);
            }
        }
    }
}
