using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>
/// Members of the <c>consumer</c> protocol that join, leave, die, sleep, lose answers and give partitions up slowly,
/// with topics that grow and a coordinator that crashes and loses what was not on disk. At every step no partition is
/// with two members that have reason to believe in it; when all is quiet, everything is with somebody.
/// </summary>
public sealed class ConsumerSimulationTests
{
    private const int Steps = 1500;
    private const int SessionMs = 45_000;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Members_never_share_a_partition_and_all_partitions_find_a_member(int run)
    {
        SeededRandom random = Seeds.New(out string seed);
        for (int i = 0; i < run; i++)
        {
            random.NextUInt64();
        }

        SeededRandom own = new(random.NextUInt64());
        Life life = new(own, $"{seed} run {run}");
        for (int step = 0; step < Steps; step++)
        {
            life.Step();
        }

        life.Settle();
    }

    private sealed class Life(SeededRandom random, string seed)
    {
        private readonly GroupScene _scene = new();
        private readonly List<ConsumerClient> _clients = [];
        private readonly HashSet<ConsumerClient> _asleep = [];
        private int _names;
        private int _partitions = 4;

        public void Step()
        {
            if (_names == 0)
            {
                _scene.Topics.Set("t", _partitions);
                _scene.Topics.Set("u", 3);
            }

            Act();
            Beat();
            _scene.Clock.Advance(random.Next(400));
            _scene.Coordinator.Tick();
            Check();
        }

        /// <summary>No more faults: in a minute everybody alive has a share, and nothing is left over.</summary>
        public void Settle()
        {
            _scene.Log.SyncsAtOnce = true;
            _scene.Log.IsFull = false;
            _scene.Log.Sync();
            _clients.RemoveAll(_asleep.Contains);
            _asleep.Clear();
            if (_clients.Count == 0)
            {
                _clients.Add(NewClient());
            }

            for (int i = 0; i < 1200; i++)
            {
                foreach (ConsumerClient client in _clients)
                {
                    client.RevokesSlowly = false;
                    client.FinishRevoking();
                }

                Beat();
                _scene.Clock.Advance(100);
                _scene.Coordinator.Tick();
                Check();
            }

            HashSet<string> read = [.. _clients.SelectMany(c => c.Topics)];
            int expected = (read.Contains("t") ? _partitions : 0) + (read.Contains("u") ? 3 : 0);
            int found = _clients.Sum(c => c.Owned.Count);
            Assert.True(expected == found, $"{found} of {expected} {seed}");
            Answer<ConsumerGroupView> view = new();
            _scene.Coordinator.ConsumerDescribe("g", view.Take);
            Assert.True(view.Value.State == "Stable", $"{view.Value.State} {seed}");
        }

        private void Act()
        {
            switch (random.Next(24))
            {
                case 0 or 1 when _clients.Count < 7:
                    _clients.Add(NewClient());
                    break;
                case 2 when Pick() is { } leaver:
                    leaver.Leave(leaver.InstanceId is not null && random.Next(2) == 0 ? -2 : -1);
                    _clients.Remove(leaver);
                    break;
                case 3 when Pick() is { } dies:
                    _clients.Remove(dies);
                    break;
                case 4 when Pick() is { } sleeper:
                    _asleep.Add(sleeper);
                    break;
                case 5 or 6 when _asleep.Count > 0:
                    _asleep.Remove(_asleep.First());
                    break;
                case 7 when Pick() is { } slow:
                    slow.RevokesSlowly = !slow.RevokesSlowly;
                    break;
                case 8 when Pick() is { } done:
                    done.FinishRevoking();
                    break;
                case 9 when random.Next(10) == 0 && _partitions < 12:
                    _scene.Topics.Set("t", ++_partitions);
                    break;
                case 10 when random.Next(4) == 0:
                    Crash();
                    break;
                case 11:
                    _scene.Log.SyncsAtOnce = !_scene.Log.SyncsAtOnce;
                    break;
                case 12 when Pick() is { } changes:
                    changes.Topics = TopicsOf(random.Next(3));
                    changes.IsFull = true;
                    break;
                case 13:
                    _scene.Log.IsFull = random.Next(4) == 0;
                    break;
                case 14:
                    _scene.Clock.Advance(random.Next(20_000));
                    break;
                default:
                    _scene.Log.Sync();
                    break;
            }
        }

        private void Crash()
        {
            int kept = random.Next(_scene.Log.Unsynced + 1);
            _scene.Crash(kept);
            foreach (ConsumerClient client in _clients)
            {
                client.Receive();
                client.LoseAnswer();
            }
        }

        private void Beat()
        {
            foreach (ConsumerClient client in _clients.Where(c => !_asleep.Contains(c)).ToArray())
            {
                client.Receive();
                if (!client.IsDue)
                {
                    continue;
                }

                client.Send();
                if (random.Next(30) == 0 && _scene.Log.SyncsAtOnce)
                {
                    client.LoseAnswer();
                    client.IsFull = true;
                }
                else
                {
                    client.Receive();
                }
            }
        }

        // Who was not heard of for a session has lost its partitions, although it does not know.
        private void Check()
        {
            Dictionary<TopicIdPartition, ConsumerClient> owners = [];
            foreach (ConsumerClient client in _clients)
            {
                client.Receive();
                if (_scene.Clock.NowMs - client.LastHeardMs >= SessionMs)
                {
                    continue;
                }

                foreach (TopicIdPartition partition in client.Owned.Concat(client.Leaving))
                {
                    bool alone = owners.TryAdd(partition, client) || owners[partition] == client;
                    Assert.True(alone, $"{partition} is with {client.Name} and {owners[partition].Name} {seed}");
                }
            }
        }

        private ConsumerClient? Pick() => _clients.Count == 0 ? null : _clients[random.Next(_clients.Count)];

        private ConsumerClient NewClient()
        {
            string? instance = random.Next(3) == 0 ? $"i{random.Next(3)}" : null;
            bool taken = instance is not null && _clients.Any(c => c.InstanceId == instance);
            return new ConsumerClient(_scene, $"c{_names++}")
            {
                MemberId = $"m{_names}",
                InstanceId = taken ? null : instance,
                // Who takes too long is put out although it is heard of: that is a story of its own.
                RebalanceTimeoutMs = 3_600_000,
                Topics = TopicsOf(random.Next(3)),
                Assignor = random.Next(4) == 0 ? "range" : null,
            };
        }

        private static string[] TopicsOf(int choice) => choice switch
        {
            0 => ["t"],
            1 => ["u"],
            _ => ["t", "u"],
        };
    }
}
