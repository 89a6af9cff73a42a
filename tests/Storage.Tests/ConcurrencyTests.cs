using System.Collections.Concurrent;
using Pillarbox.Model;

namespace Pillarbox.Storage.Tests;

/// <summary>Appenders, readers, the flusher and reclaim at the same time.</summary>
public sealed class ConcurrencyTests
{
    private const int Appenders = 3;
    private const int BatchesEach = 1500;

    [Theory]
    [InlineData(LogMode.Journal)]
    [InlineData(LogMode.OsBuffered)]
    [InlineData(LogMode.Spill)]
    public async Task EveryRecordIsReadableFromTheMomentItIsAppended(LogMode mode)
    {
        LogOptions options = LogTesting.Small with { OwnThread = true, SegmentBytes = 32768, Mode = mode };
        var files = new MemoryFileSystem();
        var positions = new ConcurrentQueue<(long Position, int Seed)>();
        using (SegmentedLog log = SegmentedLog.Open(files, "log", options))
        {
            log.Replay(0, new RecordList());
            using var done = new CancellationTokenSource();
            Task[] readers = [ReadAsync(log, positions, done.Token), ReadAsync(log, positions, done.Token)];
            Task<int>[] appenders = Enumerable.Range(0, Appenders)
                .Select(i => Task.Run(() => AppendAsync(log, positions, i), TestContext.Current.CancellationToken))
                .ToArray();
            int[] counts = await Task.WhenAll(appenders);
            await done.CancelAsync();
            await Task.WhenAll(readers);
            Assert.Equal(counts.Sum(), positions.Count);
            foreach ((long position, int seed) in positions)
            {
                await CheckAsync(log, position, seed);
            }
        }

        if (mode != LogMode.Spill)
        {
            using SegmentedLog again = files.OpenAndReplay(options, out RecordList list, out _);
            Assert.Equal(
                positions.Select(record => record.Position).Order(), list.Seen.Select(record => record.Position));
        }
    }

    [Fact]
    public async Task ReclaimRunsBesideAppendsAndReads()
    {
        LogOptions options = LogTesting.Small with { OwnThread = true };
        var files = new MemoryFileSystem();
        using SegmentedLog log = SegmentedLog.Open(files, "log", options);
        log.Replay(0, new RecordList());
        var live = new Queue<(long Position, int Seed)>();
        var batch = new LogBatch();
        for (int i = 0; i < 20_000; i++)
        {
            batch.Clear();
            byte[] payload = PayloadOf(i);
            batch.Add(1, payload, references: 1);
            live.Enqueue((log.Append(batch), i));
            if (live.Count > 200)
            {
                (long position, int seed) = live.Dequeue();
                if (i % 10 == 0)
                {
                    await CheckAsync(log, position, seed);
                }

                log.ReleaseReference(position, PayloadOf(seed).Length);
            }

            if (i % 500 == 0)
            {
                log.Reclaim(log.DurablePosition);
            }
        }

        var waiter = new TestWaiter();
        log.WhenDurable(log.TailPosition, waiter);
        await waiter.Done;
        log.Reclaim(log.DurablePosition);
        Assert.InRange(log.Segments.Count, 2, 20);
        Assert.True(log.HeadPosition > SegmentedLog.FirstPosition);
        Assert.InRange(files.List("log", "").Length, 2, 30);
    }

    [Fact]
    public async Task BytesThatNobodyWaitsForBecomeDurableToo()
    {
        LogOptions options = LogTesting.Small with { OwnThread = true };
        using SegmentedLog log = new MemoryFileSystem().OpenEmpty(options);
        log.AppendText("alone");
        long end = log.TailPosition;
        while (log.DurablePosition < end)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        // And the pause is marked, so that the tail position moves without an append.
        while (log.TailPosition < end + (2 * RecordFormat.MarkerBytes))
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        // Who waits for that tail is answered, though nothing more is appended.
        var waiter = new TestWaiter();
        log.WhenDurable(log.TailPosition, waiter);
        await waiter.Done;
    }

