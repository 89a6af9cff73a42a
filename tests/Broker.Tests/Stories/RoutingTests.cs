using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

public sealed class RoutingStoryTests
{
    [Fact]
    public void Multicast_gives_every_queue_a_copy_and_wildcards_too()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        foreach ((string queue, string address) in new[] { ("s1", "news.eu"), ("s2", "news.eu"), ("all", "news.#"),
            ("us", "news.us") })
        {
            actor.Queue(queue, config => config with { Address = address, RoutingType = RoutingType.Multicast });
        }

        actor.Send("news.eu", "hello");
        foreach (string queue in new[] { "s1", "s2", "all" })
        {
            actor.Consume(queue);
            Assert.Equal(["hello"], actor.Take());
        }

        actor.Consume("us");
        Assert.Empty(actor.Take());
    }

    [Fact]
    public void A_fan_out_stores_one_record_and_each_queue_settles_by_itself()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        foreach (string queue in new[] { "s1", "s2", "s3" })
        {
            actor.Queue(queue, config => config with { Address = "news", RoutingType = RoutingType.Multicast });
        }

        actor.Send("news", "hello");
        actor.Consume("s1");
        actor.Consume("s2");
        Assert.Single(actor.Deliveries.Select(delivery => delivery.MessageId).Distinct());
        actor.AcceptAll();
        scene.Restart();
        actor = scene.Connect();
        actor.Consume("s1");
        actor.Consume("s2");
        Assert.Empty(actor.Deliveries);
        actor.Consume("s3");
        Assert.Equal(["hello"], actor.Take());
    }

    [Fact]
    public async Task Multicast_without_subscribers_is_accepted_and_counted()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("news", RoutingType.Multicast);
        actor.Send(producer, "nobody");
        scene.Settle();
        Assert.Null(Assert.Single(actor.Published).Error);
        IReadOnlyList<Management.AddressView> views =
            await scene.Broker.Management.ListAddressesAsync(Identity.Node, "default");
        Assert.Equal(1, Assert.Single(views).UnroutedTotal);
    }

    [Fact]
    public void Anycast_queues_of_one_address_take_turns()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("a1", config => config with { Address = "work" });
        actor.Queue("a2", config => config with { Address = "work" });
        actor.Send("work", "1", "2", "3", "4");
        actor.Consume("a1");
        Assert.Equal(2, actor.Take().Length);
        actor.Consume("a2");
        Assert.Equal(2, actor.Take().Length);
    }

    [Fact]
    public void Anycast_prefers_the_queue_whose_consumers_wait()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("a1", config => config with { Address = "work" });
        actor.Queue("a2", config => config with { Address = "work" });
        actor.Consume("a2");
        actor.Send("work", "1", "2", "3", "4");
        Assert.Equal(["1", "2", "3", "4"], actor.Take());
    }

    [Fact]
    public void A_qualified_name_reaches_just_that_queue()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("s1", config => config with { Address = "news", RoutingType = RoutingType.Multicast });
        actor.Queue("s2", config => config with { Address = "news", RoutingType = RoutingType.Multicast });
        actor.Send("news::s2", "only");
        actor.Consume("s1");
        Assert.Empty(actor.Deliveries);
        actor.Consume("s2");
        Assert.Equal(["only"], actor.Take());
    }

    [Fact]
    public void A_queue_filter_takes_only_what_it_matches()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("high", config =>
            config with { Address = "news", RoutingType = RoutingType.Multicast, Filter = "JMSPriority > 5" });
        Producer producer = actor.Producer("news");
        actor.Send(producer, "low", header => header with { Priority = 1 });
        actor.Send(producer, "high", header => header with { Priority = 9 });
        scene.Settle();
        actor.Consume("high");
        Assert.Equal(["high"], actor.Take());
    }

    [Fact]
    public void The_anonymous_relay_routes_by_each_message()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Producer relay = actor.Producer(null);
        actor.Send(relay, "x", to: "left");
        actor.Send(relay, "y", to: "right");
        actor.Send(relay, "z", to: null);
        scene.Settle();
        Assert.Equal([null, null, BrokerError.InvalidField], actor.Published.Select(done => done.Error?.Error));
        actor.Consume("left");
        actor.Consume("right");
        Assert.Equal(["x", "y"], actor.Take().Order());
    }

    [Fact]
    public void Names_that_may_not_be_made_are_not_found()
    {
        using Scene scene = Scene.With("#",
            new AddressSettings { AutoCreateAddresses = false, AutoCreateQueues = false });
        Actor actor = scene.Connect();
        Assert.Equal(BrokerError.NotFound, Assert.Throws<BrokerException>(() => actor.Producer("q")).Error);
        Assert.Equal(
            BrokerError.NotFound,
            Assert.Throws<BrokerException>(() => actor.Client.ResolveQueue(new AddressName("q", null), null)).Error);
        Assert.Equal(BrokerError.NotFound, Assert.Throws<BrokerException>(() => actor.Consume("q")).Error);
    }

    [Fact]
    public void A_multicast_address_is_not_consumed_as_a_queue()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("s", config => config with { Address = "news", RoutingType = RoutingType.Multicast });
        Assert.Equal(
            BrokerError.PreconditionFailed,
            Assert.Throws<BrokerException>(() => actor.Client.ResolveQueue(new AddressName("news", null), null)).Error);
    }

    [Fact]
    public void A_full_address_gives_no_credit_until_there_is_room()
    {
        using Scene scene = new(options => options with
        {
            ProducerCredit = 4,
            AddressSettings = new Dictionary<string, AddressSettings> { ["q"] = new() { MaxSizeMessages = 4 } },
        });
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("q");
        scene.Settle();
        Assert.Equal(4, actor.Credit[producer]);
        for (int i = 0; i < 4; i++)
        {
            actor.Send(producer, $"{i}");
        }

        scene.Settle();
        Assert.Equal(4, actor.Credit[producer]);
        Actor consumer = scene.Connect("consumer");
        consumer.Consume("q");
        consumer.AcceptAll();
        scene.Settle();
        Assert.Equal(8, actor.Credit[producer]);
    }

    [Fact]
    public void A_full_address_can_fail_publishes_instead()
    {
        using Scene scene = Scene.With("q",
            new AddressSettings { MaxSizeMessages = 1, AddressFullPolicy = AddressFullPolicy.Fail });
        Actor actor = scene.Connect();
        actor.Send("q", "a");
        actor.Send("q", "b");
        Assert.Equal([null, BrokerError.ResourceLimitExceeded], actor.Published.Select(done => done.Error?.Error));
    }

    [Fact]
    public void Publishing_far_beyond_credit_is_refused()
    {
        using Scene scene = new(options => options with { ProducerCredit = 10 });
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("q");
        for (int i = 0; i < 30; i++)
        {
            actor.Send(producer, "x");
        }

        scene.Settle();
        Assert.Equal(20, actor.Published.Count(done => done.Error is null));
        Assert.Equal(10, actor.Published.Count(done => done.Error?.Error == BrokerError.ResourceLimitExceeded));
    }

    [Fact]
    public void A_message_over_the_limit_is_refused_in_its_turn()
    {
        using Scene scene = Scene.With("q", new AddressSettings { MessageBytesMax = 3 });
        Actor actor = scene.Connect();
        actor.Send("q", "abc", "abcd", "ab");
        Assert.Equal([null, BrokerError.ResourceLimitExceeded, null],
            actor.Published.Select(done => done.Error?.Error));
    }
}
