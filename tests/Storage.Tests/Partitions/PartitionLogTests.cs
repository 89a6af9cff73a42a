using Pillarbox.Model;
using Pillarbox.Model.Records;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Storage.Tests.Partitions;

public sealed class PartitionLogTests
{
    [Fact]
    public void Batches_are_read_from_memory_and_from_files_alike()
    {
        var files = new MemoryFileSystem();
        using PartitionStore store = files.OpenStore();
        PartitionLog log = store.OpenLog(0, out _, out _);
        for (int i = 0; i < 400; i++)
        {
            Assert.Equal(3 * i, log.Append(PartitionTesting.Batch(i, count: 3), 0));
            if (i % 7 == 0)
            {
                store.Flush();
            }
        }

        store.Flush();
        using var read = new PartitionRead();
        log.Read(0, log.DurableOffset, 1000, atLeastOne: true, read);
        Assert.True(read.IsInFile);
        log.Read(1190, log.DurableOffset, 1000, atLeastOne: true, read);
        Assert.False(read.IsInFile);
        for (int from = 0; from < 400; from += 13)
        {
            Assert.Equal(Enumerable.Range(from, 400 - from), log.ReadNumbers((3 * from) + (from % 3)));
        }

        Assert.Equal(Enumerable.Range(0, 400), log.ReadNumbers(0, bytesMax: 1));
        Assert.Equal(Enumerable.Range(0, 400), log.ReadNumbers(0, bytesMax: 1 << 20));
    }

