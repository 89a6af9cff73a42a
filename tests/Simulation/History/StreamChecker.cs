namespace Pillarbox.Simulation.Tests.History;

/// <summary>Holds a history of streams against what a log of the Kafka kind promises.</summary>
internal sealed class StreamChecker
{
    /// <summary>Writers of transactions are not kept apart from each other: these are no defects.</summary>
    private static readonly AnomalyKind[] Allowed = [AnomalyKind.G0, AnomalyKind.IntSendSkip];

    private readonly StreamHistory _history;
    private readonly List<Anomaly> _found = [];
    private readonly VersionOrder _order;

    private StreamChecker(StreamHistory history)
    {
        _history = history;
        _order = new VersionOrder(history, Report);
    }

    /// <summary>All that is wrong; without what is allowed.</summary>
    public static IReadOnlyList<Anomaly> Check(StreamHistory history) =>
        [.. CheckAll(history).Where(anomaly => !Allowed.Contains(anomaly.Kind))];

    /// <summary>All that was found, also what is allowed.</summary>
    public static IReadOnlyList<Anomaly> CheckAll(StreamHistory history)
    {
        var checker = new StreamChecker(history);
        new WriterChecks(history, checker._order, checker.Report).Run();
        new ReaderChecks(history, checker._order, checker.Report).Run();
        new OffsetChecks(history, checker.Report).Run();
        new CycleChecks(history, checker._order, checker.Report).Run();
        return checker._found;
    }

    private void Report(AnomalyKind kind, string text) => _found.Add(new Anomaly(kind, text));
}
