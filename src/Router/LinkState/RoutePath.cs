namespace Pillarbox.Router.LinkState;

/// <summary>One router on a way.</summary>
/// <param name="Id">The router.</param>
/// <param name="Cost">From the first router to here.</param>
public readonly record struct PathHop(string Id, long Cost);

/// <summary>Ways between any two routers, for people; each router computes its own for messages.</summary>
public static class RoutePath
{
    // Between an edge and the router of the interior that it is attached to; nothing is said of it on the wire.
    private const int EdgeCost = 1;

    /// <summary>
    /// The way that messages take between two routers, both ends among them, by the link states that this router knows;
    /// empty: there is none. Either end may be a router at the edge, which is on nobody else's way.
    /// </summary>
    /// <param name="network">The network as a router sees it.</param>
    /// <param name="from">The first router.</param>
    /// <param name="to">The last router.</param>
    /// <param name="near">Routers that this one has a connection of an edge to: those at the edge that are attached
    /// here; at an edge the one of the interior.</param>
    public static IReadOnlyList<PathHop> Find(
        RouteSnapshot network, string from, string to, IReadOnlyCollection<string>? near = null)
    {
        Dictionary<string, IReadOnlyList<PeerCost>> peers = new(StringComparer.Ordinal)
        {
            [network.RouterId] = network.OwnPeers,
        };
        foreach (RouterRoute router in network.Routers)
        {
            peers[router.Id] = router.Peers;
        }

        foreach (string edge in new[] { from, to }.Distinct().Where(id => !peers.ContainsKey(id)).ToArray())
        {
            Attach(peers, edge, HomesOf(edge, network, near ?? []));
        }

        List<string> ids = [.. peers.Keys.Order(Comparer<string>.Create(RouterId.Compare))];
        (int start, int end) = (ids.IndexOf(from), ids.IndexOf(to));
        if (start < 0 || end < 0)
        {
            return [];
        }
        (int To, int Cost)[][] edges =
        [
            .. ids.Select(id => peers[id].Where(p => peers.ContainsKey(p.Id)).Select(p => (ids.IndexOf(p.Id), p.Cost))
                .ToArray()),
        ];
        return [.. new PathCalculator(edges, start).WayTo(end).Select(v => new PathHop(ids[v.Vertex], v.Cost))];
    }

    private static List<string> HomesOf(string end, RouteSnapshot network, IReadOnlyCollection<string> near)
    {
        List<string> homes = [.. network.IdsOf(network.RoutersOf(AddressKey.Edge(end)))];
        if (near.Contains(end))
        {
            homes.Add(network.RouterId);
        }

        return homes;
    }

    private static void Attach(
        Dictionary<string, IReadOnlyList<PeerCost>> peers, string end, List<string> homes)
    {
        if (homes.Count == 0)
        {
            return;
        }

        peers[end] = [.. homes.Select(home => new PeerCost(home, EdgeCost))];
        foreach (string home in homes)
        {
            peers[home] = [.. peers[home], new PeerCost(end, EdgeCost)];
        }
    }
}
