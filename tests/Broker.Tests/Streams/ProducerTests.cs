using Pillarbox.Broker.Streams;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>Producers with an id: sequences, repetitions, epochs.</summary>
public sealed class ProducerTests
{
    [Fact]
    public void A_batch_that_comes_again_is_answered_with_its_first_offsets()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        for (int sequence = 0; sequence < 7; sequence++)
        {
            Assert.Equal(sequence, Append(scene, partition, sequence).BaseOffset);
        }

        for (int sequence = 2; sequence < 7; sequence++)
        {
            AppendResult again = Append(scene, partition, sequence);
            Assert.Equal((StreamError.None, true, (long)sequence), (again.Error, again.IsDuplicate, again.BaseOffset));
        }

        Assert.Equal(StreamError.OutOfOrderSequence, Append(scene, partition, 1).Error);
        Assert.Equal(StreamError.OutOfOrderSequence, Append(scene, partition, 8).Error);
        Assert.Equal(7, partition.EndOffset);
    }

    /// <summary>Who says so in the second protocol of transactions is not known any more: what it wrote before has been
    /// forgotten. In the first, clients may come from another broker.</summary>
    [Theory]
    [InlineData(true, 5, nameof(StreamError.OutOfOrderSequence))]
    [InlineData(true, 0, nameof(StreamError.None))]
    [InlineData(false, 5, nameof(StreamError.None))]
    public void A_transactional_producer_that_is_new_begins_at_zero(bool isTransactionV2, int sequence, string expected)
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        var options = new RecordBatchOptions
        {
            ProducerId = 7,
            ProducerEpoch = 0,
            BaseSequence = sequence,
            IsTransactional = true,
        };
        AppendResult result = partition.Append(
            scene.Batch(options, "v").Span, new AppendOptions { IsTransactionV2 = isTransactionV2 });
        Assert.Equal(expected, $"{result.Error}");
    }

    [Fact]
    public void A_restart_forgets_nothing()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        for (int sequence = 0; sequence < 7; sequence++)
        {
            Append(scene, partition, sequence);
        }

        scene.Broker.Pump();
        scene.Restart();
        partition = scene.Find("readings");
        Assert.True(Append(scene, partition, 2).IsDuplicate);
        Assert.True(Append(scene, partition, 6).IsDuplicate);
        Assert.Equal(StreamError.OutOfOrderSequence, Append(scene, partition, 9).Error);
        Assert.Equal(7, Append(scene, partition, 7).BaseOffset);
    }

    [Fact]
    public void An_older_epoch_is_fenced_and_a_newer_one_begins_at_zero()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        Append(scene, partition, 0, epoch: 1);
        Assert.Equal(StreamError.InvalidProducerEpoch, Append(scene, partition, 1, epoch: 0).Error);
        Assert.Equal(StreamError.OutOfOrderSequence, Append(scene, partition, 1, epoch: 2).Error);
        Assert.Equal(StreamError.None, Append(scene, partition, 0, epoch: 2).Error);
        Assert.Equal(StreamError.InvalidProducerEpoch, Append(scene, partition, 1, epoch: 1).Error);
    }

    [Fact]
    public void Sequences_go_round()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        Assert.Equal(StreamError.None, Append(scene, partition, int.MaxValue).Error);
        Assert.Equal(StreamError.None, Append(scene, partition, 0).Error);
        Assert.Equal(StreamError.OutOfOrderSequence, Append(scene, partition, 0, count: 2).Error);
    }

    /// <summary>Records may be older than a producer is remembered: what counts is when they were written.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Who_writes_old_records_is_remembered_as_long_as_others(bool isRestart)
    {
        const long Day = 24 * 3_600_000;
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings", ("retention.ms", "-1"));
        scene.Clock.Advance(300 * Day);
        AppendResult OfLastYear()
        {
            var builder = new RecordBatchBuilder();
            builder.Begin(new RecordBatchOptions { ProducerId = 7, ProducerEpoch = 0, BaseSequence = 0 });
            builder.Add(scene.Clock.NowMs - (200 * Day), "k"u8, "v"u8);
            return partition.Append(builder.Finish().Span, new AppendOptions());
        }

        Assert.False(OfLastYear().IsDuplicate);
        scene.Broker.Pump();
        if (isRestart)
        {
            scene.Restart();
            partition = scene.Find("readings");
        }

        void Pass(long milliseconds)
        {
            for (int i = 0; i < 10; i++)
            {
                scene.Clock.Advance(milliseconds / 10);
                scene.Broker.Pump();
            }
        }

        Pass(Day / 2);
        Assert.True(OfLastYear().IsDuplicate);
        Pass(Day);
        Assert.False(OfLastYear().IsDuplicate);
    }

    [Fact]
    public void A_partition_knows_so_many_producers_and_forgets_those_that_were_silent_longest()
    {
        var table = new ProducerTable();
        for (int i = 0; i <= ProducerTable.ProducersMax; i++)
        {
            ProducerState producer = table.GetOrAdd(i);
            producer.LastSeenMs = i;
            producer.TransactionStart = i == 0 ? 5 : -1;
            Assert.InRange(table.Count, 1, ProducerTable.ProducersMax);
        }

        Assert.NotNull(table.Find(0));
        Assert.Null(table.Find(1));
        Assert.NotNull(table.Find(ProducerTable.ProducersMax));
    }

    [Fact]
    public void Producers_are_described()
    {
        using var scene = new StreamScene();
        Partition partition = scene.CreateOne("readings");
        Append(scene, partition, 0, epoch: 3, count: 4);
        ProducerView view = Assert.Single(partition.DescribeProducers());
        Assert.Equal(new ProducerView(7, 3, 3, scene.Clock.NowMs + 3, -1, -1), view);
    }

    private static AppendResult Append(
        StreamScene scene, Partition partition, int sequence, short epoch = 0, int count = 1)
    {
        var options = new RecordBatchOptions { ProducerId = 7, ProducerEpoch = epoch, BaseSequence = sequence };
        string[] values = [.. Enumerable.Range(0, count).Select(i => $"v{sequence + i}")];
        return partition.Append(scene.Batch(options, values).Span, new AppendOptions());
    }
}
