using Pillarbox.Broker.Streams;
using Pillarbox.Model;
using Pillarbox.Simulation.Tests.History;

namespace Pillarbox.Simulation.Tests.Streams;

/// <summary>
/// The streams of a whole node and their clients on one thread, under a seed: producers with sequences and with
/// transactions, a group, readers of both kinds; compaction, retention, power cuts in the middle of syncs, syncs that
/// fail, full disks. At the end everything is healed and finished, somebody reads all there is, and the history is held
/// against the promises.
/// </summary>
internal sealed class StreamSimulation : IDisposable
{
    private const int RoundsMax = 3000;
    private const int StepMs = 100;
    private readonly SeededRandom _random;
    private readonly SimNode _node;
    private readonly StreamWorld _world;
    private readonly List<StreamClient> _clients = [];
    private readonly List<GroupReader> _members = [];
    private readonly OffsetWatcher _watcher;

    /// <summary>With a promise that is broken, for it to be found out.</summary>
    public StreamSimulation(ulong seed, BrokenPromise broken = BrokenPromise.None)
    {
        _random = new SeededRandom(seed);
        _node = new SimNode(_random);
        _world = new StreamWorld(_node, _random) { Broken = broken };
        _watcher = new OffsetWatcher(_world, "watcher");
    }

    /// <summary>Crashes and broken disks so far.</summary>
    public int Faults { get; private set; }

    public int Records => _world.History.Units.Sum(unit => unit.Sent.Count);

    public int Transactions => _world.History.Units.Count(unit => unit.IsTransactional);

    public int Polled => _world.History.Lives.Sum(life => life.Polls.Sum(poll => poll.Count));

    public void Run(int steps)
    {
        _world.CreateStreams();
        AddClients();
        for (int i = 0; i < steps; i++)
        {
            Step();
            Violation.Unless(_node.Log.Finding is null, _node.Log.Finding);
        }

        ComeToEnd();
        if (_random.Next(2) == 0)
        {
            Crash();
            ComeToEnd();
        }

        ReadAll();
        IReadOnlyList<Anomaly> found = StreamChecker.Check(_world.History);
        IEnumerable<Anomaly> some = found.GroupBy(anomaly => anomaly.Kind).SelectMany(kind => kind.Take(4));
        Violation.Unless(found.Count == 0, $"{found.Count} anomalies:\n{string.Join('\n', some)}");
    }

    public void Dispose() => _node.Dispose();

    private void AddClients()
    {
        for (int i = 0; i < 2; i++)
        {
            _clients.Add(new IdempotentProducer(_world, $"i{i}"));
            // Two of the same id fence each other again and again.
            _clients.Add(new TransactionalProducer(_world, $"t{i}", $"tx{i}", (short)(1 + i)));
            _members.Add(new GroupReader(_world, $"m{i}"));
        }

        short version = (short)(1 + _random.Next(2));
        _clients.Add(new TransactionalProducer(_world, "t2", "tx2", version));
        _clients.Add(new TransactionalProducer(_world, "t3", "tx2", version));
        _clients.Add(new PlainReader(_world, "r0", StreamWorld.Events, 0, true));
        _clients.Add(new PlainReader(_world, "r1", StreamWorld.Events, 1, false));
        _clients.Add(new PlainReader(_world, "r2", StreamWorld.Table, 0, true));
        _clients.Add(new PlainReader(_world, "r3", StreamWorld.Brief, 0, true));
        _clients.Add(_watcher);
        _clients.AddRange(_members);
    }

    private void Step()
    {
        switch (_random.Next(200))
        {
            case < 140:
                _clients[_random.Next(_clients.Count)].Step();
                break;
            case < 175:
                _node.Pump();
                break;
            case < 195:
                _node.Clock.Advance(1 + _random.Next(_random.Next(10) == 0 ? 6000 : 300));
                break;
            case 195 or 196 when _random.Next(3) == 0:
                Crash();
                break;
            case 197:
                BreakDisk();
                break;
        }
    }

    private void Crash()
    {
        Faults++;
        // What a dying node still tells, nobody hears.
        _world.NextLife();
        if (_random.Next(4) == 0 && !_node.IsFailing && !_node.IsFull)
        {
            _node.StopAndStart();
        }
        else
        {
            _node.Crash();
        }

        _clients.ForEach(static client => client.NodeDied());
    }

    private void BreakDisk()
    {
        switch (_random.Next(8))
        {
            case 0:
                Faults++;
                _node.FailSyncs();
                break;
            case 1 or 2 when !_node.IsFull:
                Faults++;
                _node.FillDisk();
                break;
            default:
                _node.FreeDisk();
                break;
        }
    }

    /// <summary>Everything is healed, and everybody finishes. Check: they can.</summary>
    private void ComeToEnd()
    {
        _node.FreeDisk();
        if (_node.IsFailing)
        {
            Crash();
        }

        _world.IsEnding = true;
        int rounds = 0;
        do
        {
            Violation.Unless(rounds++ < RoundsMax, $"no end: {Open()}");
            foreach (StreamClient client in _clients)
            {
                client.Step();
            }

            _node.Pump();
            _node.Clock.Advance(StepMs);
            _node.ForgetFull();
            Violation.Unless(_node.Log.Finding is null, _node.Log.Finding);
        }
        while (!IsAtEnd());

        _world.IsEnding = false;
    }

    private bool IsAtEnd() =>
        _clients.All(static client => client.IsDone) && _members.Exists(static member => member.IsReading)
        && Partitions().All(p => p.LastStableOffset == p.EndOffset) && AllRead();

    private bool AllRead() =>
        _members.Sum(member => member.IsReading ? member.Assigned : 0) == StreamWorld.EventPartitions
        && _members.TrueForAll(static member => !member.IsReading || member.IsDone);

    private string Open() => string.Join(", ", _clients.Where(c => !c.IsDone).Select(c => c.Name))
        + "; " + string.Join(", ", Partitions().Where(p => p.LastStableOffset != p.EndOffset).Select(p =>
            $"{p.Stream.Name}/{p.Number} {p.LastStableOffset} of {p.EndOffset}"))
        + "; " + string.Join(", ", _members);

    private IEnumerable<Partition> Partitions() =>
        ((string[])[StreamWorld.Events, StreamWorld.Table, StreamWorld.Brief]).SelectMany(name =>
            _node.Broker.Streams.Find(name)!.Partitions);

    private void ReadAll()
    {
        ReaderLife final = _world.History.BeginLife("final", true);
        foreach (Partition partition in Partitions())
        {
            string name = StreamWorld.NameOf(partition.Stream.Name, partition.Number);
            _world.History.MayBeGone(name, partition.StartOffset);
            long offset = partition.StartOffset;
            while (offset < partition.EndOffset)
            {
                RecordPage page = RecordPage.Read(
                    _world, partition.Stream.Name, partition.Number, offset, true, 1 << 20);
                Violation.Unless(
                    page.Error == StreamError.None && page.NextOffset > offset, $"{name} {offset}: {page.Error}");
                final.Poll(page.Records);
                offset = page.NextOffset;
            }
        }

        _world.History.Final = final;
        _world.History.IsDrained(GroupReader.Group);
        _watcher.Ask();
        _node.Pump();
    }
}
