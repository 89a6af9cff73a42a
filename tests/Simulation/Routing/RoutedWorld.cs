using Pillarbox.Model;
using Pillarbox.Router;

namespace Pillarbox.Simulation.Tests.Routing;

/// <summary>Several nodes, the lines between them and their clients, on one thread and one hand clock.</summary>
internal sealed class RoutedWorld : IDisposable
{
    private const int RoundsMax = 20_000;
    private const int StepMs = 25;

    private readonly SynchronizationContext? _before = SynchronizationContext.Current;

    public RoutedWorld(ulong seed)
    {
        Random = new SeededRandom(seed);
        Scheduler = new SimScheduler();
        Log = new SimLog(static _ => false);
        LinkCapacity = 4 + Random.Next(60);
        SynchronizationContext.SetSynchronizationContext(Scheduler.Context);
    }

    public SeededRandom Random { get; }

    public SimScheduler Scheduler { get; }

    public SimClock Clock { get; } = new();

    public SimLog Log { get; }

    public RoutedLedger Ledger { get; } = new();

    public int LinkCapacity { get; }

    /// <summary>What is to be found out.</summary>
    public RoutedBreach Breach { get; init; }

    public List<RoutedNode> Nodes { get; } = [];

    public List<RoutedLine> Lines { get; } = [];

    public List<RoutedSender> Senders { get; } = [];

    public List<RoutedReceiver> Receivers { get; } = [];

    public IEnumerable<RoutedPeer> Peers => Senders.Concat<RoutedPeer>(Receivers);

    /// <summary>The network is whole, everything has been heard everywhere, and nobody comes or goes.</summary>
    public bool IsCalm { get; set; }

    public long NowMs => Clock.GetTimestamp() / TimeSpan.TicksPerMillisecond;

    /// <summary>Makes nodes and lines: a tree of routers and some lines more, and perhaps an edge.</summary>
    public void Build()
    {
        int interior = 2 + Random.Next(3);
        for (int i = 0; i < interior; i++)
        {
            Add($"R{i}", RouterMode.Interior);
            if (i > 0)
            {
                Connect(Nodes[i], Nodes[Random.Next(i)]);
            }
        }

        for (int i = Random.Next(interior); i > 0; i--)
        {
            Connect(Nodes[Random.Next(interior)], Nodes[Random.Next(interior)]);
        }

        if (Random.Next(3) == 0)
        {
            RoutedNode edge = Add("E0", RouterMode.Edge);
            Connect(edge, Nodes[Random.Next(interior)]);
            Connect(edge, Nodes[Random.Next(interior)]);
        }

        Start();
    }

    public RoutedNode Add(string id, RouterMode mode)
    {
        var node = new RoutedNode(this, id, mode);
        Nodes.Add(node);
        return node;
    }

    /// <summary>Starts every node; those that are connected to first.</summary>
    public void Start() => Nodes.ForEach(static node => node.Start());

    /// <summary>Lets some of what may happen happen, in an order that the seed chooses.</summary>
    public void MoveSome()
    {
        for (int i = Random.Next(20); i > 0 && Scheduler.RunOne(Random); i--)
        {
        }

        foreach (RoutedLine line in Lines)
        {
            if (Random.Next(2) == 0)
            {
                line.Wire?.Move(NowMs, Random);
            }
        }

        foreach (RoutedPeer peer in Peers)
        {
            if (Random.Next(2) == 0)
            {
                peer.Move();
            }
        }
    }

    /// <summary>Lets everything happen that can happen without the clock.</summary>
    public void Settle()
    {
        bool any = true;
        for (int round = 0; any; round++)
        {
            Violation.Unless(round < RoundsMax, "the network does not come to rest");
            any = false;
            while (Scheduler.RunOne(Random))
            {
                any = true;
            }

            foreach (RoutedLine line in Lines)
            {
                any |= line.Wire?.Move(NowMs, Random) == true;
            }

            foreach (RoutedPeer peer in Peers)
            {
                any |= peer.Move();
            }
        }

        Violation.Unless(Log.Finding is null, Log.Finding);
    }

    /// <summary>Time passes, and everything happens that happens in it.</summary>
    public void Pass(int milliseconds)
    {
        Settle();
        for (int left = milliseconds; left > 0; left -= StepMs)
        {
            Clock.Advance(Math.Min(left, StepMs));
            Settle();
        }
    }

    /// <summary>Lets time pass, and receivers draw, until something holds. Violation: it does not come to
    /// that.</summary>
    public void PassUntil(Func<string> what, Func<bool> holds, int patienceMs)
    {
        for (long until = NowMs + patienceMs; !holds();)
        {
            Violation.Unless(NowMs < until, $"within {patienceMs} ms it did not come to this: {what()}");
            Receivers.ForEach(static receiver => receiver.Act());
            Pass(StepMs * 2);
        }
    }

    public void Dispose()
    {
        try
        {
            Nodes.ForEach(static node => node.Dispose());
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(_before);
        }
    }

    /// <summary>A line between two nodes, by which the first connects to the other.</summary>
    public void Connect(RoutedNode left, RoutedNode right)
    {
        bool isThere = Lines.Exists(l => (l.Left == left && l.Right == right) || (l.Left == right && l.Right == left));
        if (left != right && !isThere)
        {
            Lines.Add(new RoutedLine(left, right, Random.Next(3) == 0 ? Random.Next(60) : 0));
        }
    }
}
