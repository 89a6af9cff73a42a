using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Groups.Consumer;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Broker.Transactions;

namespace Pillarbox.Broker.Queues.Feeds;

/// <summary>What a reader of a group is.</summary>
/// <param name="Group">The group's id.</param>
/// <param name="MemberId">Unique in the group.</param>
/// <param name="Client">Who it is, for views.</param>
/// <param name="Start">Where a partition is begun of which nothing is committed.</param>
/// <param name="Partition">Just this partition, without being a member; null: what the group assigns.</param>
internal sealed record GroupReader(
    string Group, string MemberId, GroupClient Client, StreamStart Start, int? Partition);

/// <summary>
/// Reads a stream as a member of a consumer group, beside members of other protocols: takes the partitions that the
/// coordinator assigns, begins where the group has committed, commits how far everything is settled. A reader of one
/// named partition commits without being a member. The shard's.
/// </summary>
internal sealed class GroupReading(Queue queue, RecordStream stream, GroupCoordinator coordinator, GroupReader reader)
{
    private const int CommitMs = 500;
    private const int RebalanceTimeoutMs = 60_000;
    private const int RetryMs = 1000;

    private readonly Dictionary<int, long> _committed = [];
    private readonly HashSet<int> _owned = [];
    private int _epoch;
    private bool _isBeating;
    private bool _isClosed;
    private bool _tellsOwned;
    private long _beatAtMs;
    private long _commitAtMs;

    private Shard Shard => queue.Shard;

    private StreamFeed Feed => queue.Feed!;

    private GroupMemberRef Member => reader.Partition is null
        ? new GroupMemberRef(reader.Group, _epoch, reader.MemberId, null)
        : new GroupMemberRef(reader.Group, -1, "", null);

    /// <summary>Begins.</summary>
    public void Start()
    {
        if (reader.Partition is { } partition)
        {
            Own([partition]);
        }
        else
        {
            Beat();
        }
    }

    /// <summary>Does what is due.</summary>
    public void Tick(long nowMs)
    {
        if (reader.Partition is null && nowMs >= _beatAtMs)
        {
            Beat();
        }

        if (nowMs >= _commitAtMs)
        {
            _commitAtMs = nowMs + CommitMs;
            Commit(_owned);
        }
    }

    /// <summary>Commits, as a part of a producer's transaction, how far everything is settled once these records are,
    /// by partition. Says, when that is on disk, what was written, for the transaction's marker makes it count; null:
    /// nothing had to be.</summary>
    public void CommitWith(
        ProducerStamp producer, Dictionary<int, List<long>> accepted, Action<CoordinatorError, SpannedPart?> done)
    {
        List<OffsetToCommit> offsets = [];
        foreach ((int number, List<long> records) in accepted)
        {
            if (_isClosed || !_committed.TryGetValue(number, out long committed)
                || Feed.FindCursor(number) is not { } cursor)
            {
                done(CoordinatorError.FencedMemberEpoch, null);
                return;
            }

            records.Sort();
            long mark = cursor.Progress.MarkWith(records);
            if (mark > committed)
            {
                int epoch = cursor.Partition?.LeaderEpoch ?? -1;
                offsets.Add(new OffsetToCommit(new TopicPartition(stream.Name, number), mark, epoch, null));
            }
        }

        if (offsets.Count == 0)
        {
            done(CoordinatorError.None, null);
            return;
        }

        OffsetCommitRequest request = new()
        {
            Member = Member,
            Offsets = offsets,
            KnowsGroupIdNotFound = true,
            Producer = producer,
        };
        coordinator.CommitOffsets(request, result => done(ErrorOf(result), PartOf(producer)));
    }

    private static CoordinatorError ErrorOf(OffsetCommitResult result) => result.Error != CoordinatorError.None
        ? result.Error
        : result.Offsets.FirstOrDefault(error => error != CoordinatorError.None);

    // Where the transaction stands in the stream of groups. Any thread.
    private SpannedPart? PartOf(ProducerStamp producer)
    {
        Partition? partition = Shard.Services.Streams.GetValueOrDefault(queue.Space.Name)
            ?.Find(StreamCoordinators.OffsetsStream)?.FindPartition(coordinator.PartitionOf(reader.Group));
        long first = partition?.TransactionStartOf(producer.Id) ?? -1;
        return first < 0 ? null : new SpannedPart(partition!, first, partition!.EndOffset);
    }

    /// <summary>Commits and leaves the group.</summary>
    public void Close()
    {
        if (_isClosed)
        {
            return;
        }

        Commit(_owned);
        _isClosed = true;
        if (reader.Partition is null && _epoch > 0)
        {
            coordinator.ConsumerHeartbeat(
                new ConsumerHeartbeatRequest
                {
                    GroupId = reader.Group,
                    MemberId = reader.MemberId,
                    MemberEpoch = HeartbeatRules.Leave,
                    Client = reader.Client,
                },
                _ => { });
        }
    }

