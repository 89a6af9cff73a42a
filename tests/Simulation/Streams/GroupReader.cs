using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Simulation.Tests.History;

namespace Pillarbox.Simulation.Tests.Streams;

/// <summary>A member of a group of the <c>consumer</c> protocol: reads what it is assigned from where the group was,
/// commits now and then, leaves or is gone without a word.</summary>
internal sealed class GroupReader(StreamWorld world, string name) : StreamClient(world, name)
{
    public const string Group = "readers";

    private readonly Dictionary<int, Position> _positions = [];
    private string _memberId = "";
    private int _epoch;
    private long _nextBeatMs;
    private CoordinatorError _lastError;

    /// <summary>An answer may be lost: the next heartbeat says everything, and is told everything.</summary>
    private bool _isFull = true;

    private bool _isBeating;
    private bool _isCommitting;
    private int _lives;

    public override bool IsDone => !_isCommitting && _positions.Values.All(IsAtEnd);

    /// <summary>Whether it is in the group and has something to read.</summary>
    public bool IsReading => _positions.Count > 0;

    /// <summary>How many partitions it has.</summary>
    public int Assigned => _positions.Count;

    private long NowMs => World.Node.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    public override string ToString() =>
        $"{Name} of epoch {_epoch} has {string.Join('+', _positions.Keys)}, last told {_lastError}";

    public override void NodeDied()
    {
        _isBeating = _isCommitting = false;
        _isFull = true;
        foreach (Position position in _positions.Values)
        {
            position.IsAsking = false;
        }
    }

    public override void Step()
    {
        if (!_isBeating && NowMs >= _nextBeatMs)
        {
            Beat();
        }
        else if (!World.IsEnding && World.Random.Next(300) == 0)
        {
            Go(World.Random.Next(2) == 0);
        }
        else if (!_isCommitting && World.Random.Next(10) == 0)
        {
            Commit();
        }
        else if (_positions.Count > 0)
        {
            Poll(_positions.ElementAt(World.Random.Next(_positions.Count)).Value);
        }
    }

    private bool IsAtEnd(Position position) =>
        position.Life is not null
        && position.Offset >= World.Find(StreamWorld.Events, position.Number).LastStableOffset;

    private void Beat()
    {
        Guid stream = World.Node.Broker.Streams.Find(StreamWorld.Events)!.Id;
        ConsumerHeartbeatRequest request = new()
        {
            GroupId = Group,
            MemberId = _memberId,
            MemberEpoch = _epoch,
            RebalanceTimeoutMs = _isFull ? 10_000 : -1,
            SubscribedTopics = _isFull ? [StreamWorld.Events] : null,
            Owned = [.. _positions.Keys.Select(number => new TopicIdPartition(stream, number))],
            Client = new GroupClient(Name, "/127.0.0.1"),
        };
        World.Ask<ConsumerHeartbeatResult>(
            ref _isBeating, (all, done) => all.Groups.ConsumerHeartbeat(request, done), OnBeat);
    }

    private void OnBeat(ConsumerHeartbeatResult result)
    {
        _isBeating = false;
        _lastError = result.Error;
        if (result.Error is CoordinatorError.FencedMemberEpoch or CoordinatorError.UnknownMemberId
            or CoordinatorError.GroupIdNotFound)
        {
            Forget();
            return;
        }

        _isFull = result.Error != CoordinatorError.None;
        if (_isFull)
        {
            return;
        }

        (_memberId, _epoch) = (result.MemberId, result.MemberEpoch);
        _nextBeatMs = NowMs + Math.Min(result.HeartbeatIntervalMs, 500);
        if (result.Assignment is { } assignment)
        {
            HashSet<int> assigned = [.. assignment.Select(p => p.Partition)];
            foreach (int gone in _positions.Keys.Where(number => !assigned.Contains(number)).ToArray())
            {
                _positions.Remove(gone);
                _nextBeatMs = 0;
            }

            foreach (int number in assigned)
            {
                _positions.TryAdd(number, new Position(number));
            }
        }
    }

