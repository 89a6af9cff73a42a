using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>
/// Classic members that join, leave, die, sleep and come back, over a coordinator that crashes. In a generation no
/// partition is with two members; nobody outside of the generation commits; and when all is quiet everybody has a
/// share and everything is with somebody.
/// </summary>
public sealed class ClassicSimulationTests
{
    private const int Steps = 2000;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Generations_are_whole_and_the_group_never_gets_stuck(int run)
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

    /// <summary>A client of the classic protocol.</summary>
    private sealed class Client(GroupScene scene, string? instance)
    {
        private Answer<JoinResult>? _join;
        private Answer<SyncResult>? _sync;
        private long _nextBeatMs;

        public string MemberId { get; private set; } = "";

        public int Generation { get; private set; } = -1;

        /// <summary>What it has in <see cref="Generation"/>; null = it does not know.</summary>
        public string? Assignment { get; private set; }

        public void Step()
        {
            if (_join is { HasCome: true } joined)
            {
                _join = null;
                Joined(joined.Value);
            }
            else if (_sync is { HasCome: true } synced)
            {
                _sync = null;
                Synced(synced.Value);
            }
            else if (_join is null && _sync is null && Generation < 0)
            {
                _join = scene.Join(MemberId, instance, knownId: true, rebalanceMs: 20_000);
            }
            else if (Assignment is not null && scene.Clock.NowMs >= _nextBeatMs)
            {
                _nextBeatMs = scene.Clock.NowMs + 1_000;
                Handle(scene.Heartbeat(MemberId, Generation, instance));
            }
        }

        public void Leave() => scene.Leave(MemberId, instance);

        /// <summary>The connection breaks: answers are lost.</summary>
        public void Disconnect()
        {
            if (_join is not null || _sync is not null)
            {
                Generation = -1;
                Assignment = null;
            }

            _join = null;
            _sync = null;
        }

        private void Joined(JoinResult result)
        {
            if (result.Error != CoordinatorError.None)
            {
                MemberId = result.Error == CoordinatorError.MemberIdRequired ? result.MemberId : MemberId;
                Handle(result.Error);
                return;
            }

            MemberId = result.MemberId;
            Generation = result.Generation;
            Assignment = null;
            (string, string)[] assignments = [.. result.Members.Select((m, i) =>
                (m.MemberId, string.Join(',', Enumerable.Range(0, 12).Where(p => p % result.Members.Count == i))))];
            _sync = scene.Sync(MemberId, Generation, instance, assignments: assignments);
        }

        private void Synced(SyncResult result)
        {
            if (result.Error == CoordinatorError.None)
            {
                Assignment = GroupScene.Text(result.Assignment);
            }

            Handle(result.Error == CoordinatorError.CoordinatorNotAvailable
                ? CoordinatorError.RebalanceInProgress
                : result.Error);
        }

        private void Handle(CoordinatorError error)
        {
            if (error is CoordinatorError.None or CoordinatorError.CoordinatorNotAvailable)
            {
                return;
            }

            Generation = -1;
            Assignment = null;
            if (error is CoordinatorError.UnknownMemberId or CoordinatorError.FencedInstanceId)
            {
                MemberId = "";
            }
        }
    }

    private sealed class Life(SeededRandom random, string seed)
    {
        private readonly GroupScene _scene = new(new GroupOptions { InitialRebalanceDelayMs = 500 });
        private readonly List<(Client Client, string? Instance)> _clients = [];
        private readonly HashSet<Client> _asleep = [];

        public void Step()
        {
            Act();
            Move();
            _scene.Clock.Advance(random.Next(300));
            _scene.Coordinator.Tick();
            Check();
        }

        public void Settle()
        {
            _scene.Log.SyncsAtOnce = true;
            _scene.Log.IsFull = false;
            _scene.Log.Sync();
            _clients.RemoveAll(c => _asleep.Contains(c.Client));
            _asleep.Clear();
            Add();
            for (int i = 0; i < 1500; i++)
            {
                Move();
                _scene.Clock.Advance(100);
                _scene.Coordinator.Tick();
                Check();
            }

            Assert.True(_scene.Describe().State == "Stable", $"{_scene.Describe().State} {seed}");
            int[] all = [.. _clients.SelectMany(c => Partitions(c.Client)).Order()];
            Assert.True(all.SequenceEqual(Enumerable.Range(0, 12)), $"{string.Join(' ', all)} {seed}");
        }

        private static IEnumerable<int> Partitions(Client client) =>
            string.IsNullOrEmpty(client.Assignment) ? [] : client.Assignment.Split(',').Select(int.Parse);

        private void Act()
        {
            switch (random.Next(22))
            {
                case 0 or 1 when _clients.Count < 6:
                    Add();
                    break;
                case 2 when _clients.Count > 0:
                    int leaver = random.Next(_clients.Count);
                    _clients[leaver].Client.Leave();
                    _clients.RemoveAt(leaver);
                    break;
                case 3 when _clients.Count > 0:
                    _clients.RemoveAt(random.Next(_clients.Count));
                    break;
                case 4 when _clients.Count > 0:
                    _asleep.Add(_clients[random.Next(_clients.Count)].Client);
                    break;
                case 5 or 6 when _asleep.Count > 0:
                    _asleep.Remove(_asleep.First());
                    break;
                case 7 when _clients.Count > 0:
                    _clients[random.Next(_clients.Count)].Client.Disconnect();
                    break;
                case 8 when random.Next(4) == 0:
                    _scene.Crash(random.Next(_scene.Log.Unsynced + 1));
                    _clients.ForEach(c => c.Client.Disconnect());
                    break;
                case 9:
                    _scene.Log.SyncsAtOnce = !_scene.Log.SyncsAtOnce;
                    break;
                case 10:
                    _scene.Log.IsFull = random.Next(4) == 0;
                    break;
                case 11 when random.Next(5) == 0:
                    _scene.Clock.Advance(random.Next(15_000));
                    break;
                default:
                    _scene.Log.Sync();
                    break;
            }
        }

        private void Add()
        {
            string? instance = random.Next(3) == 0 ? $"i{random.Next(2)}" : null;
            instance = _clients.Any(c => c.Instance == instance) ? null : instance;
            _clients.Add((new Client(_scene, instance), instance));
        }

        private void Move()
        {
            foreach ((Client client, _) in _clients.Where(c => !_asleep.Contains(c.Client)).ToArray())
            {
                client.Step();
                if (client.Generation > 1)
                {
                    Commit(client);
                }
            }
        }

        // A generation that is over commits nothing.
        private void Commit(Client client)
        {
            Answer<OffsetCommitResult> stale = _scene.Commit(1, client.MemberId, client.Generation - 1);
            _scene.Log.Sync();
            Assert.True(GroupScene.ErrorOf(stale) != CoordinatorError.None, $"a stale commit went in {seed}");
        }

        private void Check()
        {
            foreach (var generation in _clients.Where(c => c.Client.Assignment is not null)
                .GroupBy(c => c.Client.Generation, c => c.Client))
            {
                int[] all = [.. generation.SelectMany(Partitions)];
                Assert.True(
                    all.Distinct().Count() == all.Length, $"generation {generation.Key} gave a partition twice {seed}");
            }
        }
    }
}
