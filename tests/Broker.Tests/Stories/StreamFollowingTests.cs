using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Streams;
using Pillarbox.Model;
using Pillarbox.Model.Records;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests;

/// <summary>Subscriptions that follow streams: what a pattern matches is read, whoever wrote it.</summary>
public sealed class StreamFollowingTests
{
    [Fact]
    public void What_is_written_to_streams_that_match_comes_once_whoever_wrote_it()
    {
        using Scene scene = new();
        Partition there = scene.Stream("a.there");
        scene.Stream("b.other");
        scene.Append(there, "before");
        Actor actor = scene.Connect();
        Subscribe(actor, 8, "a.#", "*.there", "a.there");
        Partition later = scene.Stream("a.later");
        scene.Append(there, "one");
        scene.Append(later, "two");
        Send(actor, "a.there", "three");
        Send(actor, "a.later", "four");
        Send(actor, "a.none", "five");
        Send(actor, "b.other", "six");
        ConsumeAll(scene, actor);
        Assert.Equal(["five", "four", "one", "three", "two"], Values(actor).Order());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_subscription_that_nobody_uses_keeps_its_places_and_gets_new_streams(bool crashes)
    {
        using Scene scene = new();
        Partition old = scene.Stream("a.old");
        Actor actor = scene.Connect();
        Subscribe(actor, 8, "a.*");
        ConsumeAll(scene, actor);
        scene.Append(old, "one");
        scene.Settle();
        Assert.Equal(["one"], Values(actor));
        actor.AcceptAll();
        actor.Client.Dispose();
        scene.Settle();
        Partition made = scene.Stream("a.new");
        scene.Append(made, "two");
        Actor other = scene.Connect("other");
        Send(other, "a.new", "three");
        Send(other, "a.old", "four");
        scene.Settle();
        if (crashes)
        {
            scene.Crash();
        }
        else
        {
            scene.Restart();
        }

        Actor back = scene.Connect();
        ConsumeAll(scene, back);
        Assert.Equal(["four", "three", "two"], Values(back).Order());
    }

    [Fact]
    public void What_a_crash_left_halfway_is_brought_to_its_end()
    {
        using Scene scene = new();
        Partition lost = scene.Stream("a.lost");
        Actor actor = scene.Connect();
        Subscribe(actor, 8, "a.*");
        scene.Broker.Streams.Entering = null;
        scene.Broker.Streams.Left = null;
        Partition made = scene.Stream("a.made");
        scene.Append(made, "one");
        scene.Broker.Streams.Delete(scene.GrantFor("a.lost"), lost.Stream);
        scene.Settle();
        Assert.Equal(["s%>a.lost"], Readers(actor));
        scene.Crash();
        Actor back = scene.Connect();
        Assert.Equal(["s%>a.made"], Readers(back));
        ConsumeAll(scene, back);
        Assert.Equal(["one"], Values(back));
    }

    /// <summary>The last room of the journal takes that a subscription is gone, and not all of its readers.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_full_disk_leaves_nothing_half_deleted(bool isDeleted)
    {
        const int Streams = 150;
        var faults = new FileFaults();
        using Scene scene = new(options => options with
        {
            FileSystem = new FaultyFileSystem(options.FileSystem, faults, Seeds.New(out _)),
            SegmentBytes = 64 << 10,
        });
        for (int i = 0; i < Streams; i++)
        {
            scene.Stream($"a.{i}");
        }

        Actor actor = scene.Connect();
        Subscribe(actor, Streams, "a.*");
        scene.Settle();
        Assert.Equal(Streams, Readers(actor).Count);
        faults.CapacityBytes = 0;
        Fill(actor);
        if (isDeleted)
        {
            actor.Client.DeleteQueue("s", ifUnused: false);
            Assert.Null(actor.Client.FindQueue("s"));
        }
        else
        {
            Assert.True(actor.Client.Unbind("s", "a.*"));
        }

        scene.Settle();
        int left = Enumerable.Range(0, Streams).Count(i => actor.Client.FindQueue($"s%>a.{i}") is not null);
        Assert.InRange(left, 1, Streams - 1);
        faults.CapacityBytes = long.MaxValue;
        scene.Crash();
        Actor back = scene.Connect();
        Assert.DoesNotContain(
            Enumerable.Range(0, Streams), i => back.Client.FindQueue($"s%>a.{i}") is not null);
        Assert.Equal(!isDeleted, back.Client.FindQueue("s") is not null);
    }

    // Until the journal takes no more of this length: less than that is left in its last file.
    private static void Fill(Actor actor)
    {
        string padding = string.Concat(Enumerable.Repeat("x", 900));
        BrokerException full = Assert.Throws<BrokerException>(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                actor.Client.Bind("s", $"b.{i}.{padding}");
            }
        });
        Assert.Equal(BrokerError.ResourceLimitExceeded, full.Error);
    }

    [Fact]
    public void A_reader_goes_with_its_pattern_its_stream_or_its_subscription()
    {
        using Scene scene = new();
        Partition one = scene.Stream("a.one");
        scene.Stream("a.two");
        scene.Stream("b.one");
        Actor actor = scene.Connect();
        Subscribe(actor, 8, "a.*", "*.one", "a.one");
        ConsumeAll(scene, actor);
        Assert.Equal(["s%>a.one", "s%>a.two", "s%>b.one"], Readers(actor));
        actor.Client.Unbind("s", "a.*");
        Assert.Equal(["s%>a.one", "s%>b.one"], Readers(actor));
        scene.Broker.Streams.Delete(scene.GrantFor("a.one"), one.Stream);
        scene.Settle();
        Assert.Equal(["s%>b.one"], Readers(actor));
        Assert.Equal([BrokerError.ResourceDeleted, BrokerError.ResourceDeleted], actor.Closed);
        scene.Append(scene.Stream("a.one"), "anew");
        ConsumeAll(scene, actor);
        Assert.Equal(["anew"], Values(actor));
        actor.Client.DeleteQueue("s", ifUnused: false);
        Assert.Null(actor.Client.FindQueue("s%>b.one"));
        scene.Settle();
        scene.Crash();
        Actor back = scene.Connect();
        Assert.Null(back.Client.FindQueue("s%>b.one"));
        Assert.Null(back.Client.FindQueue("s%>a.one"));
    }

    [Fact]
    public void Beyond_the_bound_a_pattern_gets_what_is_published_to_the_node_and_a_name_is_refused()
    {
        using Scene scene = new();
        scene.Stream("a.1");
        scene.Stream("a.2");
        Partition third = scene.Stream("a.3");
        Actor actor = scene.Connect();
        Subscribe(actor, 2, "a.*");
        Assert.Equal(["s%>a.1", "s%>a.2"], Readers(actor));
        BrokerException refusal = Assert.Throws<BrokerException>(() => actor.Client.Bind("s", "a.3"));
        Assert.Equal(BrokerError.ResourceLimitExceeded, refusal.Error);
        Partition fourth = scene.Stream("a.4");
        scene.Append(third, "unheard");
        scene.Append(fourth, "unheard");
        Send(actor, "a.3", "three");
        Send(actor, "a.2", "two");
        Send(actor, "a.4", "four");
        ConsumeAll(scene, actor);
        Assert.Equal(["four", "three", "two"], Values(actor).Order());
        scene.Crash();
        Assert.Equal(["s%>a.1", "s%>a.2"], Readers(scene.Connect()));
    }

    [Fact]
    public void One_that_does_not_follow_takes_what_is_published()
    {
        using Scene scene = new();
        Partition stream = scene.Stream("a.s");
        Actor actor = scene.Connect();
        Subscribe(actor, 0, "a.*", "a.s");
        scene.Append(stream, "unheard");
        Send(actor, "a.s", "heard");
        Assert.Empty(Readers(actor));
        ConsumeAll(scene, actor);
        Assert.Equal(["heard"], Values(actor));
    }

    [Fact]
    public void A_record_may_say_whose_it_is()
    {
        using Scene scene = new();
        scene.Stream("s");
        Actor reader = scene.Connect("reader");
        Subscribe(reader, 1, "s");
        ConsumeAll(scene, reader);
        Actor writer = scene.Connect("writer");
        Producer producer = writer.Client.OpenProducer(new ProducerOptions { MakesNoAddress = true });
        writer.Send(producer, "unsigned", to: "s");
        producer.SignsRecords = true;
        writer.Send(producer, "signed", to: "s");
        scene.Settle();
        Assert.Equal(
            [("unsigned", 0UL), ("signed", writer.Client.PublisherHash)],
            reader.Deliveries.Select(one => (Value(reader, one), reader.Read(one).Publisher)));
    }

    private static void Subscribe(Actor actor, int streamsMax, params string[] patterns)
    {
        actor.Client.CreateQueue(new QueueConfig
        {
            Name = "s",
            Address = "$subscriptions",
            RoutingType = RoutingType.Multicast,
            IsSubscription = true,
            IsPrivate = true,
            StreamsMax = streamsMax,
        });
        foreach (string pattern in patterns)
        {
            actor.Client.Bind("s", pattern);
        }
    }

    private static void Send(Actor actor, string address, string body)
    {
        Producer relay = actor.Client.OpenProducer(new ProducerOptions { MakesNoAddress = true });
        actor.Send(relay, body, to: address);
        actor.Client.Flush();
    }

    private static IReadOnlyList<string> Readers(Actor actor)
    {
        actor.Client.EndWatch(actor.Client.WatchReaders("s", out IReadOnlyList<string> there));
        return there;
    }

    private static void ConsumeAll(Scene scene, Actor actor)
    {
        scene.Settle();
        foreach (string queue in Readers(actor).Prepend("s"))
        {
            actor.Consume(queue);
        }
    }

    private static string[] Values(Actor actor) => [.. actor.Deliveries.Select(one => Value(actor, one))];

    private static string Value(Actor actor, Delivery delivery)
    {
        using MessageLease lease = actor.Read(delivery);
        return StreamRecord.TryParse(lease.Payload.Span, out StreamRecord record) && delivery.IsRecord
            ? Encoding.UTF8.GetString(record.Value)
            : Encoding.UTF8.GetString(lease.Payload.Span);
    }
}
