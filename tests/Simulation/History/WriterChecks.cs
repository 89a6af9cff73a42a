namespace Pillarbox.Simulation.Tests.History;

/// <summary>Whether what was written is there, once, whole and in order.</summary>
internal sealed class WriterChecks(StreamHistory history, VersionOrder order, Action<AnomalyKind, string> report)
{
    public void Run()
    {
        CheckLost();
        CheckTorn();
        CheckFenced();
        CheckOrder();
        foreach (Unit unit in history.Units.Where(unit => unit.IsTransactional))
        {
            CheckWithin(unit);
        }
    }

    private void CheckLost()
    {
        Dictionary<string, long> last = LastSeen();
        Dictionary<(string, string), long> keys = LastOfKeys();
        foreach (Sent sent in order.Sent.Values.Where(sent => sent.MustBe))
        {
            if (order.IsSeen(sent.Partition, sent.Value) || IsExcused(sent, keys))
            {
                continue;
            }

            if (sent.Offset >= 0 && sent.Offset < last.GetValueOrDefault(sent.Partition, -1))
            {
                report(AnomalyKind.LostWrite, $"{sent.Partition} {sent.Offset} {sent.Value} of {sent.Unit} is gone");
            }
            else if (history.Final is not null)
            {
                report(AnomalyKind.Unseen, $"{sent.Partition} {sent.Offset} {sent.Value} of {sent.Unit} never came");
            }
        }
    }

    private Dictionary<string, long> LastSeen()
    {
        Dictionary<string, long> last = [];
        foreach (Polled polled in history.Lives.Where(life => life.IsCommitted).SelectMany(life => life.All))
        {
            last[polled.Partition] = Math.Max(polled.Offset, last.GetValueOrDefault(polled.Partition, -1));
        }

        return last;
    }

    private Dictionary<(string Partition, string RecordKey), long> LastOfKeys()
    {
        Dictionary<(string, string), long> last = [];
        foreach (Sent sent in order.Sent.Values.Where(s => s.RecordKey is not null && !s.MustNotBe))
        {
            (string, string) key = (sent.Partition, sent.RecordKey!);
            long offset = order.OffsetOf(sent.Partition, sent.Value);
            last[key] = Math.Max(offset, last.GetValueOrDefault(key, -1));
        }

        return last;
    }

    private bool IsExcused(Sent sent, Dictionary<(string, string), long> keys)
    {
        bool isReplaced = history.HasCompaction(sent.Partition) && sent.RecordKey is { } key && sent.Offset >= 0
            && keys.GetValueOrDefault((sent.Partition, key), -1) > sent.Offset;
        return isReplaced || history.IsGoneByRetention(sent.Partition, sent.Offset);
    }

    // Only who has read everything knows what is missing.
    private void CheckTorn()
    {
        if (history.Final is not { IsCommitted: true } final)
        {
            return;
        }

        HashSet<(string, string)> there = [.. final.All.Select(p => (p.Partition, p.Value))];
        foreach (Unit unit in history.Units.Where(unit => unit.IsTransactional))
        {
            Sent[] some = [.. unit.Sent.Where(s => s.Outcome == Outcome.Good && !MayBeGone(s))];
            int found = some.Count(sent => there.Contains((sent.Partition, sent.Value)));
            if (found > 0 && found < some.Length)
            {
                report(AnomalyKind.TornTransaction, $"{unit}: {found} of {some.Length} records are there");
            }
        }
    }

    private bool MayBeGone(Sent sent) =>
        history.HasCompaction(sent.Partition) || history.IsGoneByRetention(sent.Partition, sent.Offset);

    private void CheckFenced()
    {
        foreach (Fencing fencing in history.Fencings)
        {
            foreach (Sent sent in order.Sent.Values.Where(sent =>
                sent.Unit.Producer == fencing.Producer && sent.Unit.Epoch < fencing.Epoch
                && sent.InvokedAt > fencing.At && order.IsSeen(sent.Partition, sent.Value)))
            {
                report(
                    AnomalyKind.FencedWrite,
                    $"{fencing.Producer} of epoch {sent.Unit.Epoch} wrote {sent.Value} after epoch {fencing.Epoch}");
            }
        }
    }

    /// <summary>What was acknowledged before another record was sent lies before it.</summary>
    private void CheckOrder()
    {
        foreach (string partition in order.Partitions)
        {
            Sent? latest = null;
            foreach ((_, string value) in order.Of(partition))
            {
                if (!order.Sent.TryGetValue((partition, value), out Sent? sent))
                {
                    continue;
                }

                if (latest is not null && sent.AnsweredAt < latest.InvokedAt && sent.Unit != latest.Unit)
                {
                    report(
                        AnomalyKind.NonmonotonicSend,
                        $"{partition}: {latest.Value} lies before {value}, which was acknowledged before it was sent");
                }

                latest = latest is null || sent.InvokedAt > latest.InvokedAt ? sent : latest;
            }
        }
    }

    private void CheckWithin(Unit unit)
    {
        foreach (IGrouping<string, Sent> own in unit.Sent.Where(s => s.Offset >= 0).GroupBy(s => s.Partition))
        {
            Sent? before = null;
            foreach (Sent sent in own)
            {
                if (before is not null && sent.Offset <= before.Offset)
                {
                    report(
                        AnomalyKind.IntNonmonotonicSend, $"{unit}: {before.Value} at {before.Offset}, then "
                        + $"{sent.Value} at {sent.Offset}");
                }
                else if (before is not null && HoldsOthers(unit, own.Key, before.Offset, sent.Offset))
                {
                    report(AnomalyKind.IntSendSkip, $"{unit}: others between {before.Value} and {sent.Value}");
                }

                before = sent;
            }
        }
    }

    private bool HoldsOthers(Unit unit, string partition, long from, long to)
    {
        for (long at = order.FirstVisibleBetween(partition, from, to); at >= 0;
            at = order.FirstVisibleBetween(partition, at, to))
        {
            string value = order.Of(partition).First(pair => pair.Key == at).Value;
            if (order.Sent.GetValueOrDefault((partition, value))?.Unit != unit)
            {
                return true;
            }
        }

        return false;
    }
}
