namespace Pillarbox.Simulation.Tests.History;

/// <summary>Whether readers saw what they may see, in order, without gaps.</summary>
internal sealed class ReaderChecks(StreamHistory history, VersionOrder order, Action<AnomalyKind, string> report)
{
    public void Run()
    {
        foreach (ReaderLife life in history.Lives)
        {
            CheckOrder(life);
            foreach (Polled polled in life.All)
            {
                CheckSource(life, polled);
            }
        }

        foreach (string group in history.DrainedGroups)
        {
            CheckGroup(group);
        }
    }

    private void CheckOrder(ReaderLife life)
    {
        Dictionary<string, long> last = [];
        foreach (IReadOnlyList<Polled> poll in life.Polls)
        {
            HashSet<string> inThisPoll = [];
            foreach (Polled polled in poll)
            {
                bool isWithin = !inThisPoll.Add(polled.Partition);
                if (last.TryGetValue(polled.Partition, out long before))
                {
                    CheckStep(life, polled, before, isWithin);
                }

                last[polled.Partition] = polled.Offset;
            }
        }
    }

    private void CheckStep(ReaderLife life, Polled polled, long before, bool isWithin)
    {
        if (polled.Offset <= before)
        {
            report(
                isWithin ? AnomalyKind.IntNonmonotonicPoll : AnomalyKind.NonmonotonicPoll,
                $"{life.Reader} read {polled.Partition} {polled.Offset} after {before}");
            return;
        }

        long skipped = history.HasCompaction(polled.Partition)
            ? -1
            : order.FirstVisibleBetween(polled.Partition, before, polled.Offset);
        if (skipped >= 0)
        {
            report(
                isWithin ? AnomalyKind.IntPollSkip : AnomalyKind.PollSkip,
                $"{life.Reader} read {polled.Partition} {before} and then {polled.Offset}, not {skipped}");
        }
    }

    private void CheckSource(ReaderLife life, Polled polled)
    {
        if (!order.Sent.TryGetValue((polled.Partition, polled.Value), out Sent? sent))
        {
            report(AnomalyKind.Phantom, $"{life.Reader} read {polled.Partition} {polled.Offset} {polled.Value}");
            return;
        }

        if (!life.IsCommitted || !sent.Unit.IsTransactional)
        {
            return;
        }

        if (sent.MustNotBe)
        {
            report(AnomalyKind.AbortedRead, $"{life.Reader} read {polled.Value} of {sent.Unit}, which was aborted");
        }
        else if (polled.At < sent.Unit.CommitAskedAt)
        {
            report(
                AnomalyKind.PrecommittedRead,
                $"{life.Reader} read {polled.Value} of {sent.Unit} before it was to be committed");
        }
    }

    private void CheckGroup(string group)
    {
        ReaderLife[] lives = [.. history.Lives.Where(life => life.Group == group)];
        HashSet<(string, string)> seen = [.. lives.SelectMany(l => l.All).Select(p => (p.Partition, p.Value))];
        HashSet<string> partitions = [.. lives.SelectMany(l => l.All).Select(p => p.Partition)];
        foreach (Sent sent in order.Sent.Values.Where(sent => sent.MustBe && partitions.Contains(sent.Partition)))
        {
            if (!seen.Contains((sent.Partition, sent.Value)) && !history.HasCompaction(sent.Partition)
                && !history.IsGoneByRetention(sent.Partition, sent.Offset))
            {
                report(AnomalyKind.Unseen, $"group {group} never saw {sent.Partition} {sent.Offset} {sent.Value}");
            }
        }
    }
}
