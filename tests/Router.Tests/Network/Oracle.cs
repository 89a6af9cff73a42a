using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Tests.Network;

/// <summary>What every router has to know, worked out from the network itself and not from what routers say.</summary>
internal sealed class Oracle
{
    private readonly List<SimNode> _nodes;
    private readonly Dictionary<SimNode, Dictionary<SimNode, int>> _costs = [];

    public Oracle(SimNetwork network)
    {
        _nodes = [.. network.Nodes.Where(n => n.IsAlive)];
        foreach (SimNode node in _nodes)
        {
            _costs[node] = [];
        }
        foreach (SimLink link in network.Links.Where(l => l.Carries))
        {
            Note(link.Left, link.Right, link.Cost);
            Note(link.Right, link.Left, link.Cost);
        }
    }

    /// <summary>The first thing that is wrong, or null: all is as it has to be.</summary>
    public string? FirstFault()
    {
        foreach (SimNode from in _nodes)
        {
            Dictionary<SimNode, long> costs = CostsFrom(from);
            string? fault = WaysFault(from, costs) ?? AddressesFault(from, costs) ?? MulticastFault(from, costs);
            if (fault is not null)
            {
                return fault;
            }
        }
        return null;
    }

    // Every reachable router is known at its true cost, and each hop on the way comes nearer.
    private string? WaysFault(SimNode from, Dictionary<SimNode, long> costs)
    {
        RouteSnapshot snapshot = from.Engine.Snapshot;
        int reachable = snapshot.Routers.Count(r => r.NextHopLink is not null);
        if (reachable != costs.Count - 1)
        {
            return $"{from.Id} reaches {reachable} routers, not {costs.Count - 1}";
        }
        foreach ((SimNode to, long cost) in costs.Where(c => c.Key != from))
        {
            RouterRoute? route = snapshot.ById.GetValueOrDefault(to.Id);
            if (route?.Cost != cost || route.NextHopLink is null)
            {
                return $"{from.Id} reaches {to.Id} at cost {route?.Cost}, not {cost}";
            }
            SimNode hop = _nodes.Single(n => n.Id == route.NextHopId);
            long left = hop == to ? 0 : hop.Engine.Snapshot.ById.GetValueOrDefault(to.Id)?.Cost ?? long.MaxValue;
            if (left >= cost || !_costs[from].TryGetValue(hop, out int step) || step + left != cost)
            {
                return $"{from.Id} sends to {to.Id} by {hop.Id}, which is at {left}";
            }
        }
        return null;
    }

    private static string? AddressesFault(SimNode from, Dictionary<SimNode, long> costs)
    {
        RouteSnapshot snapshot = from.Engine.Snapshot;
        var expected = new Dictionary<string, UInt128>(StringComparer.Ordinal);
        foreach (SimNode node in costs.Keys.Where(n => n != from))
        {
            UInt128 bit = snapshot.ById[node.Id].Bit;
            foreach (string key in node.Addresses.Keys)
            {
                expected[key] = expected.GetValueOrDefault(key) | bit;
            }
        }
        foreach ((string key, UInt128 routers) in expected)
        {
            if (snapshot.RoutersOf(key) != routers || from.Followed.GetValueOrDefault(key) != routers)
            {
                return $"{from.Id} finds {key} at {string.Join(',', snapshot.IdsOf(snapshot.RoutersOf(key)))}, not at "
                    + string.Join(',', snapshot.IdsOf(routers));
            }
        }
        return snapshot.Addresses.Count == expected.Count && from.Followed.Values.Count(v => v != 0) == expected.Count
            ? null
            : $"{from.Id} knows {snapshot.Addresses.Count} addresses, not {expected.Count}";
    }

    // A multicast message that enters at one router comes to every other exactly once.
    private string? MulticastFault(SimNode from, Dictionary<SimNode, long> costs)
    {
        var copies = new Dictionary<SimNode, int>();
        var open = new Queue<SimNode>([from]);
        while (open.TryDequeue(out SimNode? at))
        {
            RouteSnapshot snapshot = at.Engine.Snapshot;
            List<int> links = [];
            snapshot.AddMulticastLinks(snapshot.Reachable, snapshot.IndexOf(from.Id), UInt128.Zero, links);
            foreach (int link in links)
            {
                string id = snapshot.Routers.Single(r => r.OwnLink == link).Id;
                SimNode next = _nodes.Single(n => n.Id == id);
                copies[next] = copies.GetValueOrDefault(next) + 1;
                if (copies[next] > 1)
                {
                    return $"a message from {from.Id} comes twice to {id}";
                }
                open.Enqueue(next);
            }
        }
        return copies.Count == costs.Count - 1 ? null : $"a message from {from.Id} comes to {copies.Count} routers";
    }

    private void Note(SimNode from, SimNode to, int cost)
    {
        int known = _costs[from].GetValueOrDefault(to, int.MaxValue);
        _costs[from][to] = Math.Min(known, cost);
    }

    private Dictionary<SimNode, long> CostsFrom(SimNode root)
    {
        var settled = new Dictionary<SimNode, long>();
        var open = new PriorityQueue<SimNode, long>([(root, 0)]);
        while (open.TryDequeue(out SimNode? node, out long cost))
        {
            if (settled.TryAdd(node, cost))
            {
                open.EnqueueRange(_costs[node].Select(e => (e.Key, cost + e.Value)));
            }
        }
        return settled;
    }
}
