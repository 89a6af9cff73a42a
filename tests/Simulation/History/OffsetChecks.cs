namespace Pillarbox.Simulation.Tests.History;

/// <summary>Whether groups were told the offsets that they had committed.</summary>
internal sealed class OffsetChecks(StreamHistory history, Action<AnomalyKind, string> report)
{
    public void Run()
    {
        var commits = history.Commits.ToLookup(c => (c.Group, c.Partition));
        foreach (OffsetRead read in history.OffsetReads)
        {
            Check(read, [.. commits[(read.Group, read.Partition)].Where(c => c.InvokedAt < read.AnsweredAt)]);
        }
    }

    private void Check(OffsetRead read, OffsetCommit[] commits)
    {
        OffsetCommit[] possible = [.. commits.Where(c => c.Outcome != Outcome.Failed)];

        // What was committed before the last commit that is known to hold was begun, is history.
        long lastKnown = possible.Where(c => c.KnownAt < read.InvokedAt).Select(c => c.InvokedAt)
            .DefaultIfEmpty(long.MinValue).Max();
        bool isAllowed = possible.Any(c => c.Offset == read.Offset && c.KnownAt >= lastKnown)
            || (read.Offset < 0 && lastKnown == long.MinValue);
        if (isAllowed)
        {
            return;
        }

        bool isAborted = commits.Any(c => c.Outcome == Outcome.Failed && c.Offset == read.Offset);
        long latest = possible.Where(c => c.InvokedAt == lastKnown).Select(c => c.Offset).DefaultIfEmpty(-1).Max();
        report(
            isAborted ? AnomalyKind.AbortedOffset : AnomalyKind.LostOffset,
            $"group {read.Group} was told {read.Offset} for {read.Partition}, {latest} was committed");
    }
}
