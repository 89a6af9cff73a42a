using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Model;
using Pillarbox.Simulation.Tests.History;
using Pillarbox.Storage;

namespace Pillarbox.Simulation.Tests.Streams;

/// <summary>What the clients of one simulation share: the node in its present life, the history, a clock of events, and
/// the streams that are there.</summary>
internal sealed class StreamWorld(SimNode node, IRandom random)
{
    /// <summary>Nothing is ever taken away here.</summary>
    public const string Events = "events";

    /// <summary>Of each key the last record stays.</summary>
    public const string Table = "table";

    /// <summary>Old records go.</summary>
    public const string Brief = "brief";

    /// <summary>Partitions of <see cref="Events"/>; the others have one.</summary>
    public const int EventPartitions = 3;

    private const string SegmentMs = "5000";
    private long _now;
    private int _values;

    public SimNode Node => node;

    public IRandom Random => random;

    /// <summary>What is wrong here, for the tests of the simulation itself.</summary>
    public BrokenPromise Broken { get; init; }

    public StreamHistory History { get; } = new();

    /// <summary>Grows when the node has died: answers to what was asked before never come.</summary>
    public int Life { get; private set; }

    /// <summary>True when clients are to finish what they have begun and to begin nothing.</summary>
    public bool IsEnding { get; set; }

    public long Tick() => ++_now;

    public string NewValue(string who) => $"{who}-{_values++}";

    public void NextLife() => Life++;

    /// <summary>Makes the streams, durably.</summary>
    public void CreateStreams()
    {
        Create(Events, EventPartitions, new() { ["retention.ms"] = "-1" });
        Create(Table, 1, new()
        {
            ["cleanup.policy"] = "compact",
            ["segment.ms"] = SegmentMs,
            ["min.cleanable.dirty.ratio"] = "0",
        });
        Create(Brief, 1, new() { ["retention.ms"] = "20000", ["segment.ms"] = SegmentMs });
        History.IsCompacted(NameOf(Table, 0));
        node.Pump();
    }

    /// <summary>How the history calls a partition.</summary>
    public static string NameOf(string stream, int partition) => $"{stream}/{partition}";

    public Partition Find(string stream, int partition) =>
        node.Broker.Streams.Find(stream)?.FindPartition(partition)
        ?? throw new Violation($"stream {stream} has no partition {partition} any more");

    /// <summary>Any partition of any stream.</summary>
    public (string Stream, int Partition) Pick()
    {
        int dice = random.Next(10);
        return dice < 6 ? (Events, random.Next(EventPartitions)) : (dice < 8 ? Table : Brief, 0);
    }

    /// <summary>Asks the coordinators; an answer that comes after the node has died is not heard. False: they are not
    /// there. <paramref name="isAsking"/> is set before, for the answer may come at once.</summary>
    public bool Ask<T>(ref bool isAsking, Action<StreamCoordinators, Action<T>> ask, Action<T> done)
    {
        int life = Life;
        isAsking = true;
        try
        {
            ask(node.Broker.Coordinators, answer =>
            {
                if (life == Life)
                {
                    done(answer);
                }
            });
            return true;
        }
        catch (BrokerException) when (node.IsFailing || node.IsFull)
        {
            isAsking = false;
            return false;
        }
    }

    /// <summary>Calls back when an offset is durable, in this life of the node.</summary>
    public void WhenDurable(Partition partition, long offset, Action<bool> done) =>
        partition.WhenDurable(offset, new Waiter(this, Life, done));

    private void Create(string name, int partitions, Dictionary<string, string> config)
    {
        StreamSpec spec = new() { Name = name, Partitions = partitions, Config = config };
        Grant grant = node.Broker.Authorizer.Authorize(
            Identity.Node, Permission.CreateAddress, "default", new AddressName(name, null));
        CatalogResult made = node.Broker.Streams.Create(grant, spec);
        Violation.Unless(made.Error == StreamError.None, $"stream {name} cannot be made: {made.Message}");
    }

    private sealed class Waiter(StreamWorld world, int life, Action<bool> done) : IDurableWaiter
    {
        public void OnDurable(long durablePosition) => Tell(true);

        public void OnFailed(StorageFailedException failure) => Tell(false);

        private void Tell(bool isDurable)
        {
            if (life == world.Life)
            {
                done(isDurable);
            }
        }
    }
}

/// <summary>A client: one step of its program at a time.</summary>
internal abstract class StreamClient(StreamWorld world, string name)
{
    public StreamWorld World => world;

    public string Name => name;

    /// <summary>Whether nothing that it has begun is open.</summary>
    public abstract bool IsDone { get; }

    public abstract void Step();

    /// <summary>The node has died, and another one is there.</summary>
    public virtual void NodeDied()
    {
    }
}
