using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Groups.Consumer;
using Pillarbox.Broker.Streams.Reading;

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
internal sealed partial class GroupReading(
    Queue queue, RecordStream stream, GroupCoordinator coordinator, GroupReader reader)
{
    private const int CommitMs = 500;
    private const int RebalanceTimeoutMs = 60_000;
    private const int RetryMs = 1000;
    private const int AskAgain = 0;

    private readonly Dictionary<int, long> _committed = [];
    private readonly HashSet<int> _owned = [];

    /// <summary>Owned partitions whose place is not known yet, each with the question that was asked for it;
    /// <see cref="AskAgain"/>: it was not answered.</summary>
    private readonly Dictionary<int, int> _unplaced = [];

    private int _questions;
    private long _askAtMs;
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

        if (_unplaced.Count > 0 && nowMs >= _askAtMs)
        {
            Ask([.. _unplaced.Where(one => one.Value == AskAgain).Select(one => one.Key)]);
        }

        if (nowMs >= _commitAtMs)
        {
            _commitAtMs = nowMs + CommitMs;
            Commit(_owned);
        }
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
            _unplaced.Remove(partition);
            _inTransaction.Remove(partition);
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
        Ask(partitions);
    }

    /// <summary>Where does the group stand? What an open transaction is about to commit is waited for: its records may
    /// have been worked off.</summary>
    private void Ask(int[] partitions)
    {
        if (partitions.Length == 0)
        {
            return;
        }

        int question = ++_questions;
        Array.ForEach(partitions, partition => _unplaced[partition] = question);
        OffsetFetchRequest request = new()
        {
            Member = Member,
            Partitions = [.. partitions.Select(p => new TopicPartition(stream.Name, p))],
            RequireStable = true,
        };
        coordinator.FetchOffsets(request, result => Shard.Post(new ShardAction(_ => OnOffsets(question, result))));
    }

    // A partition that was lost meanwhile, and perhaps won again, has another question.
    private void OnOffsets(int question, OffsetFetchResult result)
    {
        if (_isClosed)
        {
            return;
        }

        foreach (int number in _unplaced.Where(one => one.Value == question).Select(one => one.Key).ToArray())
        {
            TopicPartition wanted = new(stream.Name, number);
            FetchedOffset found = result.Offsets.FirstOrDefault(offset => offset.Partition == wanted);
            bool isKnown = result.Error == CoordinatorError.None && found.Error == CoordinatorError.None
                && found.Partition == wanted;
            if (isKnown)
            {
                _unplaced.Remove(number);
                Begin(number, found.Committed.Offset);
            }
            else
            {
                _unplaced[number] = AskAgain;
                _askAtMs = Shard.NowMs + RetryMs;
            }
        }
    }

    private void Begin(int number, long committed)
    {
        if (stream.FindPartition(number) is { } partition)
        {
            _committed[number] = committed;
            long offset = committed >= 0 ? committed : reader.Start.OffsetIn(partition);
            Feed.Add(partition, Math.Max(offset, partition.StartOffset));
        }
    }
}
