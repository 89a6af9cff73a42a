using Pillarbox.Broker.Streams;
using Pillarbox.Model.Records;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>Stories of one partition: append, read, look up.</summary>
public sealed class PartitionTests
{
    [Fact]
    public void Records_are_read_once_they_are_durable_not_before()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        AppendResult result = partition.Append(scene.Batch("a", "b").Span, new AppendOptions());
        Assert.Equal((StreamError.None, 0L, 1L), (result.Error, result.BaseOffset, result.LastOffset));
        Assert.Equal((2, 0), (partition.EndOffset, partition.HighWatermark));
        Assert.Empty(StreamScene.ReadAll(partition));
        scene.Broker.Pump();
        Assert.Equal(2, partition.HighWatermark);
        Assert.Equal(["a", "b"], StreamScene.ReadAll(partition));
        Assert.Equal(["b"], StreamScene.ReadAll(partition, offset: 1));
    }

    [Fact]
    public void A_restart_keeps_streams_ids_and_records()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings", ("retention.ms", "1000"));
        Guid id = partition.Stream.Id;
        scene.Append(partition, "a");
        scene.Append(partition, "b", "c");
        scene.Restart();
        partition = scene.Find("readings");
        Assert.Equal(id, partition.Stream.Id);
        Assert.Equal(1000, partition.Stream.Config.RetentionMs);
        Assert.Equal((3, 3), (partition.EndOffset, partition.HighWatermark));
        Assert.Equal(["a", "b", "c"], StreamScene.ReadAll(partition));
        scene.Append(partition, "d");
        Assert.Equal(["c", "d"], StreamScene.ReadAll(partition, offset: 2));
    }

    [Fact]
    public void Reads_take_whole_batches_up_to_the_bytes_that_are_wanted()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        scene.Append(partition, "a");
        int size = scene.Batch("a").Length;
        scene.Append(partition, "b");
        using var read = new StreamRead();
        Assert.Equal(StreamError.None, partition.Read(0, new ReadOptions { BytesMax = (2 * size) - 1 }, read));
        Assert.Equal(size, read.Bytes);
        Assert.Equal(StreamError.None, partition.Read(0, new ReadOptions { BytesMax = size - 1 }, read));
        Assert.Equal(0, read.Bytes);
        partition.Read(0, new ReadOptions { BytesMax = size - 1, AtLeastOneBatch = true }, read);
        Assert.Equal(size, read.Bytes);
        Assert.Equal(StreamError.None, partition.Read(2, new ReadOptions(), read));
        Assert.Equal(0, read.Bytes);
        Assert.Equal(StreamError.OffsetOutOfRange, partition.Read(3, new ReadOptions(), read));
    }

    [Fact]
    public void Offsets_are_found_by_time()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings", ("message.timestamp.after.max.ms", "999999999"));
        long start = scene.Clock.NowMs;
        scene.Append(partition, "a", "b", "c");
        scene.Clock.Advance(1000);
        scene.Append(partition, "d");
        OffsetResult Find(long time) => partition.ListOffset(time, Isolation.Uncommitted);
        Assert.Equal(new OffsetResult(StreamError.None, 1, start + 1, 0), Find(start + 1));
        Assert.Equal(new OffsetResult(StreamError.None, 3, start + 1000, 0), Find(start + 3));
        Assert.Equal(-1, Find(start + 1001).Offset);
        Assert.Equal(4, Find(OffsetSpecial.Latest).Offset);
        Assert.Equal(0, Find(OffsetSpecial.Earliest).Offset);
        OffsetResult largest = Find(OffsetSpecial.LargestTimestamp);
        Assert.Equal((3, start + 1000), (largest.Offset, largest.TimestampMs));
    }

    [Fact]
    public void Batches_that_break_a_rule_are_refused()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        byte[] good = scene.Batch("a").ToArray();
        byte[] bad = [.. good];
        bad[^1] ^= 1;
        Assert.Equal(StreamError.CorruptBatch, partition.Append(bad, new AppendOptions()).Error);
        Assert.Equal(StreamError.CorruptBatch, partition.Append(good.AsSpan(0, 70), new AppendOptions()).Error);
        Assert.Equal(StreamError.InvalidRecord, partition.Append([.. good, .. good], new AppendOptions()).Error);
        byte[] control = scene.Batch(new RecordBatchOptions { IsControl = true }, "a").ToArray();
        Assert.Equal(StreamError.InvalidRecord, partition.Append(control, new AppendOptions()).Error);
        Assert.Equal(0, partition.EndOffset);
    }

    [Fact]
    public void A_deleted_stream_comes_back_with_another_id_and_nothing_in_it()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        scene.Append(partition, "a");
        Guid id = partition.Stream.Id;
        Assert.Equal(StreamError.None, scene.Catalog.Delete(scene.GrantFor("readings"), partition.Stream).Error);
        Assert.Null(scene.Catalog.Find("readings"));
        Partition next = scene.CreateOne("readings");
        Assert.NotEqual(id, next.Stream.Id);
        Assert.Null(scene.Catalog.Find(id));
        Assert.Equal(0, next.EndOffset);
        scene.Broker.Pump();
        scene.Restart();
        Assert.NotNull(scene.Catalog.Find(next.Stream.Id));
        Assert.Empty(StreamScene.ReadAll(scene.Find("readings")));
    }

    [Fact]
    public void A_time_finds_no_record_below_the_start_though_its_batch_is_there()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings", ("message.timestamp.after.max.ms", "999999999"));
        long first = scene.Clock.NowMs;
        scene.Append(partition, "a", "b", "c");
        Assert.Equal(
            StreamError.None, scene.Catalog.DeleteRecords(scene.GrantFor("readings"), partition, 1).Error);
        Assert.Equal(1, partition.ListOffset(first, Isolation.Uncommitted).Offset);
    }

    [Fact]
    public void Deleted_records_stay_deleted()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        scene.Append(partition, "a");
        scene.Append(partition, "b");
        Pillarbox.Broker.Security.Grant grant = scene.GrantFor("readings");
        Assert.Equal(StreamError.OffsetOutOfRange, scene.Catalog.DeleteRecords(grant, partition, 3).Error);
        Assert.Equal(StreamError.None, scene.Catalog.DeleteRecords(grant, partition, 1).Error);
        Assert.Equal(1, partition.StartOffset);
        scene.Broker.Pump();
        scene.Restart();
        partition = scene.Find("readings");
        Assert.Equal(1, partition.StartOffset);
        using var read = new StreamRead();
        Assert.Equal(StreamError.OffsetOutOfRange, partition.Read(0, new ReadOptions(), read));
        Assert.Equal(["b"], StreamScene.ReadAll(partition, 1));
        Assert.Equal(StreamError.None, scene.Catalog.DeleteRecords(grant, partition, -1).Error);
        Assert.Equal(2, partition.StartOffset);
    }

    [Fact]
    public void A_crash_begins_a_new_epoch_and_a_reader_of_the_old_one_is_told_where_that_ended()
    {
        var files = new RecordingFileSystem();
        var scene = new StreamScene(files);
        Partition partition = scene.CreateOne("readings");
        scene.Append(partition, "a");
        scene.Append(partition, "b");
        Assert.Equal(0, partition.LeaderEpoch);
        MemoryFileSystem image = files.MakeCrashImage(new Unsynced(false));
        scene.RestartOn(image);
        partition = scene.Find("readings");
        Assert.Equal((1, 2L), (partition.LeaderEpoch, partition.EndOffset));
        scene.Append(partition, "c");
        Assert.Equal(new EpochEndResult(StreamError.None, 0, 2), partition.EndOfEpoch(0));
        Assert.Equal(new EpochEndResult(StreamError.None, 1, 3), partition.EndOfEpoch(1));
        using var read = new StreamRead();
        Assert.Equal(StreamError.FencedLeaderEpoch, partition.Read(0, new ReadOptions { LeaderEpoch = 0 }, read));
        Assert.Equal(StreamError.None, partition.Read(3, new ReadOptions { LastFetchedEpoch = 0 }, read));
        Assert.Equal((0, 2L, 0), (read.DivergingEpoch, read.DivergingEndOffset, read.Bytes));
        scene.Restart();
        Assert.Equal(1, scene.Find("readings").LeaderEpoch);
        scene.Dispose();
    }

    [Fact]
    public void The_catalog_stays_short_and_whole()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings", ("retention.ms", "-1"));
        scene.CreateOne("gone");
        scene.CreateOne("other", ("segment.ms", "12345"));
        scene.Catalog.Delete(scene.GrantFor("gone"), scene.Find("gone").Stream);
        scene.Append(partition, "a");
        scene.Append(partition, "b");
        for (int i = 0; i < 12_000; i++)
        {
            scene.Catalog.DeleteRecords(scene.GrantFor("readings"), partition, 1);
        }

        for (int round = 0; round < 3; round++)
        {
            scene.Clock.Advance(6000);
            scene.Broker.Pump();
        }

        string directory = "data/streams/catalog-default";
        string file = Assert.Single(scene.Files.List(directory, ".log"));
        using (IFile catalog = scene.Files.Open(directory + "/" + file, FileOpening.Read))
        {
            Assert.InRange(catalog.Length, 1, 2000);
        }

        scene.Restart();
        Assert.Equal(["b"], StreamScene.ReadAll(scene.Find("readings"), 1));
        Assert.Equal(1, scene.Find("readings").StartOffset);
        Assert.Equal(12345, scene.Find("other").Stream.Config.SegmentMs);
        Assert.Null(scene.Catalog.Find("gone"));
    }

    [Fact]
    public void A_waiting_read_is_woken_by_bytes_or_by_its_deadline()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        var waiter = new CountingWaiter();
        var awaiter = new ReadAwaiter(scene.Catalog, waiter);
        awaiter.Begin(bytesMissing: 1, waitMs: 500);
        awaiter.Add(partition, partition.HighWatermark, Isolation.Uncommitted);
        Assert.True(awaiter.Arm());
        scene.Append(partition, "a");
        Assert.Equal(1, waiter.Calls);
        awaiter.Begin(bytesMissing: 1_000_000, waitMs: 500);
        awaiter.Add(partition, partition.HighWatermark, Isolation.Uncommitted);
        Assert.True(awaiter.Arm());
        scene.Append(partition, "b");
        scene.Clock.Advance(499);
        scene.Broker.Pump();
        Assert.Equal(1, waiter.Calls);
        scene.Clock.Advance(1);
        scene.Broker.Pump();
        Assert.Equal(2, waiter.Calls);
        awaiter.Begin(bytesMissing: 1, waitMs: 500);
        awaiter.Add(partition, seenOffset: 1, Isolation.Uncommitted);
        Assert.False(awaiter.Arm());
        awaiter.Cancel();
    }

    private sealed class CountingWaiter : IReadWaiter
    {
        public int Calls { get; private set; }

        public void OnReadable() => Calls++;
    }
}
