using System.Text;
using Pillarbox.Model;

namespace Pillarbox.Storage.Tests;

public sealed class FaultTests(ITestOutputHelper output)
{
    private readonly MemoryFileSystem _memory = new();
    private readonly FileFaults _faults = new();

    private FaultyFileSystem Faulty(ulong seed = 1) => new(_memory, _faults, new SeededRandom(seed));

    [Fact]
    public void AFailedSyncStopsTheLogForGood()
    {
        using SegmentedLog log = SegmentedLog.Open(Faulty(), "log", LogTesting.Small);
        int failures = 0;
        log.Failed = _ => failures++;
        log.Replay(0, new RecordList());
        log.AppendText("kept");
        log.Flush();
        long durable = log.DurablePosition;
        log.AppendText("lost or not");
        var waiter = new TestWaiter();
        log.WhenDurable(log.TailPosition, waiter);
        _faults.SyncFailure = 1;
        log.Flush();
        _faults.SyncFailure = 0;
        Assert.True(waiter.Done.IsFaulted);
        StorageFailedException error = Assert.Throws<StorageFailedException>(() => log.AppendText("refused"));
        Assert.Contains("start the node again", error.Message, StringComparison.Ordinal);
        log.Flush();
        var late = new TestWaiter();
        log.WhenDurable(log.TailPosition, late);
        Assert.True(late.Done.IsFaulted);
        Assert.Equal(durable, log.DurablePosition);
        Assert.Equal(1, failures);
        log.Dispose();
        using SegmentedLog again = _memory.OpenAndReplay(LogTesting.Small, out RecordList list, out _);
        Assert.Equal("kept", list.Texts.First());
    }

    [Fact]
    public void AFullDiskAtASyncIsAFailureToo()
    {
        using SegmentedLog log = SegmentedLog.Open(Faulty(), "log", LogTesting.Small);
        log.Replay(0, new RecordList());
        log.AppendText("kept");
        log.Flush();
        long durable = log.DurablePosition;
        log.AppendText("lost or not");
        var waiter = new TestWaiter();
        log.WhenDurable(log.TailPosition, waiter);
        _faults.SyncFull = 1;
        log.Flush();
        _faults.SyncFull = 0;
        log.Flush();
        Assert.True(waiter.Done.IsFaulted);
        Assert.Equal(durable, log.DurablePosition);
        Assert.Throws<StorageFailedException>(() => log.AppendText("refused"));
    }

    [Fact]
    public void AWriteThatIsTakenAtLastEndsTheFullDisk()
    {
        using SegmentedLog log = SegmentedLog.Open(Faulty(), "log", LogTesting.Small);
        log.Replay(0, new RecordList());
        log.AppendText("one");
        log.Flush();
        log.AppendText("two");
        _faults.WriteFull = 1;
        for (int i = 0; i < 5; i++)
        {
            // The spare files are made and complete meanwhile.
            log.Flush();
            Assert.Equal(SpaceState.Full, log.SpaceState);
        }

        _faults.WriteFull = 0;
        log.Flush();
        Assert.Equal(SpaceState.Ok, log.SpaceState);
        log.AppendText("three");
        log.Flush();
        Assert.Equal(log.TailPosition, log.DurablePosition);
    }

    [Fact]
    public void ASpareFileThatCannotBeFilledIsNotLeftBehind()
    {
        LogOptions options = LogTesting.Small with { ZeroFill = true, ReserveSegments = 0 };
        using SegmentedLog log = SegmentedLog.Open(Faulty(), "log", options);
        log.Replay(0, new RecordList());
        log.AppendText("one");
        log.Flush();
        string[] before = _memory.List("log", "");
        _faults.WriteFull = 1;
        for (int i = 0; i < 5; i++)
        {
            log.Flush();
        }

        Assert.InRange(_memory.List("log", "").Length, 1, before.Length);
    }

    [Fact]
    public void AFullDiskStopsProducersButNotSettlements()
    {
        LogOptions options = LogTesting.Small with { ReserveSegments = 2 };
        _faults.CapacityBytes = 6 * options.SegmentBytes;
        using SegmentedLog log = SegmentedLog.Open(Faulty(), "log", options);
        var states = new List<SpaceState>();
        log.SpaceStateChanged = states.Add;
        log.Replay(0, new RecordList());
        int appended = FillUntilFull(log);
        log.Flush();
        Assert.Equal(SpaceState.Full, log.SpaceState);
        Assert.Equal([SpaceState.Full], states);

        // The reserve takes a segment's worth of settlements and more.
        var settlement = new LogBatch();
        for (int bytes = 0; bytes < options.SegmentBytes * 3 / 2; bytes += 62)
        {
            settlement.Clear();
            settlement.Essential = true;
            settlement.Add(2, new byte[50]);
            log.Append(settlement);
            log.Flush();
        }

        Assert.True(appended > 50);
        Assert.Throws<StorageFullException>(() => log.AppendText("refused"));
    }

    [Fact]
    public void ReclaimedSpaceLetsProducersGoOnByItself()
    {
        _faults.CapacityBytes = 5 * LogTesting.Small.SegmentBytes;
        using SegmentedLog log = SegmentedLog.Open(Faulty(), "log", LogTesting.Small);
        var states = new List<SpaceState>();
        log.SpaceStateChanged = states.Add;
        log.Replay(0, new RecordList());
        FillUntilFull(log);
        log.Flush();
        log.Reclaim(log.DurablePosition);
        log.Flush();
        Assert.Equal([SpaceState.Full, SpaceState.Ok], states);
        log.AppendText("again");
        FillUntilFull(log);
        log.Flush();
        _faults.CapacityBytes *= 2;
        log.Flush();
        Assert.Equal(SpaceState.Ok, log.SpaceState);
        log.AppendText("and again");
    }

