using System.Text;
using Pillarbox.Model;

namespace Pillarbox.Storage.Tests;

public sealed class SpillTests
{
    private static readonly LogOptions Options = LogTesting.Small with { Mode = LogMode.Spill, CacheBytes = 16 * 1024 };
    private readonly MemoryFileSystem _files = new();

    [Fact]
    public async Task WithinMemoryNothingIsWritten()
    {
        using SegmentedLog log = SegmentedLog.Open(_files, "spill", Options);
        long position = Append(log, "text", references: 1);
        log.Flush();
        Assert.Equal("text", await log.ReadTextAsync(position));
        Assert.Empty(_files.List("spill", ""));
        var waiter = new TestWaiter();
        log.WhenDurable(log.TailPosition, waiter);
        Assert.True(waiter.Done.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task LiveBlocksOverflowToDiskAndAreReadBack()
    {
        var random = new SeededRandom(5);
        using SegmentedLog log = SegmentedLog.Open(_files, "spill", Options);
        var written = new List<(long Position, string Text)>();
        for (int i = 0; i < 2000; i++)
        {
            string text = $"record {i} {new string('s', random.Next(i % 100 == 0 ? 5000 : 100))}";
            written.Add((Append(log, text, references: 1), text));
            log.Flush();
        }

        Assert.True(_files.DataOf("spill/overflow.spill").Length > 50_000);
        foreach ((long position, string text) in written)
        {
            Assert.Equal(text, await log.ReadTextAsync(position));
        }
    }

    [Fact]
    public async Task DeadBlocksGiveTheirSpaceBack()
    {
        using SegmentedLog log = SegmentedLog.Open(_files, "spill", Options);
        var queue = new Queue<(long Position, string Text)>();
        long highest = 0;
        for (int i = 0; i < 20_000; i++)
        {
            string text = $"record {i} {new string('s', 50)}";
            queue.Enqueue((Append(log, text, references: 2), text));
            if (queue.Count > 1000)
            {
                (long position, string expected) = queue.Dequeue();
                if (i % 50 == 0)
                {
                    Assert.Equal(expected, await log.ReadTextAsync(position));
                }

                log.ReleaseReference(position, expected.Length);
                log.ReleaseReference(position, expected.Length);
            }

            if (i % 10 == 0)
            {
                log.Flush();
                highest = _files.Exists("spill/overflow.spill")
                    ? Math.Max(highest, _files.DataOf("spill/overflow.spill").Length)
                    : highest;
            }
        }

        // About 80 bytes a record: 1,000 live ones are 80 kB; 20,000 would be 1.6 MB.
        Assert.InRange(highest, 40_000, 200_000);
        Assert.InRange(log.Segments.Count, 50, 200);
        foreach ((long position, string text) in queue)
        {
            log.ReleaseReference(position, text.Length);
            log.ReleaseReference(position, text.Length);
        }

        log.Flush();
        Assert.InRange(log.Segments.Count, 1, 6);
        Assert.InRange(_files.DataOf("spill/overflow.spill").Length, 0, 200_000);
    }

    [Fact]
    public void MemoryIsBoundedWhenTheDiskIsFull()
    {
        var faults = new FileFaults { CapacityBytes = 10_000 };
        var files = new FaultyFileSystem(_files, faults, new SeededRandom(1));
        using SegmentedLog log = SegmentedLog.Open(files, "spill", Options with { PendingBytesMax = 4096 });
        var states = new List<SpaceState>();
        log.SpaceStateChanged = states.Add;
        Assert.Throws<StorageFullException>(() => AppendForEver(log));
        Assert.Equal([SpaceState.Full], states);
        faults.CapacityBytes = long.MaxValue;
        log.Flush();
        Assert.Equal([SpaceState.Full, SpaceState.Ok], states);
        Append(log, "again", references: 1);
    }

    [Fact]
    public void ADiskSlowerThanProducersIsSaid()
    {
        using SegmentedLog log = SegmentedLog.Open(_files, "spill", Options with { PendingBytesMax = 4096 });
        Assert.Throws<StorageBusyException>(() => AppendForEver(log, flush: false));
        log.Flush();
        Append(log, "again", references: 1);
    }

    [Fact]
    public void AStartForgetsEverything()
    {
        using (SegmentedLog log = SegmentedLog.Open(_files, "spill", Options))
        {
            for (int i = 0; i < 500; i++)
            {
                Append(log, new string('t', 100), references: 1);
                log.Flush();
            }

            Assert.NotEmpty(_files.List("spill", ""));
        }

        using SegmentedLog again = SegmentedLog.Open(_files, "spill", Options);
        Assert.Empty(_files.List("spill", ""));
        Assert.Equal(SegmentedLog.FirstPosition, again.TailPosition);
    }

    private static void AppendForEver(SegmentedLog log, bool flush = true)
    {
        for (int i = 0; i < 10_000; i++)
        {
            Append(log, new string('t', 100), references: 1);
            if (flush)
            {
                log.Flush();
            }
        }
    }

    private static long Append(SegmentedLog log, string text, int references)
    {
        var batch = new LogBatch();
        batch.Add(1, Encoding.UTF8.GetBytes(text), references);
        return log.Append(batch);
    }
}