    private void Beat()
    {
        if (_isBeating || _isClosed)
        {
            return;
        }

        _isBeating = true;
        bool joins = _epoch == HeartbeatRules.Join;
        ConsumerHeartbeatRequest request = new()
        {
            GroupId = reader.Group,
            MemberId = reader.MemberId,
            MemberEpoch = _epoch,
            RebalanceTimeoutMs = joins ? RebalanceTimeoutMs : -1,
            SubscribedTopics = joins ? [stream.Name] : null,
            Owned = joins ? [] : _tellsOwned ? [.. _owned.Select(p => new TopicIdPartition(stream.Id, p))] : null,
            Client = reader.Client,
        };
        coordinator.ConsumerHeartbeat(request, result => Shard.Post(new ShardAction(_ => OnBeat(result))));
    }

    private void OnBeat(ConsumerHeartbeatResult result)
    {
        _isBeating = false;
        if (_isClosed)
        {
            return;
        }

        switch (result.Error)
        {
            case CoordinatorError.None:
                _epoch = result.MemberEpoch;
                _tellsOwned = false;
                _beatAtMs = Shard.NowMs + result.HeartbeatIntervalMs;
                if (result.Assignment is { } assignment)
                {
                    Take(assignment);
                }

                break;
            case CoordinatorError.FencedMemberEpoch or CoordinatorError.UnknownMemberId
                or CoordinatorError.GroupIdNotFound when _epoch != HeartbeatRules.Join:
                // The group went on without it: it begins again, with nothing.
                Release([.. _owned], commits: false);
                _epoch = HeartbeatRules.Join;
                _beatAtMs = 0;
                break;
            case CoordinatorError.CoordinatorNotAvailable or CoordinatorError.CoordinatorLoadInProgress:
                _beatAtMs = Shard.NowMs + RetryMs;
                break;
            default:
                _isClosed = true;
                queue.Refuse(new BrokerException(
                    BrokerError.PreconditionFailed,
                    $"group '{reader.Group}' does not take this consumer: {result.Message ?? $"{result.Error}"}"));
                break;
        }
    }

    private void Take(IReadOnlyCollection<TopicIdPartition> assignment)
    {
        HashSet<int> wanted = [.. assignment.Where(p => p.TopicId == stream.Id).Select(p => p.Partition)];
        int[] lost = [.. _owned.Where(p => !wanted.Contains(p))];
        Release(lost, commits: true);
        Own([.. wanted.Where(p => !_owned.Contains(p))]);
        if (lost.Length > 0)
        {
            // Who waits for these partitions is to hear of it soon.
            _beatAtMs = 0;
        }
    }

    private void Release(int[] partitions, bool commits)
    {
        if (commits)
        {
            Commit(partitions);
        }

        foreach (int partition in partitions)
        {
            _owned.Remove(partition);
            _committed.Remove(partition);
            Feed.Remove(partition);
            _tellsOwned = true;
        }
    }

    private void Own(int[] partitions)
    {
        if (partitions.Length == 0)
        {
            return;
        }

        _owned.UnionWith(partitions);
        _tellsOwned = true;
        OffsetFetchRequest request = new()
        {
            Member = Member,
            Partitions = [.. partitions.Select(p => new TopicPartition(stream.Name, p))],
        };
        coordinator.FetchOffsets(request, result => Shard.Post(new ShardAction(_ => OnOffsets(partitions, result))));
    }

    private void OnOffsets(int[] partitions, OffsetFetchResult result)
    {
        if (_isClosed)
        {
            return;
        }

        foreach (int number in partitions.Where(_owned.Contains))
        {
            FetchedOffset found = result.Offsets.FirstOrDefault(o => o.Partition.Partition == number);
            bool isKnown = result.Error == CoordinatorError.None && found.Error == CoordinatorError.None
                && found.Partition.Topic == stream.Name && found.Committed.Offset >= 0;
            if (stream.FindPartition(number) is { } partition)
            {
                long offset = isKnown ? found.Committed.Offset : reader.Start.OffsetIn(partition);
                _committed[number] = isKnown ? offset : -1;
                Feed.Add(partition, Math.Max(offset, partition.StartOffset));
            }
        }
    }

    private void Commit(IReadOnlyCollection<int> partitions)
    {
        List<OffsetToCommit> offsets = [];
        foreach (int number in partitions)
        {
            if (_committed.TryGetValue(number, out long committed) && Feed.FindCursor(number) is { } cursor
                && cursor.Progress.Mark > committed)
            {
                int epoch = cursor.Partition?.LeaderEpoch ?? -1;
                offsets.Add(new OffsetToCommit(
                    new TopicPartition(stream.Name, number), cursor.Progress.Mark, epoch, null));
            }
        }

        if (offsets.Count == 0 || _isClosed)
        {
            return;
        }

        OffsetCommitRequest request = new() { Member = Member, Offsets = offsets, KnowsGroupIdNotFound = true };
        coordinator.CommitOffsets(request, result => Shard.Post(new ShardAction(_ => OnCommitted(offsets, result))));
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