    [Fact]
    public void AWriteWithoutRoomIsDoneAgainLater()
    {
        using (SegmentedLog log = SegmentedLog.Open(Faulty(), "log", LogTesting.Small))
        {
            log.Replay(0, new RecordList());
            log.AppendText("one");
            var waiter = new TestWaiter();
            log.WhenDurable(log.TailPosition, waiter);
            _faults.WriteFull = 1;
            log.Flush();
            Assert.False(waiter.Done.IsCompleted);
            Assert.Equal(SegmentedLog.FirstPosition, log.DurablePosition);
            _faults.WriteFull = 0;
            log.Flush();
            Assert.True(waiter.Done.IsCompletedSuccessfully);
        }

        using SegmentedLog again = _memory.OpenAndReplay(LogTesting.Small, out RecordList list, out _);
        Assert.Equal(["one"], list.Texts);
    }

    [Fact]
    public async Task AWrongBitFromTheDiskIsNeverHandedOut()
    {
        var written = new List<(long Position, string Text)>();
        using SegmentedLog log = SegmentedLog.Open(Faulty(), "log", LogTesting.Small with { CacheBytes = 1024 });
        log.Replay(0, new RecordList());
        for (int i = 0; i < 300; i++)
        {
            string text = $"record {i} {new string('z', i % 90)}";
            written.Add((log.AppendText(text), text));
            log.Flush();
        }

        _faults.ReadBitFlip = 0.5;
        int damaged = 0;
        foreach ((long position, string text) in written)
        {
            try
            {
                Assert.Equal(text, await log.ReadTextAsync(position));
            }
            catch (DamagedRecordException)
            {
                damaged++;
            }
        }

        Assert.InRange(damaged, 1, 299);
    }

    [Fact]
    public async Task AReadErrorNamesTheRecord()
    {
        using SegmentedLog log = SegmentedLog.Open(Faulty(), "log", LogTesting.Small with { CacheBytes = 1024 });
        log.Replay(0, new RecordList());
        long position = log.AppendText("first");
        for (int i = 0; i < 100; i++)
        {
            log.AppendText(new string('x', 50));
        }

        log.Flush();
        _faults.ReadFailure = 1;
        DamagedRecordException error = await Assert.ThrowsAsync<DamagedRecordException>(
            () => log.ReadTextAsync(position));
        Assert.Equal(position, error.Position);
        _faults.ReadFailure = 0;
        Assert.Equal("first", await log.ReadTextAsync(position));
    }

    [Fact]
    public void UnderRandomFaultsNothingDurableIsLost()
    {
        int failed = 0;
        for (ulong seed = 1; seed <= 300; seed++)
        {
            failed += RunWithFaults(seed) ? 1 : 0;
        }

        output.WriteLine($"{failed} of 300 seeds ended in a failure of the log");
        Assert.InRange(failed, 50, 299);
    }

    /// <summary>One run on a disk that fails now and then, and a start on a good one. True when the log
    /// failed.</summary>
    private static bool RunWithFaults(ulong seed)
    {
        var random = new SeededRandom(seed);
        var memory = new MemoryFileSystem();
        var faults = new FileFaults
        {
            SyncFailure = random.NextDouble() * 0.02,
            WriteFailure = random.NextDouble() * 0.01,
            ShortWrite = random.NextDouble() * 0.01,
            WriteFull = random.NextDouble() * 0.1,
            CapacityBytes = (4 + random.Next(30)) * 4096,
        };
        var files = new FaultyFileSystem(memory, faults, random);
        var written = new List<(long Position, string Text)>();
        long durable = 0;
        bool isFailed = false;
        try
        {
            using SegmentedLog log = SegmentedLog.Open(files, "log", LogTesting.Small);
            log.Replay(0, new RecordList());
            for (int i = 0; i < 300; i++)
            {
                AppendOne(log, $"record {i} {new string('q', random.Next(200))}", written);
                if (random.Next(3) == 0)
                {
                    log.Flush();
                    durable = log.DurablePosition;
                }
            }
        }
        catch (StorageException)
        {
            isFailed = true;
        }

        using SegmentedLog again = memory.OpenAndReplay(
            LogTesting.Small, out RecordList list, out RecoveryReport report);
        Assert.Empty(report.Damages);
        Assert.Equal(written.Take(list.Seen.Count).Select(record => record.Text), list.Texts);
        Assert.True(list.Seen.Count >= written.Count(record => record.Position < durable), $"seed {seed}");
        return isFailed;
    }

    private static void AppendOne(SegmentedLog log, string text, List<(long Position, string Text)> written)
    {
        try
        {
            written.Add((log.AppendText(text), text));
        }
        catch (StorageFullException)
        {
            // Refused: must not appear.
        }
    }

    private static int FillUntilFull(SegmentedLog log)
    {
        for (int i = 0; i < 10_000; i++)
        {
            try
            {
                log.AppendText(Encoding.UTF8.GetString(new byte[40]));
            }
            catch (StorageFullException)
            {
                return i;
            }

            log.Flush();
        }

        throw new InvalidOperationException("the disk never became full");
    }
}
