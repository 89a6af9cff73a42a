using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Streams.Groups.Records;
using Pillarbox.Broker.Streams.Groups.Share;

namespace Pillarbox.Broker.Streams.Groups;

/// <summary>
/// Where share groups are in partitions: which records are free, with whom, or done. Any thread asks; answers come by
/// callback, once, on whichever thread drains the loop. An acknowledgement is answered when it is on disk.
/// </summary>
public sealed partial class ShareCoordinator : ICoordinatorReplay
{
    private readonly ShareOptions _options;
    private readonly CoordinatorLoop _loop;
    private readonly CoordinatorSeams _seams;
    private readonly CoordinatorStore _store;
    private readonly TimerHeap _timers = new();
    private readonly Dictionary<SharePartitionKey, Entry> _entries = [];
    private readonly Dictionary<(string Group, string Member), object> _sessions = [];
    private Action<ShareDeadLetter, Action<bool>>? _keep;

    private ShareCoordinator(ShareOptions options, ICoordinatorLog log, CoordinatorLoop loop, CoordinatorSeams seams)
    {
        _options = options;
        _loop = loop;
        _seams = seams;
        _store = new CoordinatorStore(log, loop);
        _store.Replay(this);
    }

    private long NowMs => _seams.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Reads back what the log has; ready when it returns.</summary>
    public static ShareCoordinator Open(
        ShareOptions options, ICoordinatorLog log, CoordinatorLoop loop, CoordinatorSeams seams) =>
        new(options, log, loop, seams);

    /// <summary>Says who keeps the records that nobody could do. It calls back once, on any thread: true when a record
    /// is on disk there, or needs no place; false: it is asked again. Until then the record is not done with, over
    /// restarts too; one may be kept twice. Before this is called, such records go.</summary>
    public void KeepDeadLetters(Action<ShareDeadLetter, Action<bool>> keep) => _loop.Post(() =>
    {
        _keep = keep;
        foreach (Entry entry in _entries.Values)
        {
            Listen(entry);
            HandOver(entry);
        }
    });

    /// <summary>Ends locks that are over. Called every 50 ms or so by the node.</summary>
    public void Tick() => _loop.Post(() => _timers.Run(NowMs));

    /// <summary>Asked what settings a group has of its own; on the loop.</summary>
    internal Func<string, GroupConfig> ConfigOf { get; set; } = _ => GroupConfig.Default;

    /// <summary>Where to read for a group; begins at an offset when the group never read here, unless groups read too
    /// many partitions already (PolicyViolation).</summary>
    /// <param name="key">Which group, which partition.</param>
    /// <param name="logStart">The first offset that the log still has.</param>
    /// <param name="beginAt">Where a group begins that is new here, unless it is to begin at the log's start.</param>
    /// <param name="byTime">The offset that a position of before asked to be found by <see
    /// cref="SharePosition.BeginAtMs"/>; null: none did.</param>
    /// <param name="done">Gets the answer.</param>
    public void Open(
        SharePartitionKey key, long logStart, long beginAt, long? byTime, Action<SharePosition> done) =>
        _loop.Post(() =>
        {
            if (!_entries.TryGetValue(key, out Entry? entry))
            {
                if (_entries.Count >= _options.PartitionsMax)
                {
                    done(SharePosition.Of(CoordinatorError.PolicyViolation));
                    return;
                }

                ShareStart start = ConfigOf(key.GroupId).ShareStart;
                if (start.Kind == ShareStartKind.ByDuration && byTime is null)
                {
                    long beginAtMs = Math.Max(0, NowMs - start.BackMs);
                    done(SharePosition.Of(CoordinatorError.None) with { BeginAtMs = beginAtMs });
                    return;
                }

                long begin = start.Kind == ShareStartKind.Earliest ? logStart
                    : start.Kind == ShareStartKind.ByDuration ? byTime!.Value
                    : beginAt;
                entry = Add(key, new SharePartition(Math.Max(begin, logStart), _options));
                Save(entry, ok => done(ok ? PositionOf(entry) : Unavailable));
                return;
            }

            if (entry.State.Trim(logStart))
            {
                Save(entry, null);
            }

            done(PositionOf(entry));
        });

    /// <summary>Gives a member what is free of the records that were read for it.</summary>
    public void Acquire(ShareAcquireRequest request, Action<ShareAcquireResult> done) => _loop.Post(() =>
    {
        if (!_entries.TryGetValue(request.Key, out Entry? entry))
        {
            done(ShareAcquireResult.Of(CoordinatorError.UnknownTopicOrPartition));
            return;
        }

        SharePartition state = Limited(entry);
        List<AcquiredRange> ranges = state.Acquire(request, NowMs);
        Watch(entry);
        done(new ShareAcquireResult { Ranges = ranges, LockMs = state.Limits.LockMs });
    });

