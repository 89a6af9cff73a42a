namespace Pillarbox.Simulation.Tests.History;

/// <summary>Looks for circles among transactions: by their writes, by what they read of each other, and with the order
/// of one process or of time.</summary>
internal sealed class CycleChecks(StreamHistory history, VersionOrder order, Action<AnomalyKind, string> report)
{
    public void Run()
    {
        List<(int From, int To)> writes = [.. WriteEdges()];
        List<(int From, int To)> reads = [.. ReadEdges()];
        int units = history.Units.Count;
        Look(AnomalyKind.G0, units, writes);
        if (reads.Count == 0 || Look(AnomalyKind.G1c, units, reads)
            || Look(AnomalyKind.G1cProcess, units, [.. reads, .. ProcessEdges()]))
        {
            return;
        }

        (int From, int To)[] time = [.. TimeEdges(out int nodes)];
        Look(AnomalyKind.G1cRealtime, nodes, [.. reads, .. time]);
    }

    private bool Look(AnomalyKind kind, int nodes, IReadOnlyList<(int From, int To)> edges)
    {
        int[]? circle = Graph.FindCircle(nodes, edges);
        if (circle is null)
        {
            return false;
        }

        var named = circle.Where(node => node < history.Units.Count).Select(node => history.Units[node].ToString());
        report(kind, string.Join(" -> ", named));
        return true;
    }

    private IEnumerable<(int From, int To)> WriteEdges()
    {
        foreach (string partition in order.Partitions)
        {
            Unit? before = null;
            foreach ((_, string value) in order.Of(partition))
            {
                Unit? unit = order.Sent.GetValueOrDefault((partition, value))?.Unit;
                if (unit is null or { IsTransactional: false } || !order.IsSeen(partition, value))
                {
                    continue;
                }

                if (before is not null && before != unit)
                {
                    yield return (before.Number, unit.Number);
                }

                before = unit;
            }
        }
    }

    private IEnumerable<(int From, int To)> ReadEdges() =>
        from unit in history.Units
        where unit.Outcome == Outcome.Good
        from polled in unit.Polled
        let writer = order.Sent.GetValueOrDefault((polled.Partition, polled.Value))?.Unit
        where writer is not null && writer != unit
        select (writer.Number, unit.Number);

    private IEnumerable<(int From, int To)> ProcessEdges() =>
        from process in history.Units.GroupBy(unit => unit.Process)
        let units = process.OrderBy(unit => unit.BegunAt).ToArray()
        from pair in units.Zip(units.Skip(1))
        select (pair.First.Number, pair.Second.Number);

    // Nodes that stand for moments keep the number of edges small: a unit leads to the moment of its end, a moment to
    // the next one, and the last moment before a unit's beginning to that unit.
    private List<(int From, int To)> TimeEdges(out int nodes)
    {
        List<(int, int)> edges = [];
        Unit[] ended = [.. history.Units.Where(u => u.EndedAt != long.MaxValue).OrderBy(u => u.EndedAt)];
        int first = history.Units.Count;
        for (int i = 0; i < ended.Length; i++)
        {
            edges.Add((ended[i].Number, first + i));
            if (i > 0)
            {
                edges.Add((first + i - 1, first + i));
            }
        }

        int moment = 0;
        foreach (Unit unit in history.Units.OrderBy(u => u.BegunAt))
        {
            while (moment < ended.Length && ended[moment].EndedAt < unit.BegunAt)
            {
                moment++;
            }

            if (moment > 0)
            {
                edges.Add((first + moment - 1, unit.Number));
            }
        }

        nodes = first + ended.Length;
        return edges;
    }
}

/// <summary>A directed graph of numbered nodes.</summary>
internal static class Graph
{
    private const int Unseen = 0;
    private const int OnPath = 1;
    private const int Done = 2;

    /// <summary>The nodes of one circle in their order; null when there is none.</summary>
    public static int[]? FindCircle(int nodes, IReadOnlyList<(int From, int To)> edges)
    {
        ILookup<int, int> next = edges.ToLookup(edge => edge.From, edge => edge.To);
        int[] state = new int[nodes];
        for (int start = 0; start < nodes; start++)
        {
            if (state[start] == Unseen && Walk(start, next, state) is { } circle)
            {
                return circle;
            }
        }

        return null;
    }

    private static int[]? Walk(int start, ILookup<int, int> next, int[] state)
    {
        List<int> path = [start];
        Stack<IEnumerator<int>> ways = new([next[start].GetEnumerator()]);
        state[start] = OnPath;
        while (ways.Count > 0)
        {
            if (!ways.Peek().MoveNext())
            {
                ways.Pop();
                state[path[^1]] = Done;
                path.RemoveAt(path.Count - 1);
                continue;
            }

            int node = ways.Peek().Current;
            if (state[node] == OnPath)
            {
                return [.. path.Skip(path.IndexOf(node)), node];
            }

            if (state[node] == Unseen)
            {
                state[node] = OnPath;
                path.Add(node);
                ways.Push(next[node].GetEnumerator());
            }
        }

        return null;
    }
}
