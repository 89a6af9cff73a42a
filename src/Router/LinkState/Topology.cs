using System.Collections.Immutable;

namespace Pillarbox.Router.LinkState;

/// <summary>Computes the ways from the link states in the table and writes them into its routers.</summary>
internal static class Topology
{
    /// <summary>Computes all anew. Returns the radius: hops to the farthest router.</summary>
    public static int Recompute(RouterTable table)
    {
        List<string> ids = [.. table.Nodes.Select(n => n.Id).Append(table.SelfId)];
        ids.Sort(RouterId.Compare);
        Dictionary<string, int> vertices = ids.Index().ToDictionary(i => i.Item, i => i.Index, StringComparer.Ordinal);
        int self = vertices[table.SelfId];
        var calculator = new PathCalculator(Edges(table, ids, vertices), self);
        RouterNode?[] nodes = [.. ids.Select(id => table.TryGet(id, out RouterNode? node) ? node : null)];
        foreach (RouterNode node in table.Nodes)
        {
            node.ValidOrigins = UInt128.One;
        }
        calculator.Run((root, to) =>
        {
            if (nodes[to] is { } node)
            {
                node.ValidOrigins |= nodes[root]!.Bit;
            }
        });
        foreach ((int vertex, RouterNode? node) in nodes.Index())
        {
            if (node is not null)
            {
                PathCalculator.Way way = calculator.Ways[vertex];
                node.NextHop = way.IsReachable ? nodes[way.NextHop] : null;
                node.Cost = way.Cost;
            }
        }
        return calculator.Radius;
    }

    private static (int To, int Cost)[][] Edges(
        RouterTable table, List<string> ids, Dictionary<string, int> vertices)
    {
        var edges = new (int To, int Cost)[ids.Count][];
        int self = vertices[table.SelfId];
        edges[self] = EdgesOf(table.OwnPeers(), vertices);
        foreach (RouterNode node in table.Nodes)
        {
            edges[vertices[node.Id]] = EdgesOf(node.Peers, vertices);
        }
        // A router that has not told its link state yet gets a link back to one that names it, so that it can be
        // reached and asked.
        for (int from = 0; from < edges.Length; from++)
        {
            foreach ((int to, _) in edges[from].Where(e => e.To != self && edges[e.To].Length == 0))
            {
                edges[to] = [(from, 1)];
            }
        }
        return edges;
    }

    private static (int To, int Cost)[] EdgesOf(ImmutableArray<PeerCost> peers, Dictionary<string, int> vertices) =>
    [
        .. peers.Where(p => vertices.ContainsKey(p.Id)).Select(p => (vertices[p.Id], p.Cost)),
    ];
}