    /// <summary>What a member did with records that it has.</summary>
    public void Acknowledge(
        SharePartitionKey key, string memberId, IReadOnlyList<ShareAcknowledgeRange> ranges,
        Action<PlainResult> done) => _loop.Post(() =>
        {
            CoordinatorError error = _entries.TryGetValue(key, out Entry? entry)
                ? Limited(entry).Acknowledge(memberId, ranges, NowMs)
                : CoordinatorError.UnknownTopicOrPartition;
            if (error != CoordinatorError.None)
            {
                done(new PlainResult(error));
                return;
            }

            Watch(entry!);
            Save(entry!, ok => done(new PlainResult(ok ? error : CoordinatorError.CoordinatorNotAvailable)));
        });

    /// <summary>A member begins a session, which stands for itself: whatever an earlier one of it has stays with the
    /// member.</summary>
    public void Enter(string groupId, string memberId, object session) =>
        _loop.Post(() => _sessions[(groupId, memberId)] = session);

    /// <summary>The connection of a session is gone: what its member has is free, unless the member has begun another
    /// one by now.</summary>
    public void Leave(string groupId, string memberId, object session) => _loop.Post(() =>
    {
        if (ReferenceEquals(_sessions.GetValueOrDefault((groupId, memberId)), session))
        {
            ReleaseNow(groupId, memberId);
        }
    });

    /// <summary>A member has gone, or its session has ended: what it has is free.</summary>
    public void Release(string groupId, string memberId) => _loop.Post(() => ReleaseNow(groupId, memberId));

    /// <summary>The limits that count for a group now.</summary>
    public void LimitsOf(string groupId, Action<ShareLimits> done) => _loop.Post(() =>
        done(new ShareLimits(CoordinatorError.None, ConfigOf(groupId).ShareLockMs ?? _options.LockMs)));

    /// <summary>Where a group is in a partition, without beginning there.</summary>
    public void Describe(SharePartitionKey key, Action<SharePosition> done) => _loop.Post(() =>
        done(_entries.TryGetValue(key, out Entry? entry)
            ? PositionOf(entry)
            : SharePosition.Of(CoordinatorError.None)));

    /// <summary>Where a group begins in each partition that it reads.</summary>
    public void Starts(string groupId, Action<IReadOnlyList<(SharePartitionKey Key, long StartOffset)>> done) =>
        _loop.Post(() => done([.. _entries.Values.Where(entry => entry.Key.GroupId == groupId)
            .Select(entry => (entry.Key, entry.State.StartOffset))]));

    /// <summary>Sets a group that nobody is in to an offset. The caller has made sure of that.</summary>
    public void Reset(SharePartitionKey key, long startOffset, Action<PlainResult> done) => _loop.Post(() =>
    {
        if (!_entries.ContainsKey(key) && _entries.Count >= _options.PartitionsMax)
        {
            done(new PlainResult(CoordinatorError.PolicyViolation));
            return;
        }

        Remove(key);
        Entry entry = Add(key, new SharePartition(startOffset, _options));
        Save(entry, ok => done(new PlainResult(ok ? CoordinatorError.None : CoordinatorError.CoordinatorNotAvailable)));
    });

    /// <summary>Forgets all partitions of a group, or those of a topic, for which a condition holds.</summary>
    public void Forget(Predicate<SharePartitionKey> which, Action<PlainResult> done) => _loop.Post(() =>
    {
        CoordinatorError error = CoordinatorError.None;
        foreach (SharePartitionKey key in _entries.Keys.Where(k => which(k)).ToArray())
        {
            CoordinatorError refusal = _store.Write(
                _entries[key].Partition, ProducerStamp.None, [ShareRecords.StateGone(key)], out _);
            error = refusal == CoordinatorError.None ? error : refusal;
            if (refusal == CoordinatorError.None)
            {
                Remove(key);
            }
        }

        done(new PlainResult(error));
    });

    void ICoordinatorReplay.OnRecord(int partition, ProducerStamp producer, ReadOnlySpan<byte> key, byte[]? value)
    {
        try
        {
            if (!ShareRecords.TryReadKey(key, out SharePartitionKey place))
            {
                return;
            }

            Remove(place);
            if (value is not null)
            {
                Add(place, ShareRecords.ReadState(value, _options));
            }
        }
        catch (RecordFormatException e)
        {
            LogUnreadable(_seams.Logger, partition, e.Message);
        }
    }

    void ICoordinatorReplay.OnMarker(int partition, ProducerStamp producer, bool committed)
    {
        // Nothing in this stream is written under a transaction.
    }

    private static SharePosition Unavailable => SharePosition.Of(CoordinatorError.CoordinatorNotAvailable);

    private SharePosition PositionOf(Entry entry) =>
        new(CoordinatorError.None, entry.State.StartOffset, entry.State.NextOffset, entry.State.InFlight)
        {
            Isolation = ConfigOf(entry.Key.GroupId).ShareIsolationLevel,
        };

    // The window under the limits that count now: a group's settings may have changed.
    private SharePartition Limited(Entry entry)
    {
        GroupConfig config = ConfigOf(entry.Key.GroupId);
        if (!ReferenceEquals(config, entry.Config))
        {
            entry.Config = config;
            entry.State.Limits = config.Limit(_options);
        }

        return entry.State;
    }

