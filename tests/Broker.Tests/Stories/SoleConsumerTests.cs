using Pillarbox.Broker.Consumers;

namespace Pillarbox.Broker.Tests;

/// <summary>Consumers that want all messages of a queue, and watches on queues.</summary>
public sealed class SoleConsumerTests
{
    [Fact]
    public void One_of_them_gets_everything_until_it_leaves()
    {
        using Scene scene = new();
        Actor common = scene.Connect("common");
        Actor first = scene.Connect("first");
        Actor second = scene.Connect("second");
        common.Consume("q".Made(common));
        Consumer sole = first.Consume("q", credit: 2, options => options with { TakesAll = true });
        second.Consume("q", with: options => options with { TakesAll = true });
        common.Send("q", "1", "2", "3");
        Assert.Equal(["1", "2"], first.Take());
        Assert.Empty(common.Take());
        Assert.Empty(second.Take());
        first.Client.CloseConsumer(sole, countAttempts: false);
        scene.Settle();
        Assert.Equal(["1", "2", "3"], second.Take());
        Assert.Empty(common.Take());
    }

    [Fact]
    public void A_higher_priority_takes_over_and_an_equal_one_waits()
    {
        using Scene scene = new();
        Actor low = scene.Connect("low");
        Actor high = scene.Connect("high");
        low.Consume("q".Made(low), with: options => options with { TakesAll = true });
        low.Send("q", "1");
        high.Consume("q", with: options => options with { TakesAll = true, Priority = 1 });
        low.Send("q", "2");
        Assert.Equal(["1"], low.Take());
        Assert.Equal(["2"], high.Take());
    }

    [Fact]
    public void Whoever_looks_only_is_not_kept_out()
    {
        using Scene scene = new();
        Actor sole = scene.Connect("sole");
        Actor looking = scene.Connect("looking");
        sole.Consume("q".Made(sole), credit: 1, options => options with { TakesAll = true });
        sole.Send("q", "1", "2");
        looking.Consume("q", with: options => options with { Browse = true });
        Assert.Equal(["2"], looking.Take());
    }

    [Fact]
    public void A_watch_tells_the_queues_that_are_there_and_those_that_come()
    {
        using Scene scene = new();
        WatchingActor actor = new();
        using BrokerClient client = scene.Broker.Connect(
            new ClientInfo { Identity = Model.Identity.Anonymous, ClientId = "w", Protocol = "test" }, actor);
        Actor maker = scene.Connect("maker");
        maker.Queue("a.1");
        maker.Queue("b.1");
        QueueWatch watch = client.WatchQueues("a.*", out IReadOnlyList<string> there);
        Assert.Equal(["a.1"], there);
        maker.Queue("a.2");
        maker.Queue("b.2");
        maker.Queue("a.temporary", config => config with { Temporary = true, Durable = false });
        maker.Queue("a.topic", config => config with { RoutingType = Model.RoutingType.Multicast });
        client.DrainInbox(actor);
        Assert.Equal(["a.2"], actor.Made);
        maker.Queue("a.3");
        client.EndWatch(watch);
        maker.Queue("a.4");
        client.DrainInbox(actor);
        Assert.Equal(["a.2"], actor.Made);
    }

    [Fact]
    public void A_watch_of_names_tells_queues_and_topics_that_come_and_go()
    {
        using Scene scene = new();
        WatchingActor actor = new();
        using BrokerClient client = scene.Broker.Connect(
            new ClientInfo { Identity = Model.Identity.Anonymous, ClientId = "w", Protocol = "test" }, actor);
        Actor maker = scene.Connect("maker");
        maker.Queue("a");
        maker.Queue("sub", config => Subscription(config, "news"));
        QueueWatch watch = client.WatchNames(out IReadOnlyList<string> queues, out IReadOnlyList<string> topics);
        Assert.Equal(["a"], queues);
        Assert.Equal(["news"], topics);
        maker.Queue("b");
        maker.Queue("own", config => Subscription(config, "own") with { Temporary = true, Durable = false });
        maker.Queue("all", config => Subscription(config, "#"));
        maker.Queue("volatile", config => Subscription(config, "chat") with { Temporary = true, Durable = false });
        maker.Client.DeleteQueue("volatile", ifUnused: true);
        maker.Client.DeleteQueue("a", ifUnused: true);
        client.DrainInbox(actor);
        Assert.Equal(["+b Anycast", "+chat Multicast", "-chat Multicast", "-a Anycast"], actor.Changes);
        client.EndWatch(watch);
        maker.Queue("c");
        client.DrainInbox(actor);
        Assert.Equal(4, actor.Changes.Count);
    }

    private static Broker.Queues.QueueConfig Subscription(Broker.Queues.QueueConfig config, string address) =>
        config with { Address = address, RoutingType = Model.RoutingType.Multicast };

    private sealed class WatchingActor : IClientEvents, IWakeable
    {
        public List<string> Made { get; } = [];

        public void Wake()
        {
        }

        public List<string> Changes { get; } = [];

        public void OnQueueMade(QueueWatch watch, string queue) => Made.Add(queue);

        public void OnNameChanged(QueueWatch watch, in NameChange change) =>
            Changes.Add($"{(change.IsGone ? '-' : '+')}{change.Name} {change.Type}");

        public void OnDelivery(in Delivery delivery) => throw new NotSupportedException();

        public void OnPublished(Producer producer, ulong tag, BrokerException? error) =>
            throw new NotSupportedException();

        public void OnProducerCredit(Producer producer, int credit) => throw new NotSupportedException();

        public void OnDrained(Consumer consumer, int unusedCredit) => throw new NotSupportedException();

        public void OnSettled(ulong tag) => throw new NotSupportedException();

        public void OnDischarged(Transactions.Transaction transaction, ulong tag, BrokerException? error) =>
            throw new NotSupportedException();

        public void OnConsumerClosed(Consumer consumer, BrokerException reason) => throw new NotSupportedException();

        public void OnProducerClosed(Producer producer, BrokerException reason) => throw new NotSupportedException();

        public void OnCloseRequested(BrokerException reason) => throw new NotSupportedException();
    }
}
