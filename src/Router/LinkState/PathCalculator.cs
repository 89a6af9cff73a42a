namespace Pillarbox.Router.LinkState;

/// <summary>
/// Shortest ways by Dijkstra's algorithm. Of vertices of equal cost the lower one is settled first, and a way is
/// replaced only by a cheaper one: so all routers that know the same network find the same trees, which multicast
/// without loops depends on. Vertices are numbered in the order of the routers' ids.
/// </summary>
internal sealed class PathCalculator
{
    private readonly (int To, int Cost)[][] _edges;
    private readonly int _self;
    private readonly int[] _previous;
    private readonly long[] _cost;
    private readonly int[] _hops;
    private readonly int[] _order;
    private readonly bool[] _settled;
    private readonly bool[] _through;
    private int _reached;

    /// <param name="edges">Of each vertex, the vertices it leads to and what it costs.</param>
    /// <param name="self">The vertex of this router.</param>
    public PathCalculator((int To, int Cost)[][] edges, int self)
    {
        (_edges, _self) = (edges, self);
        int count = edges.Length;
        (_previous, _hops, _order) = (new int[count], new int[count], new int[count]);
        (_cost, _settled, _through) = (new long[count], new bool[count], new bool[count]);
        Ways = new Way[count];
    }

    /// <summary>A way from this router to a vertex.</summary>
    /// <param name="IsReachable">False: there is none.</param>
    /// <param name="NextHop">The first vertex of it.</param>
    /// <param name="Cost">Its cost.</param>
    public readonly record struct Way(bool IsReachable, int NextHop, long Cost);

    /// <summary>Of each vertex, after <see cref="Run"/>.</summary>
    public Way[] Ways { get; }

    /// <summary>Hops to the farthest vertex.</summary>
    public int Radius { get; private set; }

    /// <summary>Computes all ways, and calls back for each pair whose way passes through this router.</summary>
    /// <param name="onValidOrigin">Gets the root and the destination.</param>
    public void Run(Action<int, int> onValidOrigin)
    {
        Grow(_self);
        for (int i = 1; i < _reached; i++)
        {
            int vertex = _order[i];
            int previous = _previous[vertex];
            int hop = previous == _self ? vertex : Ways[previous].NextHop;
            Ways[vertex] = new Way(true, hop, _cost[vertex]);
            Radius = Math.Max(Radius, _hops[vertex]);
        }
        for (int root = 0; root < _edges.Length; root++)
        {
            if (Ways[root].IsReachable)
            {
                FindOrigins(root, onValidOrigin);
            }
        }
    }

    /// <summary>The vertices from this router to one, both among them, and their costs; empty: unreachable.</summary>
    public IReadOnlyList<(int Vertex, long Cost)> WayTo(int vertex)
    {
        Grow(_self);
        List<(int Vertex, long Cost)> way = [];
        for (int at = vertex; _settled[vertex] && at >= 0; at = _previous[at])
        {
            way.Insert(0, (at, _cost[at]));
        }
        return way;
    }

    private void FindOrigins(int root, Action<int, int> onValidOrigin)
    {
        Grow(root);
        _through[root] = false;
        for (int i = 1; i < _reached; i++)
        {
            int vertex = _order[i];
            int previous = _previous[vertex];
            _through[vertex] = previous == _self || _through[previous];
            if (_through[vertex])
            {
                onValidOrigin(root, vertex);
            }
        }
    }

    // The tree of the shortest ways from a root: _order holds the vertices it reaches, nearest first.
    private void Grow(int root)
    {
        Array.Fill(_cost, long.MaxValue);
        Array.Clear(_settled);
        (_cost[root], _hops[root], _previous[root], _reached) = (0, 0, -1, 0);
        while (Nearest() is >= 0 and int vertex)
        {
            _settled[vertex] = true;
            _order[_reached++] = vertex;
            foreach ((int to, int cost) in _edges[vertex])
            {
                if (!_settled[to] && _cost[vertex] + cost < _cost[to])
                {
                    _cost[to] = _cost[vertex] + cost;
                    _hops[to] = _hops[vertex] + 1;
                    _previous[to] = vertex;
                }
            }
        }
    }

    private int Nearest()
    {
        (int found, long best) = (-1, long.MaxValue);
        for (int vertex = 0; vertex < _cost.Length; vertex++)
        {
            if (!_settled[vertex] && _cost[vertex] < best)
            {
                (found, best) = (vertex, _cost[vertex]);
            }
        }
        return found;
    }
}