    private Entry Add(SharePartitionKey key, SharePartition state)
    {
        string name = $"{key.GroupId}:{key.Partition.TopicId}:{key.Partition.Partition}";
        Entry entry = new(key, state, _store.PartitionOf(name));
        Listen(entry);
        entry.Locks = new CoordinatorTimer(() => Expire(entry));
        _entries.Add(key, entry);
        return entry;
    }

    private void Listen(Entry entry)
    {
        if (_keep is not null)
        {
            entry.State.DeadLettered = (offset, count, rejected) => HandOver(entry, offset, count, rejected);
        }
    }

    // All that waits, from before the start too: what was said of it then is not known any more.
    private void HandOver(Entry entry)
    {
        foreach ((long offset, short count) in entry.State.Archiving)
        {
            HandOver(entry, offset, count, isRejected: count < Limited(entry).Limits.DeliveryCountMax);
        }
    }

    private void HandOver(Entry entry, long offset, short count, bool isRejected)
    {
        if (entry.Leaving.Add(offset))
        {
            _keep!(
                new ShareDeadLetter(entry.Key, offset, count, isRejected),
                isKept => _loop.Post(() => OnHandedOver(entry, offset, isKept)));
        }
    }

    private void OnHandedOver(Entry entry, long offset, bool isKept)
    {
        entry.Leaving.Remove(offset);
        if (!isKept)
        {
            entry.Again ??= new CoordinatorTimer(() => HandOver(entry));
            _timers.Arm(entry.Again, NowMs + _options.RetryMs);
        }
        else if (entry.State.Bury(offset))
        {
            Save(entry, null);
        }
    }

    private void Remove(SharePartitionKey key)
    {
        if (_entries.Remove(key, out Entry? entry))
        {
            TimerHeap.Cancel(entry.Locks);
            TimerHeap.Cancel(entry.Again);
        }
    }

    private void Watch(Entry entry)
    {
        if (entry.State.NextLockMs != long.MaxValue)
        {
            _timers.Arm(entry.Locks!, entry.State.NextLockMs);
        }
    }

    private void Expire(Entry entry)
    {
        if (Limited(entry).Expire(NowMs))
        {
            Save(entry, null);
        }

        Watch(entry);
    }

    // One write at a time: what comes meanwhile goes with the next, so that a busy partition writes no more often
    // than the disk takes it.
    private void Save(Entry entry, Action<bool>? done)
    {
        entry.IsDirty = true;
        if (done is not null)
        {
            entry.Waiting.Add(done);
        }

        Write(entry);
    }

    private void Write(Entry entry)
    {
        if (entry.IsWriting || !entry.IsDirty || _entries.GetValueOrDefault(entry.Key) != entry)
        {
            return;
        }

        Action<bool>[] answered = [.. entry.Waiting];
        entry.Waiting.Clear();
        CoordinatorRecord record = ShareRecords.State(entry.Key, entry.State, ++entry.Writes, NowMs);
        CoordinatorError refusal = _store.Write(entry.Partition, ProducerStamp.None, [record], out long number);
        if (refusal != CoordinatorError.None)
        {
            Answer(answered, false);
            entry.Retry ??= new CoordinatorTimer(() => Write(entry));
            _timers.Arm(entry.Retry, NowMs + _options.RetryMs);
            return;
        }

        entry.IsDirty = false;
        entry.IsWriting = true;
        _store.WhenDurable(entry.Partition, number, ok =>
        {
            entry.IsWriting = false;
            Answer(answered, ok);
            Write(entry);
        });
    }

    private void ReleaseNow(string groupId, string memberId)
    {
        _sessions.Remove((groupId, memberId));
        foreach (Entry entry in _entries.Values)
        {
            if (entry.Key.GroupId == groupId && Limited(entry).Release(memberId))
            {
                Save(entry, null);
            }
        }
    }

    private static void Answer(Action<bool>[] answered, bool ok)
    {
        foreach (Action<bool> done in answered)
        {
            done(ok);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Partition {Partition} of the share groups' stream holds a record that is left out: {Reason}")]
    private static partial void LogUnreadable(ILogger logger, int partition, string reason);

    private sealed class Entry(SharePartitionKey key, SharePartition state, int partition)
    {
        public SharePartitionKey Key { get; } = key;

        public SharePartition State { get; } = state;

        public int Partition { get; } = partition;

        /// <summary>The settings that the window's limits are of; null: the node's.</summary>
        public GroupConfig? Config { get; set; }

        public int Writes { get; set; }

        public bool IsDirty { get; set; }

        public bool IsWriting { get; set; }

        public List<Action<bool>> Waiting { get; } = [];

        public CoordinatorTimer? Locks { get; set; }

        public CoordinatorTimer? Retry { get; set; }

        /// <summary>Dead letters that somebody is about to keep.</summary>
        public HashSet<long> Leaving { get; } = [];

        /// <summary>When to hand those over again that were not kept.</summary>
        public CoordinatorTimer? Again { get; set; }
    }
}
