namespace Pillarbox.Router.LinkState;

/// <summary>One router on a way.</summary>
/// <param name="Id">The router.</param>
/// <param name="Cost">From the first router to here.</param>
public readonly record struct PathHop(string Id, long Cost);

/// <summary>Ways between any two routers, for people; each router computes its own for messages.</summary>
public static class RoutePath
{
    /// <summary>
    /// The way that messages take between two routers, both ends among them, by the link states that this router knows;
    /// empty: there is none.
    /// </summary>
    public static IReadOnlyList<PathHop> Find(RouteSnapshot network, string from, string to)
    {
        Dictionary<string, IReadOnlyList<PeerCost>> peers = new(StringComparer.Ordinal)
        {
            [network.RouterId] = network.OwnPeers,
        };
        foreach (RouterRoute router in network.Routers)
        {
            peers[router.Id] = router.Peers;
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
}
