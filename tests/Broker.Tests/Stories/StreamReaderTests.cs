using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Model;
using Pillarbox.Model.Records;
using static Pillarbox.Broker.Tests.StreamSteps;

namespace Pillarbox.Broker.Tests;

/// <summary>Consumers that read a stream as if it were a queue.</summary>
public sealed class StreamReaderTests
{
    private static readonly RecordBatchOptions Transactional = new()
    {
        ProducerId = 7,
        ProducerEpoch = 0,
        BaseSequence = 0,
        IsTransactional = true,
    };

    [Fact]
    public void A_reader_begins_where_it_wants_to()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        scene.Append(partition, "a", "b");
        scene.Clock.Advance(1000);
        long middle = scene.Clock.NowMs;
        scene.Append(partition, "c", "d");
        Actor actor = scene.Connect();
        Assert.Equal(["a", "b", "c", "d"], Read(actor, StreamStart.First));
        Assert.Equal(["d"], Read(actor, StreamStart.Last));
        Assert.Equal([], Read(actor, StreamStart.Next));
        Assert.Equal(["b", "c", "d"], Read(actor, StreamStart.AtOffset(1)));
        Assert.Equal(["c", "d"], Read(actor, StreamStart.AtTime(middle)));
        Reader(actor, StreamStart.AtOffset(100));
        scene.Append(partition, "e");
        scene.Settle();
        Assert.Equal(["e"], Values(actor));
    }

    [Fact]
    public void Records_that_come_later_are_delivered_without_a_poll()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Actor actor = scene.Connect();
        Reader(actor, StreamStart.Next);
        scene.Append(partition, "a");
        scene.Settle();
        scene.Append(partition, "b", "c");
        scene.Settle();
        Assert.Equal(["a", "b", "c"], Values(actor));
        Assert.Equal([0L, 1, 2], actor.Deliveries.Select(delivery => actor.Read(delivery).Place!.Value.Offset));
    }

    [Fact]
    public void A_reader_gets_no_more_than_its_credit_and_all_of_it_in_order()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        string[] values = [.. Enumerable.Range(0, 5000).Select(i => $"v{i}")];
        foreach (string[] chunk in values.Chunk(700))
        {
            scene.Append(partition, chunk);
        }

        Actor actor = scene.Connect();
        Consumer reader = Reader(actor, StreamStart.First, credit: 10);
        Assert.Equal(values[..10], Values(actor));
        List<string> all = [.. Values(actor)];
        while (all.Count < values.Length)
        {
            actor.AcceptAll();
            actor.Client.Grant(reader, 500);
            scene.Settle();
            all.AddRange(Values(actor));
        }

        Assert.Equal(values, all);
    }

    [Fact]
    public void A_drain_is_answered_when_everything_there_is_delivered()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        scene.Append(partition, [.. Enumerable.Range(0, 3000).Select(i => $"v{i}")]);
        Actor actor = scene.Connect();
        Consumer reader = Reader(actor, StreamStart.First, credit: 4000);
        actor.Client.Drain(reader);
        scene.Settle();
        Assert.Equal((reader, 1000), Assert.Single(actor.Drained));
        Assert.Equal(3000, actor.Deliveries.Count);
    }

    [Fact]
    public void Readers_of_one_stream_do_not_disturb_each_other()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Actor left = scene.Connect("left");
        Actor right = scene.Connect("right");
        Reader(left, StreamStart.Next);
        Reader(right, StreamStart.Next);
        scene.Append(partition, "a", "b");
        scene.Settle();
        left.AcceptAll();
        Assert.Equal(["a", "b"], Values(right));
    }

    [Fact]
    public void What_a_reader_releases_comes_again_and_what_it_rejects_does_not()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        scene.Append(partition, "a", "b");
        Actor actor = scene.Connect();
        Reader(actor, StreamStart.First);
        Delivery[] got = [.. actor.Deliveries];
        actor.Deliveries.Clear();
        actor.Settle(got[1], new Outcome(OutcomeKind.Rejected));
        actor.Settle(got[0], Outcome.Released);
        Assert.Equal(["a"], Values(actor));
        Assert.Null(actor.Client.FindQueue("DLQ"));
    }

    [Fact]
    public void All_partitions_are_read_or_just_one()
    {
        using Scene scene = new();
        RecordStream stream = scene.Stream("s", partitions: 3).Stream;
        for (int i = 0; i < 3; i++)
        {
            scene.Append(stream.Partitions[i], $"p{i}");
        }

        Actor actor = scene.Connect();
        Assert.Equal(["p0", "p1", "p2"], Read(actor, StreamStart.First).Order());
        Assert.Equal(["p1"], Read(actor, StreamStart.First, partition: 1));
        BrokerException refusal = Assert.Throws<BrokerException>(
            () => Reader(actor, StreamStart.First, partition: 3));
        Assert.Equal(BrokerError.NotFound, refusal.Error);
    }

    [Fact]
    public void A_partition_that_is_added_later_is_read_from_its_begin()
    {
        using Scene scene = new();
        RecordStream stream = scene.Stream("s").Stream;
        Actor actor = scene.Connect();
        Reader(actor, StreamStart.Next);
        scene.Broker.Streams.SetPartitionCount(scene.GrantFor("s"), stream, 2);
        scene.Append(stream.Partitions[1], "new");
        scene.Append(stream.Partitions[0], "old");
        scene.Settle();
        Assert.Equal(["new", "old"], Values(actor).Order());
    }

    [Fact]
    public void Aborted_records_and_markers_are_not_delivered()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        scene.AppendBatch(partition, Transactional, "gone");
        Actor actor = scene.Connect();
        Reader(actor, StreamStart.First);
        scene.Append(partition, "after");
        scene.Settle();
        Assert.Empty(actor.Deliveries);
        partition.EndTransaction(7, 0, new EndTransactionMarker(IsCommit: false, 0), isTransactionV2: false);
        scene.Settle();
        Assert.Equal(["after"], Values(actor));
    }

    [Fact]
    public void The_newest_record_is_not_a_marker_nor_what_was_aborted()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        scene.Append(partition, "a");
        scene.AppendBatch(partition, Transactional, "b", "c");
        partition.EndTransaction(7, 0, new EndTransactionMarker(IsCommit: true, 0), isTransactionV2: false);
        scene.AppendBatch(partition, Transactional with { BaseSequence = 2 }, "gone");
        partition.EndTransaction(7, 0, new EndTransactionMarker(IsCommit: false, 0), isTransactionV2: false);
        scene.Settle();
        Assert.Equal(["c"], Read(scene.Connect(), StreamStart.Last));
    }

    [Fact]
    public void A_selector_chooses_among_headers()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        RecordBatchBuilder builder = new();
        foreach (string colour in new[] { "red", "blue", "red" })
        {
            builder.Add(new RecordContent
            {
                TimestampMs = scene.Clock.NowMs,
                HasValue = true,
                Value = Encoding.UTF8.GetBytes(colour + builder.Count),
                HeaderCount = 1,
                Headers = RecordBatchBuilder.EncodeHeaders([("colour"u8.ToArray(), Encoding.UTF8.GetBytes(colour))]),
            });
        }

        partition.Append(builder.Finish().Span, new AppendOptions());
        Actor actor = scene.Connect();
        Reader(actor, StreamStart.First, selector: "colour = 'red'");
        Assert.Equal(["red0", "red2"], Values(actor));
    }

    [Fact]
    public void A_stream_that_is_not_there_cannot_be_read()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Assert.Equal(
            BrokerError.NotFound, Assert.Throws<BrokerException>(() => Reader(actor, StreamStart.First)).Error);
    }

    [Fact]
    public void Records_that_retention_takes_are_passed_over()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        scene.Append(partition, "a", "b", "c");
        Actor actor = scene.Connect();
        Consumer reader = Reader(actor, StreamStart.First, credit: 0);
        scene.Broker.Streams.DeleteRecords(scene.GrantFor("s"), partition, 2);
        actor.Client.Grant(reader, 10);
        scene.Settle();
        Assert.Contains("c", Values(actor));
    }

    private static Consumer Reader(
        Actor actor, StreamStart start, int credit = 1000, int? partition = null, string? selector = null) =>
        actor.Consume("", credit, options => options with
        {
            Stream = new StreamReading { Stream = "s", Start = start, Partition = partition },
            Selector = selector,
        });

    private static string[] Read(Actor actor, StreamStart start, int? partition = null)
    {
        Consumer reader = Reader(actor, start, partition: partition);
        string[] values = Values(actor);
        actor.Client.CloseConsumer(reader, countAttempts: false);
        actor.Deliveries.Clear();
        return values;
    }
}