    [Fact]
    public void Reads_stop_at_the_limit_exactly()
    {
        var files = new MemoryFileSystem();
        using PartitionStore store = files.OpenStore();
        PartitionLog log = store.OpenLog(0, out _, out _);
        for (int i = 0; i < 200; i++)
        {
            log.Append(PartitionTesting.Batch(i), 0);
        }

        store.Flush();
        using var read = new PartitionRead();
        for (int limit = 1; limit < 200; limit++)
        {
            int from = Math.Max(0, limit - 3);
            log.Read(from, limit, 1 << 20, atLeastOne: false, read);
            if (read.EndOffset < limit)
            {
                // The end of a segment, or of what is in memory, ends a read.
                from = (int)read.EndOffset;
                log.Read(from, limit, 1 << 20, atLeastOne: false, read);
            }

            Assert.True(read.EndOffset == limit || read.EndOffset > from, $"{limit}: {read.EndOffset}");
            Assert.True(read.EndOffset <= limit);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_restart_finds_everything_with_or_without_a_mark(bool hasMark)
    {
        var files = new MemoryFileSystem();
        PartitionMark? mark = null;
        using (PartitionStore store = files.OpenStore())
        {
            PartitionLog log = store.OpenLog(0, out _, out _);
            for (int i = 0; i < 100; i++)
            {
                log.Append(PartitionTesting.Batch(i, timestampMs: 1000 + i), 5);
                if (i == 60 && hasMark)
                {
                    store.Flush();
                    mark = log.Mark();
                    log.SaveIndexes();
                }
            }
        }

        using PartitionStore again = files.OpenStore();
        PartitionLog found = again.OpenLog(0, out BatchList list, out PartitionReport report, mark);
        Assert.Equal(hasMark ? Enumerable.Range(61, 39) : Enumerable.Range(0, 100), list.Numbers);
        Assert.Equal((0, 0, 0), (report.TornBytes, report.Damages.Count, report.SetAside.Count));
        Assert.Equal((100, 100), (found.NextOffset, found.DurableOffset));
        Assert.Equal(Enumerable.Range(0, 100), found.ReadNumbers(0));
        Assert.Equal(42, found.FindTime(1042, 100));
        Assert.Equal(99, found.FindLargestTime(out long time));
        Assert.Equal(1099, time);
        Assert.Equal(-1, found.FindTime(1100, 100));
        found.Append(PartitionTesting.Batch(100), 5);
        again.Flush();
        Assert.Equal(Enumerable.Range(50, 51), found.ReadNumbers(50));
    }

    [Fact]
    public void A_torn_end_is_cut()
    {
        var files = new MemoryFileSystem();
        using (PartitionStore store = files.OpenStore())
        {
            PartitionLog log = store.OpenLog(0, out _, out _);
            log.Append(PartitionTesting.Batch(0), 0);
            log.Append(PartitionTesting.Batch(1), 0);
        }

        files.Delete("streams/" + DurableMarks.Name);
        string path = "streams/s/" + PartitionSegment.NameOf(0, 0, ".log");
        using (IFile file = files.Open(path, FileOpening.ReadWrite))
        {
            file.SetLength(file.Length - 1);
        }

        using PartitionStore again = files.OpenStore();
        PartitionLog found = again.OpenLog(0, out BatchList list, out PartitionReport report);
        Assert.Equal([0], list.Numbers);
        Assert.True(report.TornBytes > 0);
        Assert.Equal(1, found.Append(PartitionTesting.Batch(7), 0));
        again.Flush();
        Assert.Equal([0, 7], found.ReadNumbers(0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(9)]
    public void A_damaged_batch_is_named_and_kept_and_all_others_stay(int damaged)
    {
        var files = new MemoryFileSystem();
        int size = PartitionTesting.Batch(0).Length;
        WriteTen(files);
        Bits.Flip(files, FirstSegment, (damaged * size) + 70, 2);
        for (int start = 0; start < 2; start++)
        {
            using PartitionStore again = files.OpenStore();
            PartitionLog found = again.OpenLog(0, out BatchList list, out PartitionReport report);
            Assert.Equal(Enumerable.Range(0, 10 + start).Where(number => number != damaged), list.Numbers);
            Assert.Equal(10 + start, found.NextOffset);
            if (start == 0)
            {
                SetAsideFile kept = Assert.Single(report.SetAside);
                Assert.Equal(damaged * size, kept.Position);
                using IFile copy = files.Open(kept.Path, FileOpening.Read);
                Assert.Equal(size, copy.Length);
                Assert.NotEmpty(report.Damages);
            }

            Assert.Equal(10 + start, found.Append(PartitionTesting.Batch(10 + start), 0));
            again.Flush();
            Assert.Equal(
                Enumerable.Range(0, 11 + start).Where(number => number != damaged), found.ReadNumbers(0));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void Damage_without_a_length_costs_what_is_behind_it_and_no_offset(int damaged)
    {
        var files = new MemoryFileSystem();
        int size = PartitionTesting.Batch(0).Length;
        WriteTen(files);
        Bits.Flip(files, FirstSegment, (damaged * size) + 9, 2);
        using PartitionStore again = files.OpenStore();
        PartitionLog found = again.OpenLog(0, out BatchList list, out PartitionReport report);
        Assert.Equal(Enumerable.Range(0, damaged), list.Numbers);
        SetAsideFile kept = Assert.Single(report.SetAside);
        using IFile copy = files.Open(kept.Path, FileOpening.Read);
        Assert.Equal((10 - damaged) * size, copy.Length);
        Assert.Contains(report.Damages, damage => damage.Contains($"offsets {damaged} to 9", StringComparison.Ordinal));
        Assert.Equal(10, found.Append(PartitionTesting.Batch(10), 0));
    }

    [Fact]
    public void Damage_at_the_end_of_one_segment_leaves_the_next_ones()
    {
        var files = new MemoryFileSystem();
        using (PartitionStore store = files.OpenStore())
        {
            PartitionLog log = store.OpenLog(0, out _, out _);
            for (int i = 0; i < 60; i++)
            {
                log.Append(PartitionTesting.Batch(i), 0);
            }
        }

        string second = "streams/s/" + files.List("streams/s", ".log")[1];
        using (IFile file = files.Open(second, FileOpening.ReadWrite))
        {
            file.SetLength(file.Length - 5);
        }

        using PartitionStore again = files.OpenStore();
        PartitionLog found = again.OpenLog(0, out BatchList list, out PartitionReport report);
        Assert.Equal(59, list.Numbers.Count);
        Assert.Equal((60, 59), (found.NextOffset, found.ReadNumbers(0).Count));
        Assert.NotEmpty(report.Damages);
    }

    [Fact]
    public void Without_marks_good_batches_behind_bad_bytes_are_kept_and_cut()
    {
        var files = new MemoryFileSystem();
        int size = PartitionTesting.Batch(0).Length;
        WriteTen(files);
        files.Delete("streams/" + DurableMarks.Name);
        Bits.Flip(files, FirstSegment, (3 * size) + 70, 2);
        using PartitionStore again = files.OpenStore();
        PartitionLog found = again.OpenLog(0, out BatchList list, out PartitionReport report);
        Assert.Equal(Enumerable.Range(0, 3), list.Numbers);
        SetAsideFile kept = Assert.Single(report.SetAside);
        Assert.Equal(3 * size, kept.Position);
        using IFile copy = files.Open(kept.Path, FileOpening.Read);
        Assert.Equal(7 * size, copy.Length);
        Assert.Equal((3, 0), (found.NextOffset, report.Damages.Count));
    }

    [Fact]
    public void Any_flipped_bit_of_the_marks_is_no_more_than_less_known()
    {
        var files = new MemoryFileSystem();
        WriteTen(files);
        string marks = "streams/" + DurableMarks.Name;
        for (int at = 0; at < files.DataOf(marks).Length; at++)
        {
            Bits.Flip(files, marks, at, at % 8);
            Assert.Contains(DurableMarks.Open(files, "streams").Find("s", 0), new long[] { 0, 10 });
            Bits.Flip(files, marks, at, at % 8);
        }

        Assert.Equal(10, DurableMarks.Open(files, "streams").Find("s", 0));
        Assert.Equal(0, DurableMarks.Open(files, "streams").Find("s", 1));
    }

    [Fact]
    public void What_is_only_with_the_system_gets_no_mark()
    {
        var files = new MemoryFileSystem();
        using (PartitionStore store = files.OpenStore())
        {
            PartitionLog log = store.OpenLog(0, out _, out _);
            log.Options = log.Options with { Flush = FlushMode.System };
            log.Append(PartitionTesting.Batch(0), 0);
            store.Flush();
            log.Options = log.Options with { Flush = FlushMode.Group };
            log.Append(PartitionTesting.Batch(1), 0);
            store.Flush();
        }

        Assert.Equal(0, DurableMarks.Open(files, "streams").Find("s", 0));
    }

    [Fact]
    public void Marks_of_streams_that_are_gone_make_room()
    {
        var files = new MemoryFileSystem();
        for (int run = 0; run < 5; run++)
        {
            using PartitionStore store = files.OpenStore();
            PartitionLog log = store.OpenLog(
                new PartitionPlace($"stream{run}", 0), PartitionTesting.Small, new BatchList(), out _);
            store.EndRecovery();
            log.Append(PartitionTesting.Batch(0), 0);
            store.Flush();
        }

        Assert.Equal(FileHeader.Bytes + 32, files.DataOf("streams/" + DurableMarks.Name).Length);
        Assert.Equal(1, DurableMarks.Open(files, "streams").Find("stream4", 0));
        Assert.Equal(0, DurableMarks.Open(files, "streams").Find("stream3", 0));
    }

    private static string FirstSegment => "streams/s/" + PartitionSegment.NameOf(0, 0, ".log");

    private static void WriteTen(MemoryFileSystem files)
    {
        using PartitionStore store = files.OpenStore();
        PartitionLog log = store.OpenLog(0, out _, out _);
        for (int i = 0; i < 10; i++)
        {
            log.Append(PartitionTesting.Batch(i), 0);
        }
    }

    [Fact]
    public void A_file_that_lost_durable_bytes_is_reported()
    {
        var files = new MemoryFileSystem();
        PartitionMark mark;
        using (PartitionStore store = files.OpenStore())
        {
            PartitionLog log = store.OpenLog(0, out _, out _);
            log.Append(PartitionTesting.Batch(0), 0);
            log.Append(PartitionTesting.Batch(1), 0);
            store.Flush();
            mark = log.Mark();
        }

        using (IFile file = files.Open("streams/s/" + PartitionSegment.NameOf(0, 0, ".log"), FileOpening.ReadWrite))
        {
            file.SetLength(file.Length - 10);
        }

        using PartitionStore again = files.OpenStore();
        PartitionLog found = again.OpenLog(0, out _, out PartitionReport report, mark);
        Assert.NotEmpty(report.Damages);
        Assert.Equal([0], found.ReadNumbers(0));
        Assert.Equal(2, found.NextOffset);
    }

    [Fact]
    public void Old_segments_go_and_readers_of_them_go_on()
    {
        var files = new MemoryFileSystem();
        using PartitionStore store = files.OpenStore(cacheBytes: 0);
        PartitionLog log = store.OpenLog(0, out _, out _);
        for (int i = 0; i < 100; i++)
        {
            log.Append(PartitionTesting.Batch(i), 0);
        }

        store.Flush();
        using var read = new PartitionRead();
        log.Read(0, 100, 300, atLeastOne: true, read);
        long size = log.SizeBytes;
        Assert.True(log.DeleteBelow(50) > 0);
        Assert.InRange(log.StartOffset, 30, 50);
        Assert.True(log.SizeBytes < size);
        byte[] bytes = new byte[read.Bytes];
        Assert.Equal(bytes.Length, read.ReadFile(0, bytes));
        Assert.Equal(RecordBatchFault.None, RecordBatch.TryRead(bytes, out RecordBatch batch));
        Assert.Equal(0, PartitionTesting.NumberOf(batch));
        Assert.Equal(Enumerable.Range(50, 50), log.ReadNumbers(50));
        log.DeleteBelow(long.MaxValue);
        Assert.Equal([99], log.ReadNumbers(99));
    }

    [Fact]
    public void A_full_disk_refuses_appends_and_takes_them_again_when_it_has_room()
    {
        var faults = new FileFaults();
        var files = new FaultyFileSystem(new MemoryFileSystem(), faults, new SeededRandom(1));
        using PartitionStore store = files.OpenStore();
        PartitionLog log = store.OpenLog(0, out _, out _);
        log.Append(PartitionTesting.Batch(0), 0);
        store.Flush();
        faults.WriteFull = 1;
        log.Append(PartitionTesting.Batch(1), 0);
        store.Flush();
        Assert.Equal((SpaceState.Full, 1), (store.SpaceState, log.DurableOffset));
        Assert.Throws<StorageFullException>(() => log.Append(PartitionTesting.Batch(2), 0));
        faults.WriteFull = 0;
        store.Flush();
        Assert.Equal((SpaceState.Ok, 2), (store.SpaceState, log.DurableOffset));
        log.Append(PartitionTesting.Batch(2), 0);
        store.Flush();
        Assert.Equal([0, 1, 2], log.ReadNumbers(0));
    }

    [Fact]
    public void A_failed_sync_stops_everything_and_tells_who_waits()
    {
        var faults = new FileFaults();
        var files = new FaultyFileSystem(new MemoryFileSystem(), faults, new SeededRandom(1));
        using PartitionStore store = files.OpenStore();
        PartitionLog log = store.OpenLog(0, out _, out _);
        faults.SyncFailure = 1;
        log.Append(PartitionTesting.Batch(0), 0);
        var waiter = new TestWaiter();
        log.WhenDurable(1, waiter);
        store.Flush();
        Assert.True(waiter.Done.IsFaulted);
        Assert.Equal(0, log.DurableOffset);
        Assert.Throws<StorageFailedException>(() => log.Append(PartitionTesting.Batch(1), 0));
    }

    [Fact]
    public void A_sync_that_finds_the_disk_full_is_a_failure_too()
    {
        var faults = new FileFaults();
        var files = new FaultyFileSystem(new MemoryFileSystem(), faults, new SeededRandom(1));
        using PartitionStore store = files.OpenStore();
        PartitionLog log = store.OpenLog(0, out _, out _);
        log.Append(PartitionTesting.Batch(0), 0);
        store.Flush();
        log.Append(PartitionTesting.Batch(1), 0);
        faults.SyncFull = 1;
        store.Flush();
        faults.SyncFull = 0;
        store.Flush();
        Assert.Equal(1, log.DurableOffset);
        Assert.Throws<StorageFailedException>(() => log.Append(PartitionTesting.Batch(2), 0));
    }

    [Fact]
    public void One_pass_makes_all_partitions_durable()
    {
        var files = new MemoryFileSystem();
        using PartitionStore store = files.OpenStore();
        PartitionLog[] logs = [.. Enumerable.Range(0, 20).Select(i => store.OpenLog(i, out _, out _))];
        foreach (PartitionLog log in logs)
        {
            log.Append(PartitionTesting.Batch(log.Number), 0);
        }

        store.Flush();
        Assert.All(logs, log => Assert.Equal([log.Number], log.ReadNumbers(0)));
        Assert.Equal(0, store.PendingBytes);
    }

    [Fact]
    public void An_append_allocates_nothing_that_lives_past_it()
    {
        var files = new MemoryFileSystem();
        using PartitionStore store = files.OpenStore(cacheBytes: 4 << 20);
        var options = new PartitionOptions { IndexIntervalBytes = 1 << 20 };
        PartitionLog log = store.OpenLog(new PartitionPlace("s", 0), options, new BatchList(), out _);
        byte[] batch = PartitionTesting.Batch(1, valueBytes: 16 << 10);
        long AppendAndFlush(int count)
        {
            long allocated = 0;
            for (int i = 0; i < count; i++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                log.Append(batch, 0);
                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
                store.Flush();
            }

            return allocated / count;
        }

        AppendAndFlush(1000);
        Assert.InRange(AppendAndFlush(1000), 0, 200);
    }
}
