using System.Text;

namespace Pillarbox.Storage.Tests;

public sealed class SegmentedLogTests
{
    private readonly MemoryFileSystem _files = new();

    [Fact]
    public async Task RecordsAreReadBackFromMemoryAndFromDisk()
    {
        var written = new Dictionary<long, string>();
        using SegmentedLog log = _files.OpenEmpty(LogTesting.Small);
        for (int i = 0; i < 500; i++)
        {
            string text = $"record {i} {new string('x', i % 200)}";
            written[log.AppendText(text)] = text;
            if (i % 7 == 0)
            {
                log.Flush();
            }
        }

        log.Flush();
        foreach ((long position, string text) in written)
        {
            Assert.Equal(text, await log.ReadTextAsync(position));
        }

        Assert.True(log.Segments.Count > 10);
        Assert.False(log.TryRead(log.HeadPosition, out _));
    }

    [Fact]
    public void ReplayVisitsAllRecordsInOrderAndAppendsGoOn()
    {
        var written = new List<string>();
        for (int run = 0; run < 5; run++)
        {
            using SegmentedLog log = _files.OpenAndReplay(
                LogTesting.Small, out RecordList list, out RecoveryReport report);
            Assert.Equal(written, list.Texts);
            Assert.Empty(report.Damages);
            Assert.Equal(0, report.TornBytes);
            for (int i = 0; i < 100; i++)
            {
                string text = $"run {run} record {i}";
                log.AppendText(text);
                written.Add(text);
            }
        }
    }

    [Fact]
    public void PositionsAreContiguousAndABatchIsOneStretch()
    {
        using SegmentedLog log = _files.OpenEmpty(LogTesting.Small);
        var batch = new LogBatch();
        int first = batch.Add(1, "one"u8);
        int second = batch.Add(2, "two"u8);
        long position = log.Append(batch);
        Assert.Equal(SegmentedLog.FirstPosition, position);
        Assert.Equal(0, first);
        Assert.Equal(RecordFormat.HeaderBytes + 3, second);
        Assert.Equal(position + batch.Bytes, log.TailPosition);
        Assert.True(log.TryRead(position + second, out LogLease lease));
        Assert.Equal(2, lease.Type);
        Assert.Equal("two", Encoding.UTF8.GetString(lease.Span));
        lease.Dispose();
    }

    [Fact]
    public async Task RecordsLargerThanBlockAndSegmentAreTaken()
    {
        byte[] large = new byte[20_000];
        Array.Fill(large, (byte)7);
        using (SegmentedLog log = _files.OpenEmpty(LogTesting.Small))
        {
            log.AppendText("before");
            var batch = new LogBatch();
            batch.Add(3, large);
            long position = log.Append(batch);
            log.AppendText("after");
            log.Flush();
            Assert.Equal(Encoding.UTF8.GetString(large), await log.ReadTextAsync(position));
        }

        using SegmentedLog again = _files.OpenAndReplay(LogTesting.Small, out RecordList list, out _);
        Assert.Equal(["before", Encoding.UTF8.GetString(large), "after"], list.Texts);
    }

    [Fact]
    public void NothingIsDurableBeforeTheFlush()
    {
        using SegmentedLog log = _files.OpenEmpty(LogTesting.Small);
        long position = log.AppendText("a");
        var waiter = new TestWaiter();
        log.WhenDurable(log.TailPosition, waiter);
        Assert.False(waiter.Done.IsCompleted);
        Assert.Equal(position, log.DurablePosition);
        log.Flush();
        Assert.True(waiter.Done.IsCompletedSuccessfully);
        Assert.Equal(log.TailPosition, log.DurablePosition);
        var late = new TestWaiter();
        log.WhenDurable(position, late);
        Assert.True(late.Done.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task AThreadOfItsOwnMakesAppendsDurableOnDisk()
    {
        using var directory = new TempDirectory();
        LogOptions options = LogTesting.Small with { OwnThread = true, ZeroFill = true };
        string path = directory.Path + "/log";
        using (SegmentedLog log = SegmentedLog.Open(DiskFileSystem.Instance, path, options))
        {
            log.Replay(0, new RecordList());
            for (int i = 0; i < 300; i++)
            {
                log.AppendText($"record {i}");
                var waiter = new TestWaiter();
                log.WhenDurable(log.TailPosition, waiter);
                Assert.True(await waiter.Done > 0);
            }
        }

        using SegmentedLog again = SegmentedLog.Open(DiskFileSystem.Instance, path, options);
        var list = new RecordList();
        again.Replay(0, list);
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"record {i}"), list.Texts);
    }
}
