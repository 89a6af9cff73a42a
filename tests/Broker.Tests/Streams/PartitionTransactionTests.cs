using Pillarbox.Broker.Streams;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>Transactions as a partition sees them.</summary>
public sealed class PartitionTransactionTests
{
    [Fact]
    public void Committed_reads_stop_before_the_first_open_transaction()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        scene.Append(partition, "plain");
        Append(scene, partition, producerId: 1, sequence: 0, "t1");
        scene.Append(partition, "after");
        Assert.Equal((3, 1), (partition.HighWatermark, partition.LastStableOffset));
        Assert.Equal(["plain"], StreamScene.ReadAll(partition, isolation: Isolation.Committed));
        Assert.Equal(["plain", "t1", "after"], StreamScene.ReadAll(partition));
        End(scene, partition, 1, isCommit: true);
        Assert.Equal(["plain", "t1", "after"], StreamScene.ReadAll(partition, isolation: Isolation.Committed));
        Assert.Equal(4, partition.LastStableOffset);
    }

    [Fact]
    public void A_transaction_is_decided_only_when_its_marker_is_durable()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        Append(scene, partition, 1, 0, "t1");
        AppendResult end = partition.EndTransaction(1, 0, new EndTransactionMarker(true, 0), isTransactionV2: false);
        Assert.Equal((StreamError.None, 1L), (end.Error, end.BaseOffset));
        Assert.Equal(0, partition.LastStableOffset);
        scene.Broker.Pump();
        Assert.Equal(2, partition.LastStableOffset);
    }

    /// <summary>A producer that gave up a batch with its transaction, and did not hear that it was there, may give its
    /// sequence to the next one. Told that this had come already, it would take it for stored.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_sequence_of_a_transaction_that_has_ended_is_no_repetition(bool isCommit, bool restart)
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        Append(scene, partition, 1, 0, "first");
        End(scene, partition, 1, isCommit: true);
        Append(scene, partition, 1, 1, "given up");
        Assert.True(TryAppend(scene, partition, 1, 1, "again").IsDuplicate);
        End(scene, partition, 1, isCommit);
        if (restart)
        {
            scene.Restart();
            partition = scene.Find("readings");
        }

        AppendResult other = TryAppend(scene, partition, 1, 1, "another");
        Assert.Equal((StreamError.OutOfOrderSequence, false), (other.Error, other.IsDuplicate));
        Append(scene, partition, 1, 2, "next");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Aborted_transactions_are_listed_for_the_range_that_was_read(bool restart)
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        Append(scene, partition, 1, 0, "a0");
        Append(scene, partition, 2, 0, "b0");
        End(scene, partition, 1, isCommit: false);
        End(scene, partition, 2, isCommit: true);
        Append(scene, partition, 1, 1, "a1");
        End(scene, partition, 1, isCommit: false);
        if (restart)
        {
            scene.Restart();
            partition = scene.Find("readings");
        }

        Assert.Equal([new(1, 0), new(1, 4)], AbortedFrom(partition, 0));
        Assert.Equal([new(1, 0), new(1, 4)], AbortedFrom(partition, 2));
        Assert.Equal([new(1, 4)], AbortedFrom(partition, 3));
        Assert.Equal([new(1, 4)], AbortedFrom(partition, 5));
        Assert.Equal(6, partition.LastStableOffset);
    }

    [Fact]
    public void An_open_transaction_is_open_after_a_restart()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        Append(scene, partition, 1, 0, "t1");
        scene.Append(partition, "after");
        scene.Restart();
        partition = scene.Find("readings");
        Assert.Equal(0, partition.LastStableOffset);
        Assert.True(partition.HasOpenTransaction(1, 0));
        Assert.False(partition.HasOpenTransaction(1, 1));
        Assert.Equal(0, Assert.Single(partition.DescribeProducers()).TransactionStart);
        End(scene, partition, 1, isCommit: true);
        Assert.Equal(3, partition.LastStableOffset);
    }

    [Fact]
    public void Markers_of_the_past_are_refused()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        StreamError Mark(short epoch, int coordinator, bool v2) =>
            partition.EndTransaction(1, epoch, new EndTransactionMarker(true, coordinator), v2).Error;
        Append(scene, partition, 1, 0, "t1");
        Assert.Equal(StreamError.InvalidProducerEpoch, Mark(0, 5, v2: true));
        Assert.Equal(StreamError.None, Mark(1, 5, v2: true));
        Assert.Equal(StreamError.None, Mark(1, 5, v2: true));
        Assert.Equal(StreamError.CoordinatorFenced, Mark(1, 4, v2: true));
        Assert.Equal(StreamError.InvalidProducerEpoch, Mark(0, 5, v2: false));
        Assert.Equal(StreamError.InvalidProducerEpoch, Mark(0, 5, v2: true));
    }

    [Fact]
    public void Plain_records_are_refused_while_the_producer_has_a_transaction_open()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        Append(scene, partition, 1, 0, "t1");
        var plain = new RecordBatchOptions { ProducerId = 1, ProducerEpoch = 0, BaseSequence = 1 };
        AppendResult result = partition.Append(scene.Batch(plain, "x").Span, new AppendOptions());
        Assert.Equal(StreamError.InvalidTransactionState, result.Error);
    }

    private static List<AbortedTransaction> AbortedFrom(Partition partition, long offset)
    {
        using var read = new StreamRead();
        Assert.Equal(
            StreamError.None, partition.Read(offset, new ReadOptions { Isolation = Isolation.Committed }, read));
        return [.. read.Aborted];
    }

    private static void Append(StreamScene scene, Partition partition, long producerId, int sequence, string value)
    {
        AppendResult result = TryAppend(scene, partition, producerId, sequence, value);
        Assert.Equal((StreamError.None, null), (result.Error, result.Message));
        scene.Broker.Pump();
    }

    private static AppendResult TryAppend(
        StreamScene scene, Partition partition, long producerId, int sequence, string value)
    {
        var options = new RecordBatchOptions
        {
            ProducerId = producerId,
            ProducerEpoch = 0,
            BaseSequence = sequence,
            IsTransactional = true,
        };
        return partition.Append(scene.Batch(options, value).Span, new AppendOptions());
    }

    private static void End(StreamScene scene, Partition partition, long producerId, bool isCommit)
    {
        var marker = new EndTransactionMarker(isCommit, 0);
        Assert.Equal(StreamError.None, partition.EndTransaction(producerId, 0, marker, isTransactionV2: false).Error);
        scene.Broker.Pump();
    }
}