    private void Forget()
    {
        _epoch = 0;
        _isFull = true;
        _memberId = "";
        _nextBeatMs = 0;
        _positions.Clear();
    }

    private void Go(bool saysSo)
    {
        if (saysSo && _epoch > 0)
        {
            ConsumerHeartbeatRequest leaving = new() { GroupId = Group, MemberId = _memberId, MemberEpoch = -1 };
            bool isLeaving = false;
            World.Ask<ConsumerHeartbeatResult>(
                ref isLeaving, (all, done) => all.Groups.ConsumerHeartbeat(leaving, done), static _ => { });
        }

        Forget();
    }

    private void Poll(Position position)
    {
        if (position.Life is not { } life)
        {
            if (!position.IsAsking)
            {
                FindOffset(position);
            }

            return;
        }

        RecordPage page = RecordPage.Read(
            World, StreamWorld.Events, position.Number, position.Offset, true, 1 << (6 + World.Random.Next(8)));
        Violation.Unless(page.Error is StreamError.None or StreamError.StorageFailed, $"{Name} reads: {page.Error}");
        if (page.Records.Count > 0)
        {
            life.Poll(page.Records);
        }

        position.Offset = page.NextOffset;
    }

    private void FindOffset(Position position)
    {
        long askedAt = World.Tick();
        OffsetFetchRequest request = new()
        {
            Member = new GroupMemberRef(Group, _epoch, _memberId, null),
            Partitions = [new TopicPartition(StreamWorld.Events, position.Number)],
            RequireStable = true,
        };
        World.Ask<OffsetFetchResult>(
            ref position.IsAsking,
            (all, done) => all.Groups.FetchOffsets(request, done),
            result =>
            {
                position.IsAsking = false;
                if (result.Error != CoordinatorError.None || result.Offsets[0].Error != CoordinatorError.None)
                {
                    return;
                }

                long offset = result.Offsets[0].Committed.Offset;
                string partition = StreamWorld.NameOf(StreamWorld.Events, position.Number);
                World.History.ReadOffset(Group, partition, offset, askedAt, World.Tick());
                position.Life = World.History.BeginLife($"{Name}.{_lives++}", true, Group);
                position.Offset = Math.Max(0, offset);
            });
    }

    private void Commit()
    {
        (Position Position, OffsetCommit Commit)[] commits = [.. _positions.Values.Where(p => p.Life is not null)
            .Select(p => (p, World.History.Commit(
                Group, StreamWorld.NameOf(StreamWorld.Events, p.Number), p.Offset, World.Tick())))];
        if (commits.Length == 0)
        {
            return;
        }

        OffsetCommitRequest request = new()
        {
            Member = new GroupMemberRef(Group, _epoch, _memberId, null),
            Offsets = [.. commits.Select(c => new OffsetToCommit(
                new TopicPartition(StreamWorld.Events, c.Position.Number), c.Commit.Offset, -1, null))],
            KnowsGroupIdNotFound = true,
        };
        World.Ask<OffsetCommitResult>(
            ref _isCommitting,
            (all, done) => all.Groups.CommitOffsets(request, done),
            result =>
            {
                _isCommitting = false;
                for (int i = 0; i < commits.Length; i++)
                {
                    CoordinatorError error = result.Error == CoordinatorError.None ? result.Offsets[i] : result.Error;
                    commits[i].Commit.End(OutcomeOf(error), World.Tick());
                }
            });
    }

    private static Outcome OutcomeOf(CoordinatorError error) => error switch
    {
        CoordinatorError.None => Outcome.Good,
        CoordinatorError.CoordinatorNotAvailable => Outcome.Unknown,
        _ => Outcome.Failed,
    };

    private sealed class Position(int number)
    {
        public bool IsAsking;

        public int Number => number;

        public long Offset { get; set; }

        /// <summary>Null until it knows where the group was.</summary>
        public ReaderLife? Life { get; set; }
    }
}
