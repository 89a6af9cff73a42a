using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Streams.Reading;

public sealed class PartitionProgressTests
{
    [Fact]
    public void The_mark_moves_over_what_is_settled_without_a_gap()
    {
        PartitionProgress progress = new(5);
        progress.Settle(7);
        progress.Settle(6);
        Assert.Equal(5, progress.Mark);
        Assert.Equal([new PartitionProgress.Range(6, 8)], progress.Ranges);
        Assert.Equal(2, progress.SettledAbove);
        progress.Settle(5);
        Assert.Equal((8L, 0L), (progress.Mark, progress.SettledAbove));
        Assert.Empty(progress.Ranges);
    }

    [Fact]
    public void Whatever_the_order_it_agrees_with_a_set()
    {
        SeededRandom random = Seeds.New(out string seed);
        PartitionProgress progress = new(10);
        HashSet<long> settled = [.. Enumerable.Range(0, 10).Select(i => (long)i)];
        for (int step = 0; step < 2000; step++)
        {
            long from = random.Next(400);
            long to = from + 1 + (random.Next(4) == 0 ? random.Next(20) : 0);
            if (to == from + 1)
            {
                progress.Settle(from);
            }
            else
            {
                progress.Settle(from, to);
            }

            for (long offset = from; offset < to; offset++)
            {
                settled.Add(offset);
            }

            Check(progress, settled, seed);
        }
    }

    private static void Check(PartitionProgress progress, HashSet<long> settled, string seed)
    {
        long mark = 0;
        while (settled.Contains(mark))
        {
            mark++;
        }

        Assert.True(mark == progress.Mark, seed);
        Assert.True(settled.Count(offset => offset > mark) == progress.SettledAbove, seed);
        for (long offset = 0; offset < 430; offset++)
        {
            Assert.True(settled.Contains(offset) == progress.IsSettled(offset), $"offset {offset} {seed}");
        }

        for (int i = 1; i < progress.Ranges.Count; i++)
        {
            Assert.True(progress.Ranges[i - 1].To < progress.Ranges[i].From, seed);
        }
    }
}
