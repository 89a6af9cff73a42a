using Pillarbox.Broker.Streams;
using static Pillarbox.Broker.Tests.Streams.CompactionTests;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>When compaction is due: what time alone decides, without a new record.</summary>
public sealed class CompactionTimeTests
{
    private const int RetentionMs = 86_400_000;
    private const int LagMs = 3_600_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Tombstones_go_when_their_time_is_over_though_nothing_is_written(bool restarts)
    {
        using var scene = new StreamScene();
        Partition partition = Create(scene);
        Write(scene, partition, "k", "v");
        Write(scene, partition, "k", null);
        Write(scene, partition, "other", "v");
        Compact(scene, partition);
        long horizonMs = partition.NextHorizonMs;
        if (restarts)
        {
            scene.Restart();
            partition = scene.Find("table");
        }

        AdvanceTo(scene, horizonMs - 1);
        Assert.Equal([(1L, "k", null), (2L, "other", "v")], Records(partition));
        scene.Clock.Advance(StreamUpkeep.RoundMs);
        scene.Broker.Pump();
        Assert.Equal([(2L, "other", "v")], Records(partition));
        Assert.Equal(long.MaxValue, partition.NextHorizonMs);
    }

    [Fact]
    public void Each_tombstone_has_its_own_time()
    {
        using var scene = new StreamScene();
        Partition partition = Create(scene);
        Write(scene, partition, "early", null);
        Write(scene, partition, "a", "v");
        Compact(scene, partition);
        long firstMs = partition.NextHorizonMs;
        scene.Clock.Advance(RetentionMs / 2);
        Write(scene, partition, "late", null);
        Write(scene, partition, "b", "v");
        Compact(scene, partition);
        Assert.Equal(firstMs, partition.NextHorizonMs);

        AdvanceTo(scene, firstMs + StreamUpkeep.RoundMs);
        Assert.Equal(["a", "late", "b"], Records(partition).Select(record => record.Key));
        Assert.InRange(partition.NextHorizonMs, firstMs + (RetentionMs / 2), firstMs + RetentionMs);
        AdvanceTo(scene, partition.NextHorizonMs + StreamUpkeep.RoundMs);
        Assert.Equal(["a", "b"], Records(partition).Select(record => record.Key));
    }

    [Fact]
    public void A_tombstone_that_never_goes_by_time_is_kept()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne(
            "table", ("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0"),
            ("delete.retention.ms", $"{long.MaxValue}"));
        Write(scene, partition, "k", null);
        Write(scene, partition, "other", "v");
        Compact(scene, partition);
        Assert.Equal(long.MaxValue, partition.NextHorizonMs);
        scene.Clock.Advance(10L * RetentionMs);
        Write(scene, partition, "more", "v");
        Compact(scene, partition);
        Assert.Equal(["k", "other", "more"], Records(partition).Select(record => record.Key));
    }

    [Fact]
    public void Markers_of_transactions_go_when_their_time_is_over_too()
    {
        using var scene = new StreamScene();
        Partition partition = Create(scene);
        WriteTransaction(scene, partition, sequence: 0, "k", "old");
        WriteTransaction(scene, partition, sequence: 1, "k", "new");
        Write(scene, partition, "other", "v");
        Compact(scene, partition);
        long before = partition.SizeBytes;
        Assert.NotEqual(long.MaxValue, partition.NextHorizonMs);
        AdvanceTo(scene, partition.NextHorizonMs + StreamUpkeep.RoundMs);
        Assert.True(partition.SizeBytes < before);
        Assert.Equal(["new", "v"], Records(partition).Select(record => record.Value));
    }

    [Fact]
    public void A_record_waits_for_compaction_no_longer_than_it_may()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne(
            "table", ("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "1"),
            ("max.compaction.lag.ms", $"{LagMs}"), ("segment.bytes", "1048576"));
        Write(scene, partition, "k", new string('x', 10_000));
        Compact(scene, partition);
        Write(scene, partition, "k2", "old");
        Write(scene, partition, "k2", "new");
        AdvanceTo(scene, scene.Clock.NowMs + LagMs - 1);
        Assert.Equal(3, Records(partition).Count);
        scene.Clock.Advance(2 * StreamUpkeep.RoundMs);
        scene.Broker.Pump();
        Assert.Equal([0L, 2L], Records(partition).Select(record => record.Offset));
    }

    [Fact]
    public void A_record_is_left_alone_as_long_as_it_should()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne(
            "table", ("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0"),
            ("min.compaction.lag.ms", $"{LagMs}"), ("segment.bytes", "1048576"));
        Write(scene, partition, "k", "old");
        Write(scene, partition, "k", "new");
        Compact(scene, partition);
        AdvanceTo(scene, scene.Clock.NowMs + LagMs - (2 * StreamUpkeep.RoundMs));
        Assert.Equal(2, Records(partition).Count);
        scene.Clock.Advance(3 * StreamUpkeep.RoundMs);
        scene.Broker.Pump();
        Assert.Equal([(1L, "k", "new")], Records(partition));
    }

    [Fact]
    public void A_record_cannot_be_left_alone_for_longer_than_it_may_wait()
    {
        var given = new Dictionary<string, string>
        {
            ["min.compaction.lag.ms"] = "2",
            ["max.compaction.lag.ms"] = "1",
        };
        Assert.Null(StreamConfig.TryMake(given, out string? problem));
        Assert.Contains("min.compaction.lag.ms (2)", problem, StringComparison.Ordinal);
    }

    private static void AdvanceTo(StreamScene scene, long nowMs)
    {
        scene.Clock.Advance(nowMs - scene.Clock.NowMs);
        scene.Broker.Pump();
    }

    private static void WriteTransaction(
        StreamScene scene, Partition partition, int sequence, string key, string value)
    {
        const long ProducerId = 7;
        var options = new Model.Records.RecordBatchOptions
        {
            ProducerId = ProducerId,
            ProducerEpoch = 0,
            BaseSequence = sequence,
            IsTransactional = true,
        };
        Assert.Equal(
            StreamError.None, partition.Append(Batch(scene, options, key, value), new AppendOptions()).Error);
        var marker = new Model.Records.EndTransactionMarker(true, 0);
        Assert.Equal(
            StreamError.None, partition.EndTransaction(ProducerId, 0, marker, isTransactionV2: false).Error);
    }
}
