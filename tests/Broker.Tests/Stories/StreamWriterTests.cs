using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Broker.Tests.Streams;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

/// <summary>Producers that publish to an address that is a stream.</summary>
public sealed class StreamWriterTests
{
    [Fact]
    public void A_message_becomes_a_record_and_is_acknowledged_when_it_is_on_disk()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("s");
        actor.Send(producer, "a");
        actor.Send(producer, "b");
        actor.Client.Flush();
        actor.Client.DrainInbox(actor);
        Assert.Empty(actor.Published);
        Assert.Equal((2L, 0L), (partition.EndOffset, partition.HighWatermark));
        scene.Settle();
        Assert.Equal([null, null], actor.Published.Select(published => published.Error));
        Assert.Equal(["a", "b"], StreamScene.ReadAll(partition));
    }

    [Fact]
    public void What_is_published_in_one_pass_is_one_batch()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("s");
        for (int i = 0; i < 100; i++)
        {
            actor.Send(producer, "m" + i);
        }

        scene.Settle();
        using StreamRead read = new();
        partition.Read(0, new ReadOptions(), read);
        Assert.True(Model.Records.RecordBatch.TryRead(StreamScene.BytesOf(read), out var batch) == 0);
        Assert.Equal(100, batch.Count);
    }

    [Fact]
    public void A_pass_that_is_larger_than_a_batch_may_be_becomes_several()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s", 1, ("max.message.bytes", "1000"));
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("s");
        string[] bodies = [.. Enumerable.Range(0, 50).Select(i => new string((char)('a' + (i % 26)), 100))];
        foreach (string body in bodies)
        {
            actor.Send(producer, body);
        }

        scene.Settle();
        Assert.All(actor.Published, published => Assert.Null(published.Error));
        Assert.Equal(bodies, StreamScene.ReadAll(partition));
    }

    [Fact]
    public void A_message_larger_than_the_stream_takes_is_refused_alone()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s", 1, ("max.message.bytes", "1000"));
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("s");
        actor.Send(producer, "a");
        actor.Send(producer, new string('x', 2000));
        actor.Send(producer, "b");
        scene.Settle();
        Assert.Equal(
            [null, BrokerError.ResourceLimitExceeded, null], actor.Published.Select(p => p.Error?.Error));
        Assert.Equal(["a", "b"], StreamScene.ReadAll(partition));
    }

    [Fact]
    public void A_producer_may_name_a_partition()
    {
        using Scene scene = new();
        RecordStream stream = scene.Stream("s", 3).Stream;
        Actor actor = scene.Connect();
        actor.Send("s::2", "a", "b");
        Assert.Equal(["a", "b"], StreamScene.ReadAll(stream.Partitions[2]));
        actor.Send("s::7", "c");
        Assert.Equal(BrokerError.NotFound, actor.Published[^1].Error?.Error);
    }

    [Fact]
    public void A_relay_finds_streams_too()
    {
        using Scene scene = new();
        Partition partition = scene.Stream("s");
        Actor actor = scene.Connect();
        actor.Send(actor.Producer(null), "a", to: "s");
        scene.Settle();
        Assert.Equal(["a"], StreamScene.ReadAll(partition));
    }

    [Fact]
    public void The_node_s_own_streams_are_not_written_by_clients()
    {
        using Scene scene = new();
        _ = scene.Broker.Coordinators;
        Actor actor = scene.Connect();
        actor.Send("__consumer_offsets", "a");
        Assert.NotNull(actor.Client.FindQueue("__consumer_offsets"));
        Assert.All(
            scene.Broker.Streams.Find("__consumer_offsets")!.Partitions, p => Assert.Equal(0, p.EndOffset));
    }

    [Fact]
    public void A_reader_gets_what_a_producer_publishes()
    {
        using Scene scene = new();
        scene.Stream("s");
        Actor actor = scene.Connect();
        actor.Consume("", 10, options => options with
        {
            Stream = new StreamReading { Stream = "s", Start = StreamStart.Next },
        });
        actor.Send("s", "a");
        using MessageLease lease = actor.Read(Assert.Single(actor.Deliveries));
        Assert.Equal((PayloadFormat.KafkaRecord, true), (lease.Header.Format, lease.Header.Durable));
        Assert.Equal("s", Encoding.UTF8.GetString(lease.Address.Span));
    }

    [Fact]
    public void Priority_and_expiry_come_back()
    {
        using Scene scene = new();
        scene.Stream("s");
        Actor actor = scene.Connect();
        actor.Consume("", 10, options => options with { Stream = new StreamReading { Stream = "s" } });
        Producer producer = actor.Producer("s");
        long expiresAtMs = scene.Clock.NowMs + 60_000;
        actor.Send(producer, "a", header => header with { Priority = 7, ExpiresAtMs = expiresAtMs });
        scene.Settle();
        using MessageLease lease = actor.Read(Assert.Single(actor.Deliveries));
        Assert.Equal((7, expiresAtMs), (lease.Header.Priority, lease.Header.ExpiresAtMs));
    }
}
