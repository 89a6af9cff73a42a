using Pillarbox.Broker.Streams;
using Pillarbox.Model.Records;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>Old records go, by time and by size.</summary>
public sealed class RetentionTests
{
    private static readonly string Large = new('x', 300_000);

    [Fact]
    public void Segments_go_when_their_youngest_record_is_too_old()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne(
            "readings", ("retention.ms", "60000"), ("segment.bytes", "1048576"));
        for (int i = 0; i < 8; i++)
        {
            scene.Append(partition, Large);
            scene.Clock.Advance(10_000);
            scene.Broker.Pump();
        }

        // Three batches a segment: the first three are 60 to 80 seconds old.
        Assert.Equal(0, partition.StartOffset);
        scene.Clock.Advance(15_000);
        scene.Broker.Pump();
        Assert.Equal(3, partition.StartOffset);
        using var read = new StreamRead();
        Assert.Equal(StreamError.OffsetOutOfRange, partition.Read(2, new ReadOptions(), read));
        scene.Clock.Advance(200_000);
        scene.Broker.Pump();
        Assert.Equal((8, 8), (partition.StartOffset, partition.EndOffset));
        scene.Append(partition, "next");
        Assert.Equal(["next"], StreamScene.ReadAll(partition, 8));
        scene.Restart();
        Assert.Equal(["next"], StreamScene.ReadAll(scene.Find("readings"), 8));
        Assert.Equal((8, 9), (scene.Find("readings").StartOffset, scene.Find("readings").EndOffset));
    }

    [Fact]
    public void The_oldest_segments_go_when_there_are_too_many_bytes()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne(
            "readings", ("retention.ms", "-1"), ("retention.bytes", "1000000"), ("segment.bytes", "1048576"));
        for (int i = 0; i < 20; i++)
        {
            scene.Append(partition, Large);
        }

        scene.Clock.Advance(6000);
        scene.Broker.Pump();
        Assert.Equal(15, partition.StartOffset);
        Assert.InRange(partition.SizeBytes, 1_000_000, 2_000_000);
    }

    [Fact]
    public void Of_a_stream_that_may_have_no_bytes_nothing_stays()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings", ("retention.bytes", "0"));
        scene.Append(partition, "a", "b");
        scene.Clock.Advance(6000);
        scene.Broker.Pump();
        Assert.Equal((2, 2, 0), (partition.StartOffset, partition.EndOffset, partition.SizeBytes));
        scene.Append(partition, "c");
        Assert.Equal(["c"], StreamScene.ReadAll(partition, 2));
        scene.Restart();
        partition = scene.Find("readings");
        scene.Clock.Advance(6000);
        scene.Broker.Pump();
        Assert.Equal((3, 3), (partition.StartOffset, partition.EndOffset));
    }

    [Fact]
    public void Records_that_were_deleted_lose_their_segments()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings", ("segment.bytes", "1048576"));
        for (int i = 0; i < 10; i++)
        {
            scene.Append(partition, Large);
        }

        long before = partition.SizeBytes;
        scene.Catalog.DeleteRecords(scene.GrantFor("readings"), partition, 7);
        scene.Clock.Advance(6000);
        scene.Broker.Pump();
        Assert.Equal(7, partition.StartOffset);
        Assert.InRange(partition.SizeBytes, 1, before / 2);
    }

    /// <summary>What went would be known nowhere after a power cut: offsets would be given out again, and the
    /// producer's next batch would look out of order.</summary>
    [Fact]
    public void What_retention_takes_is_in_the_checkpoint_first()
    {
        var disk = new RecordingFileSystem();
        using var scene = new StreamScene(disk);
        Partition partition = scene.CreateOne("brief", ("retention.ms", "1000"), ("segment.ms", "500"));
        Assert.Equal(StreamError.None, Send(scene, partition, 0).Error);
        scene.Clock.Advance(10);
        scene.Broker.Pump();
        for (int sequence = 1; sequence < 4; sequence++)
        {
            Assert.Equal(StreamError.None, Send(scene, partition, sequence).Error);
        }

        scene.Broker.Pump();
        scene.Clock.Advance(6000);
        scene.Broker.Pump();
        Assert.Equal((4L, 4L), (partition.StartOffset, partition.EndOffset));

        scene.RestartOn(new RecordingFileSystem(disk.MakeCrashImage(new Unsynced(true))));
        partition = scene.Find("brief");
        Assert.Equal(4L, partition.EndOffset);
        AppendResult next = Send(scene, partition, 4);
        Assert.Equal((StreamError.None, 4L), (next.Error, next.BaseOffset));
    }

    private static AppendResult Send(StreamScene scene, Partition partition, int sequence)
    {
        var options = new RecordBatchOptions { ProducerId = 7, ProducerEpoch = 0, BaseSequence = sequence };
        return partition.Append(scene.Batch(options, $"v{sequence}").Span, new AppendOptions());
    }
}
