using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Broker.Tests.Streams.Groups;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Streams.Transactions;

/// <summary>
/// Producers of both versions that write transactions over several partitions, lose answers, are replaced by another
/// life of theirs and take too long, over a coordinator that crashes at every point and loses what was not on disk.
/// Every transaction is seen whole or not at all by readers of committed records; what was answered holds.
/// </summary>
public sealed class TransactionSimulationTests
{
    private const int Steps = 3000;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Transactions_are_whole_whatever_fails(int run)
    {
        SeededRandom random = Seeds.New(out string seed);
        for (int i = 0; i < run; i++)
        {
            random.NextUInt64();
        }

        Life life = new(new SeededRandom(random.NextUInt64()), $"{seed} run {run}");
        for (int step = 0; step < Steps; step++)
        {
            life.Step();
        }

        life.Settle();
    }

    private enum Outcome
    {
        Unknown,
        Committed,
        Aborted,
    }

    /// <summary>One transaction as its producer knows it.</summary>
    private sealed class Attempt(string name)
    {
        public string Name => name;

        /// <summary>Partitions with a record of it that was taken.</summary>
        public List<int> Written { get; } = [];

        public Outcome Outcome { get; set; }

        /// <summary>Whether a commit was ever asked for.</summary>
        public bool AskedToCommit { get; set; }
    }

    /// <summary>A producer: one step of its program at a time.</summary>
    private sealed class Producer(TransactionScene scene, SeededRandom random, string id, int version)
    {
        private Answer<ProducerResult>? _result;
        private Answer<PartitionsResult>? _added;
        private int _adding;
        private bool _commits;
        private bool _mayWrite;
        private int _names;

        public required string Label { get; init; }

        public ProducerStamp? Stamp { get; private set; }

        public Attempt? Current { get; private set; }

        public List<Attempt> All { get; } = [];

        public void Step()
        {
            if (_added is not null)
            {
                TakeAdded();
            }
            else if (_result is not null)
            {
                TakeResult();
            }
            else if (Stamp is null)
            {
                _result = scene.InitLater(id, null, 8_000);
            }
            else if (Current is null || random.Next(4) != 0)
            {
                Write(Stamp.Value);
            }
            else
            {
                End(random.Next(3) != 0);
            }
        }

        /// <summary>The connection breaks: the producer does not learn what became of its request.</summary>
        public void Disconnect()
        {
            _added = null;
            if (_result is not null)
            {
                _result = null;
                Die();
            }
        }

        /// <summary>Another life of it begins; what was open is unknown to it.</summary>
        public void Die()
        {
            Stamp = null;
            Current = null;
            _result = null;
            _added = null;
        }

        private void Write(ProducerStamp stamp)
        {
            Current ??= Begin();
            int partition = random.Next(4);
            if (Current.Written.Contains(partition))
            {
                Append(stamp, partition);
                return;
            }

            _adding = partition;
            _added = scene.AddLater(stamp, version, id, partition);
        }

        private Attempt Begin()
        {
            Attempt attempt = new($"{Label}-{_names++}");
            All.Add(attempt);
            _mayWrite = true;
            return attempt;
        }

        private void TakeAdded()
        {
            if (!_added!.HasCome)
            {
                return;
            }

            CoordinatorError error = TransactionScene.ErrorOf(_added.Value);
            _added = null;
            if (error == CoordinatorError.None)
            {
                Append(Stamp!.Value, _adding);
            }
            else if (error is CoordinatorError.ProducerFenced or CoordinatorError.InvalidProducerIdMapping)
            {
                Die();
            }
        }

        private void Append(ProducerStamp stamp, int partition)
        {
            if (!_mayWrite || Current is null)
            {
                return;
            }

            if (scene.Append(stamp, partition, Current.Name))
            {
                Current.Written.Add(partition);
            }
            else
            {
                Die();
            }
        }

        private void End(bool commit)
        {
            _commits = commit;
            Current!.AskedToCommit |= commit;
            _mayWrite = false;
            _result = scene.EndLater(Stamp!.Value, commit, version, id);
        }