    [Fact]
    public async Task WhoLendsItsThreadCommitsOnIt()
    {
        LogOptions options = LogTesting.Small with { OwnThread = true };
        using SegmentedLog log = new MemoryFileSystem().OpenEmpty(options);
        var batch = new LogBatch();
        ThreadNote note;
        do
        {
            // The flusher falls asleep when it likes; from then on nobody needs it.
            await Task.Delay(1, TestContext.Current.CancellationToken);
            batch.Clear();
            batch.Add(1, PayloadOf(1));
            note = new ThreadNote();
            long position = log.Append(batch, isAwaited: true);
            log.WhenDurable(position + batch.Bytes, note, lendsThread: true);
            await note.Done;
            Assert.True(log.DurablePosition >= position + batch.Bytes);
        }
        while (!note.WasHere);
    }

    [Fact]
    public async Task ThoseWhoLendTheirThreadsAndThoseWhoDoNotAreAllAnswered()
    {
        LogOptions options = LogTesting.Small with { OwnThread = true };
        using SegmentedLog log = new MemoryFileSystem().OpenEmpty(options);
        IEnumerable<Task> appenders = Enumerable.Range(0, 4).Select(n => AppendAndWaitAsync(log, lends: n % 2 == 0));
        await Task.WhenAll(appenders);
    }

    private static async Task AppendAndWaitAsync(SegmentedLog log, bool lends)
    {
        await Task.Yield();
        var batch = new LogBatch();
        for (int i = 0; i < 2000; i++)
        {
            batch.Clear();
            batch.Add(1, PayloadOf(i));
            long end = log.Append(batch, isAwaited: lends) + batch.Bytes;
            var waiter = new TestWaiter();
            log.WhenDurable(end, waiter, lends);
            Assert.True(await waiter.Done >= end);
        }
    }

    private sealed class ThreadNote : IDurableWaiter
    {
        private readonly int _caller = Environment.CurrentManagedThreadId;
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Done => _done.Task;

        public bool WasHere { get; private set; }

        public void OnDurable(long durablePosition)
        {
            WasHere = Environment.CurrentManagedThreadId == _caller;
            _done.SetResult();
        }

        public void OnFailed(StorageFailedException failure) => _done.SetException(failure);
    }

    private static byte[] PayloadOf(int seed)
    {
        var random = new SeededRandom((ulong)seed);
        byte[] payload = new byte[random.Next(150)];
        random.Fill(payload);
        return payload;
    }

    private static async Task<int> AppendAsync(SegmentedLog log, ConcurrentQueue<(long, int)> positions, int number)
    {
        var batch = new LogBatch();
        int count = 0;
        for (int i = 0; i < BatchesEach; i++)
        {
            batch.Clear();
            int seed = (number * 1_000_000) + (i * 4);
            var offsets = new List<int>();
            for (int j = 0; j <= i % 3; j++)
            {
                offsets.Add(batch.Add(1, PayloadOf(seed + j), references: 1));
            }

            long position = log.Append(batch);
            for (int j = 0; j < offsets.Count; j++)
            {
                positions.Enqueue((position + offsets[j], seed + j));
                count++;
            }

            if (i % 50 == 0)
            {
                var waiter = new TestWaiter();
                log.WhenDurable(position + batch.Bytes, waiter);
                Assert.True(await waiter.Done >= position + batch.Bytes);
            }
        }

        return count;
    }

    private static async Task ReadAsync(
        SegmentedLog log, ConcurrentQueue<(long Position, int Seed)> positions, CancellationToken done)
    {
        await Task.Yield();
        var random = new SeededRandom(9);
        while (!done.IsCancellationRequested)
        {
            (long Position, int Seed)[] all = positions.ToArray();
            for (int i = 0; i < Math.Min(200, all.Length); i++)
            {
                (long position, int seed) = all[random.Next(all.Length)];
                await CheckAsync(log, position, seed);
            }

            await Task.Yield();
        }
    }

    private static async Task CheckAsync(SegmentedLog log, long position, int seed)
    {
        using LogLease lease = await log.ReadAsync(position, CancellationToken.None);
        Assert.True(PayloadOf(seed).AsSpan().SequenceEqual(lease.Span));
    }
}
