using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Simulation.Tests.History;

namespace Pillarbox.Simulation.Tests.Streams;

/// <summary>
/// Writes transactions over several partitions, some with offsets of a group; commits or aborts them, or is gone in the
/// middle and begins another life, which fences the one before. Speaks the first or the second version of the protocol.
/// </summary>
internal sealed class TransactionalProducer(StreamWorld world, string name, string id, short version)
    : StreamClient(world, name)
{
    /// <summary>The group whose offsets are committed in transactions.</summary>
    public const string Group = "pipeline";

    private const int TimeoutMs = 8_000;
    private readonly Dictionary<(string, int), SequencedWriter> _writers = [];
    private readonly HashSet<(string, int)> _entered = [];
    private (string Stream, int Number)? _entering;
    private ProducerStamp? _stamp;
    private Unit? _unit;
    private OffsetCommit? _offset;
    private bool _isAsking;
    private bool _isCommittingOffset;
    private bool? _ends;

    public override bool IsDone => _unit is null && !_isAsking;

    private TransactionRef Who => new(id, _stamp!.Value, version);

    public override void NodeDied()
    {
        _isAsking = false;
        _entering = null;
        if (_isCommittingOffset)
        {
            // What became of the offset is not known, so the transaction must not commit.
            _isCommittingOffset = false;
            _ends = false;
        }

        foreach (SequencedWriter writer in _writers.Values)
        {
            writer.NodeDied();
        }
    }

    public override void Step()
    {
        if (_isAsking)
        {
            return;
        }

        if (_stamp is null)
        {
            if (!World.IsEnding || _unit is not null)
            {
                Init();
            }
        }
        else if (_unit is null)
        {
            Begin();
        }
        else if (World.Random.Next(150) == 0)
        {
            Die();
        }
        else
        {
            GoOn();
        }
    }

    private void GoOn()
    {
        if (SendAll())
        {
            return;
        }

        bool isIdle = _writers.Values.All(static writer => writer.IsIdle);
        if (_ends is not null || (isIdle && (World.IsEnding || World.Random.Next(4) == 0)))
        {
            End();
        }
        else if (World.Random.Next(6) == 0 && _offset is null)
        {
            CommitOffset();
        }
        else if (World.Random.Next(3) != 0)
        {
            Write();
        }
    }

    private void Init() => World.Ask<ProducerResult>(
        ref _isAsking,
        (all, done) => all.Transactions.InitProducer(
            new InitProducerRequest(id, TimeoutMs, ProducerStamp.None), done),
        result =>
        {
            _isAsking = false;
            if (result.Error == CoordinatorError.None)
            {
                _stamp = result.Producer;
                World.History.Fence(id, result.Producer.Epoch, World.Tick());
                ResetWriters();
            }
        });

    private void Begin()
    {
        if (World.IsEnding)
        {
            return;
        }

        _unit = World.History.Begin(Name, true, World.Tick(), id, _stamp!.Value.Epoch);
        _ends = null;
        _offset = null;
        _entered.Clear();
    }

    private void Write()
    {
        (string stream, int number) = _entering ?? World.Pick();
        if (!_entered.Contains((stream, number)))
        {
            Enter(stream, number);
            return;
        }

        if (!_writers.TryGetValue((stream, number), out SequencedWriter? writer))
        {
            _writers[(stream, number)] = writer = new SequencedWriter(World, stream, number);
        }

        if (writer.HasRoom)
        {
            string? key = stream == StreamWorld.Table ? $"k{World.Random.Next(8)}" : null;
            writer.Add([_unit!.Send(writer.Partition, World.NewValue(Name), World.Tick(), key)]);
        }
    }

    // Version 2 adds the partition with the first batch, version 1 before it.
    private void Enter(string stream, int number)
    {
        TopicPartition[] partitions = [new(stream, number)];
        World.Ask<PartitionsResult>(
            ref _isAsking,
            (all, done) => all.Transactions.AddPartitions(Who, partitions, done),
            result =>
            {
                _isAsking = false;
                CoordinatorError error = result.Error != CoordinatorError.None || result.Partitions.Count == 0
                    ? result.Error
                    : result.Partitions[0];
                if (error == CoordinatorError.None)
                {
                    _entered.Add((stream, number));
                }
                else if (!IsPassing(error))
                {
                    Die();
                }
            });
    }

    /// <summary>Sends what is to be sent; true when the producer is gone by that.</summary>
    private bool SendAll()
    {
        foreach (SequencedWriter writer in _writers.Values)
        {
            StreamError error = writer.Send(_stamp!.Value, true, version >= 2);
            if (error is StreamError.InvalidProducerEpoch or StreamError.InvalidTransactionState)
            {
                Die();
                return true;
            }

            Violation.Unless(error == StreamError.None, $"{Name}'s batch to {writer.Partition} is refused: {error}");
        }

        return false;
    }

    private void CommitOffset()
    {
        string partition = StreamWorld.NameOf(StreamWorld.Events, 0);
        long offset = World.Random.Next(1_000_000);
        _offset = World.History.Commit(Group, partition, offset, World.Tick(), _unit);
        OffsetCommitRequest request = new()
        {
            Member = new GroupMemberRef(Group, -1, "", null),
            Offsets = [new OffsetToCommit(new TopicPartition(StreamWorld.Events, 0), offset, -1, null)],
        };
        _isCommittingOffset = true;
        bool isAsked = World.Ask<OffsetCommitResult>(
            ref _isAsking,
            (all, done) =>
            {
                if (version >= 2)
                {
                    all.CommitOffsets(Who, request, done);
                }
                else
                {
                    all.Transactions.AddOffsets(Who, Group, added =>
                    {
                        if (added.Error == CoordinatorError.None)
                        {
                            all.CommitOffsets(Who, request, done);
                        }
                        else
                        {
                            done(OffsetCommitResult.Of(added.Error));
                        }
                    });
                }
            },
            result =>
            {
                _isAsking = _isCommittingOffset = false;
                CoordinatorError error = result.Error == CoordinatorError.None ? result.Offsets[0] : result.Error;
                if (error != CoordinatorError.None)
                {
                    _ends = false;
                    if (!IsPassing(error))
                    {
                        Die();
                    }
                }
            });
        if (!isAsked)
        {
            _isCommittingOffset = false;
            _ends = false;
        }
    }

    private void End()
    {
        _ends ??= World.Random.Next(3) != 0;
        bool commit = _ends.Value;
        if (!_writers.Values.All(static writer => writer.IsIdle))
        {
            return;
        }

        if (commit)
        {
            _unit!.AskCommit(World.Tick());
        }

        if (_entered.Count == 0 && _offset is null)
        {
            Finish(commit ? Outcome.Good : Outcome.Failed, _stamp!.Value);
            return;
        }

        World.Ask<ProducerResult>(
            ref _isAsking,
            (all, done) => all.Transactions.EndTransaction(Who, commit, done),
            result =>
            {
                _isAsking = false;
                if (result.Error == CoordinatorError.None)
                {
                    Finish(commit ? Outcome.Good : Outcome.Failed, version >= 2 ? result.Producer : _stamp!.Value);
                }
                else if (!IsPassing(result.Error))
                {
                    Die();
                }
            });
    }

    private void Finish(Outcome outcome, ProducerStamp next)
    {
        _unit!.End(outcome, World.Tick());
        _unit = null;
        _offset = null;
        _ends = null;
        if (next != _stamp)
        {
            _stamp = next;
            ResetWriters();
        }
    }

    // Another life will begin. A transaction that was never asked to commit cannot count any more.
    private void Die()
    {
        if (_unit is { } unit)
        {
            unit.End(unit.CommitAskedAt == long.MaxValue ? Outcome.Failed : Outcome.Unknown, World.Tick());
        }

        _unit = null;
        _offset = null;
        _ends = null;
        _stamp = null;
        _isAsking = _isCommittingOffset = false;
        _entering = null;
        ResetWriters();
    }

    private void ResetWriters() => _writers.Clear();

    private static bool IsPassing(CoordinatorError error) => error is CoordinatorError.ConcurrentTransactions
        or CoordinatorError.CoordinatorNotAvailable or CoordinatorError.CoordinatorLoadInProgress;
}