        private void TakeResult()
        {
            if (!_result!.HasCome)
            {
                return;
            }

            ProducerResult result = _result.Value;
            _result = null;
            bool ended = Stamp is not null;
            if (result.Error is CoordinatorError.ConcurrentTransactions or CoordinatorError.CoordinatorNotAvailable)
            {
                _result = ended ? scene.EndLater(Stamp!.Value, _commits, version, id) : null;
            }
            else if (result.Error != CoordinatorError.None)
            {
                Die();
            }
            else if (!ended)
            {
                Stamp = result.Producer;
            }
            else
            {
                Current!.Outcome = _commits ? Outcome.Committed : Outcome.Aborted;
                Current = null;
                Stamp = version == 2 ? result.Producer : Stamp;
            }
        }
    }

    private sealed class Life
    {
        private readonly SeededRandom _random;
        private readonly string _seed;
        private readonly TransactionScene _scene = new();
        private readonly List<Producer> _producers = [];

        public Life(SeededRandom random, string seed)
        {
            _random = random;
            _seed = seed;
            for (int i = 0; i < 4; i++)
            {
                // Two lives of one name fence each other.
                _producers.Add(new Producer(_scene, random, $"x{i / 2}", i < 2 ? 2 : 1) { Label = $"p{i}" });
            }
        }

        public void Step()
        {
            Act();
            _producers[_random.Next(_producers.Count)].Step();
            if (_scene.Partitions.Held > 0 && _random.Next(2) == 0)
            {
                _scene.Partitions.ReleaseOne(_random.Next(_scene.Partitions.Held));
            }
        }

        public void Settle()
        {
            _scene.Log.SyncsAtOnce = true;
            _scene.Log.IsFull = false;
            _scene.Log.Sync();
            _scene.Partitions.HoldsMarkers = false;
            _scene.Partitions.Release(_random.Next);
            _scene.Advance(20_000);
            for (int i = 0; i < 2; i++)
            {
                Assert.True(
                    _scene.Describe($"x{i}").State is not (TransactionState.PrepareAbort
                        or TransactionState.PrepareCommit or TransactionState.Ongoing),
                    $"{_scene.Describe($"x{i}").State} {_seed}");
            }

            Check();
        }

        private void Act()
        {
            switch (_random.Next(40))
            {
                case 0:
                    _scene.Crash(_random.Next(_scene.Log.Unsynced + 1));
                    _producers.ForEach(p => p.Disconnect());
                    break;
                case 1:
                    _producers[_random.Next(_producers.Count)].Disconnect();
                    break;
                case 2:
                    _producers[_random.Next(_producers.Count)].Die();
                    break;
                case 3:
                    _scene.Log.SyncsAtOnce = !_scene.Log.SyncsAtOnce;
                    break;
                case 4:
                    _scene.Partitions.HoldsMarkers = !_scene.Partitions.HoldsMarkers;
                    break;
                case 5:
                    _scene.Log.IsFull = _random.Next(4) == 0;
                    break;
                case 6:
                    _scene.Partitions.Refusals = _random.Next(4);
                    break;
                case 7:
                    _scene.Advance(_random.Next(9_000));
                    break;
                case < 14:
                    _scene.Log.Sync();
                    break;
                default:
                    _scene.Advance(_random.Next(200));
                    break;
            }
        }

        private void Check()
        {
            List<string>[] seen = [.. Enumerable.Range(0, 4).Select(p =>
                _scene.Read(p) ?? throw new InvalidOperationException($"partition {p} is still undecided {_seed}"))];
            int committed = 0;
            foreach (Attempt attempt in _producers.SelectMany(p => p.All))
            {
                int[] places = [.. attempt.Written.Distinct().Where(p => seen[p].Contains(attempt.Name))];
                bool whole = places.Length == attempt.Written.Distinct().Count();
                Assert.True(whole || places.Length == 0, $"{attempt.Name} is torn {_seed}");
                bool visible = places.Length > 0;
                committed += visible ? 1 : 0;
                Assert.True(
                    attempt.Outcome != Outcome.Committed || attempt.Written.Count == 0 || visible,
                    $"{attempt.Name} was committed and is not there {_seed}");
                Assert.True(
                    attempt.Outcome != Outcome.Aborted || !visible, $"{attempt.Name} was aborted and is there {_seed}");
                Assert.True(attempt.AskedToCommit || !visible, $"nobody committed {attempt.Name} {_seed}");
            }

            Assert.True(committed > 5, $"only {committed} transactions came through {_seed}");
        }
    }
}
