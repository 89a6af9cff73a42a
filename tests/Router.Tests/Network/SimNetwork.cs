using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Tests.Network;

/// <summary>Routers and links on one hand clock. Everything that happens is an event in a queue of times.</summary>
internal sealed class SimNetwork
{
    private readonly PriorityQueue<Action, (long Ms, long Order)> _events = new();
    private readonly Dictionary<(SimNode, int), SimLink> _byId = [];
    private long _order;
    private int _linkIds;

    public long NowMs { get; private set; }

    public List<SimNode> Nodes { get; } = [];

    public List<SimLink> Links { get; } = [];

    /// <summary>Control messages that left a node.</summary>
    public long Sent { get; private set; }

    public long SentBytes { get; private set; }

    public SimNode AddNode(string id)
    {
        var node = new SimNode(id, 1_700_000_000);
        Nodes.Add(node);
        After(node);
        return node;
    }

    public SimLink Connect(SimNode left, SimNode right, int cost = 1, int delayMs = 1)
    {
        var link = new SimLink(left, right, cost, delayMs);
        Links.Add(link);
        Up(link);
        return link;
    }

    public void Up(SimLink link)
    {
        if (link.IsUp || !link.Left.IsAlive || !link.Right.IsAlive)
        {
            return;
        }
        (link.IsUp, link.IsSilent) = (true, false);
        (link.LeftId, link.RightId) = (++_linkIds, ++_linkIds);
        foreach (SimNode node in (SimNode[])[link.Left, link.Right])
        {
            _byId[(node, link.IdAt(node))] = link;
        }
        foreach (SimNode node in (SimNode[])[link.Left, link.Right])
        {
            node.Engine.OnLinkUp(NowMs, link.IdAt(node), link.Cost);
            After(node);
        }
    }

    /// <summary>Both ends hear of it, each in its own time.</summary>
    public void Cut(SimLink link, int leftHearsMs = 0, int rightHearsMs = 0)
    {
        if (!link.IsUp)
        {
            return;
        }
        link.IsUp = false;
        link.Epoch++;
        link.Held.Clear();
        HearCut(link.Left, link.LeftId, leftHearsMs);
        HearCut(link.Right, link.RightId, rightHearsMs);
    }

    /// <summary>Nothing passes, and nobody is told.</summary>
    public void Silence(SimLink link) => link.IsSilent = link.IsUp;

    public void Speak(SimLink link)
    {
        link.IsSilent = false;
        while (link.Held.TryDequeue(out (SimNode To, ReadOnlyMemory<byte> Message) held))
        {
            Deliver(link, held.To, held.Message);
        }
    }

    public void SetCost(SimLink link, int cost)
    {
        link.Cost = cost;
        foreach (SimNode node in (SimNode[])[link.Left, link.Right])
        {
            if (link.IsUp && node.IsAlive)
            {
                node.Engine.OnLinkUp(NowMs, link.IdAt(node), cost);
                After(node);
            }
        }
    }

    public void Kill(SimNode node)
    {
        node.IsAlive = false;
        foreach (SimLink link in Links.Where(l => l.Left == node || l.Right == node))
        {
            Cut(link);
        }
    }

    /// <summary>Its links stay down until somebody connects them.</summary>
    public void Restart(SimNode node)
    {
        node.IsAlive = true;
        node.Restart();
        foreach ((string key, AddressTreatment treatment) in node.Addresses)
        {
            node.Engine.AddLocal(NowMs, key, treatment);
        }
        After(node);
    }

    public void AddAddress(SimNode node, string key, AddressTreatment treatment = AddressTreatment.Balanced)
    {
        node.Addresses[key] = treatment;
        if (node.IsAlive)
        {
            node.Engine.AddLocal(NowMs, key, treatment);
            After(node);
        }
    }

    public void RemoveAddress(SimNode node, string key)
    {
        node.Addresses.Remove(key);
        if (node.IsAlive)
        {
            node.Engine.RemoveLocal(NowMs, key);
            After(node);
        }
    }

    public void At(long ms, Action what) => _events.Enqueue(what, (ms, _order++));

    public void RunFor(long ms)
    {
        long until = NowMs + ms;
        while (_events.TryPeek(out Action? next, out (long Ms, long Order) when) && when.Ms <= until)
        {
            _events.Dequeue();
            NowMs = Math.Max(NowMs, when.Ms);
            next();
        }
        NowMs = until;
    }

    private void HearCut(SimNode node, int linkId, int afterMs) => At(NowMs + afterMs, () =>
    {
        _byId.Remove((node, linkId));
        if (node.IsAlive)
        {
            node.Engine.OnLinkDown(NowMs, linkId);
            After(node);
        }
    });

    private void After(SimNode node)
    {
        node.Drain();
        foreach (ControlSend send in node.Output.Sends)
        {
            Sent++;
            SentBytes += send.Message.Length;
            Send(node, send);
        }
        long due = node.Engine.DueMs;
        if (due != node.TimerMs)
        {
            node.TimerMs = due;
            RouterEngine engine = node.Engine;
            At(Math.Max(due, NowMs), () => Tick(node, engine, due));
        }
    }

    private void Tick(SimNode node, RouterEngine engine, long due)
    {
        if (node.IsAlive && node.Engine == engine && node.TimerMs == due)
        {
            node.TimerMs = -1;
            engine.Tick(NowMs);
            After(node);
        }
    }

    private void Send(SimNode from, ControlSend send)
    {
        if (!_byId.TryGetValue((from, send.LinkId), out SimLink? link) || !link.IsUp)
        {
            return;
        }
        SimNode to = link.Other(from);
        int epoch = link.Epoch;
        At(NowMs + link.DelayMs, () =>
        {
            if (link.Epoch == epoch)
            {
                Deliver(link, to, send.Message);
            }
        });
    }

    private void Deliver(SimLink link, SimNode to, ReadOnlyMemory<byte> message)
    {
        if (link.IsSilent)
        {
            link.Held.Enqueue((to, message));
        }
        else if (to.IsAlive && link.IsUp)
        {
            to.Engine.OnControl(NowMs, link.IdAt(to), message);
            After(to);
        }
    }
}
