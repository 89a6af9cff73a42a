using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

public sealed class QueueTests
{
    [Fact]
    public void A_large_queue_is_deleted_a_slice_a_turn()
    {
        using Scene scene = new(options => options with { Shards = 1 });
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("large");
        for (int i = 0; i < 25_000; i++)
        {
            actor.Send(producer, "m");
            if (i % 500 == 0)
            {
                scene.Settle();
            }
        }

        scene.Settle();
        actor.Consume("large", credit: 3);
        Queues.Queue queue = ((Consumer)actor.Deliveries[0].Consumer).Queue;
        List<long> left = [];
        queue.Shard.Post(new Shards.ShardAction(shard =>
        {
            queue.Delete();
            left.Add(queue.Counters.Messages);
            shard.Post(new Shards.ShardAction(_ => left.Add(queue.Counters.Messages)));
        }));
        Assert.Equal([14_997, 4_997], left);
        Assert.Equal(0, queue.Counters.Messages);
        scene.Settle();
        Assert.Equal([BrokerError.ResourceDeleted], actor.Closed);
    }

    [Fact]
    public void Consumers_without_credit_have_no_turns()
    {
        using Scene scene = new();
        Actor idle = scene.Connect("idle");
        Actor busy = scene.Connect("busy");
        idle.Queue("q");
        for (int i = 0; i < 50; i++)
        {
            idle.Consume("q", credit: 0);
        }

        Consumer one = busy.Consume("q", credit: 2);
        Consumer two = busy.Consume("q", credit: 1);
        Broker.Consumers.ConsumerGroup group = Assert.Single(one.Queue.Consumers.Groups);
        Assert.Equal(2, group.Waiting.Count);
        busy.Send("q", "a", "b", "c", "d");
        Assert.Empty(group.Waiting);
        Assert.Equal([one, two, one], busy.Deliveries.Select(delivery => delivery.Consumer));
        busy.Client.Grant(two, 5);
        scene.Settle();
        Assert.Equal([two], group.Waiting);
        Assert.Equal(["a", "b", "c", "d"], busy.Take());
        busy.Client.CloseConsumer(two, countAttempts: false);
        scene.Settle();
        Assert.Empty(group.Waiting);
    }

    [Fact]
    public void What_a_subscription_leaves_out_of_its_own_client_is_not_kept_for_it()
    {
        using Scene scene = new();
        Actor own = scene.Connect("own");
        own.Queue("sub", queue => queue with
        {
            Address = "news",
            RoutingType = RoutingType.Multicast,
            NotFrom = "own",
        });
        scene.Settle();
        scene.Crash();
        own = scene.Connect("own");
        Actor other = scene.Connect("other");
        own.Send("news", "mine");
        other.Send("news", "theirs");
        Consumer consumer = own.Consume("sub");
        Assert.Equal(["theirs"], own.Take());
        Assert.Equal(1, consumer.Queue.Counters.Messages);
    }

    [Fact]
    public void Higher_priority_comes_first_and_order_is_kept_inside()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("q");
        foreach ((string body, byte priority) in new[] { ("a4", (byte)4), ("a9", (byte)9), ("b4", (byte)4),
            ("a0", (byte)0), ("b9", (byte)9) })
        {
            actor.Send(producer, body, header => header with { Priority = priority });
        }

        scene.Settle();
        actor.Consume("q");
        Assert.Equal(["a9", "b9", "a4", "b4", "a0"], actor.Take());
    }

    [Fact]
    public void A_selector_takes_only_what_matches_and_leaves_the_rest_in_order()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("q");
        for (int i = 0; i < 10; i++)
        {
            actor.Send(producer, $"m{i}", header => header with { Priority = (byte)(i % 2 == 0 ? 3 : 6) });
        }

        scene.Settle();
        Actor chooser = scene.Connect("chooser");
        chooser.Consume("q", with: options => options with { Selector = "JMSPriority = 3" });
        Assert.Equal(["m0", "m2", "m4", "m6", "m8"], chooser.Take());
        actor.Consume("q");
        Assert.Equal(["m1", "m3", "m5", "m7", "m9"], actor.Take());
    }

    [Fact]
    public void A_bad_selector_is_refused()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("q");
        BrokerException refused = Assert.Throws<BrokerException>(
            () => actor.Client.OpenConsumer(new ConsumerOptions { Queue = "q", Selector = "a = = 1" }));
        Assert.Equal(BrokerError.InvalidField, refused.Error);
    }

    [Fact]
    public void Credit_bounds_deliveries_and_drain_gives_it_back()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("q", "a", "b", "c");
        Consumer consumer = actor.Consume("q", credit: 2);
        Assert.Equal(["a", "b"], actor.Take());
        actor.Client.Grant(consumer, 5);
        actor.Client.Drain(consumer);
        scene.Settle();
        Assert.Equal(["c"], actor.Take());
        Assert.Equal([(consumer, 4)], actor.Drained);
        actor.Send("q", "d");
        Assert.Empty(actor.Take());
    }

    [Fact]
    public void Higher_consumer_priority_gets_everything_while_it_has_credit()
    {
        using Scene scene = new();
        Actor low = scene.Connect("low");
        Actor high = scene.Connect("high");
        low.Queue("q");
        low.Consume("q", credit: 10);
        high.Consume("q", credit: 2, with: options => options with { Priority = 5 });
        low.Send("q", "a", "b", "c");
        Assert.Equal(["a", "b"], high.Take());
        Assert.Equal(["c"], low.Take());
    }

    [Fact]
    public void A_browser_sees_all_and_takes_nothing()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("q", "a", "b");
        Actor browser = scene.Connect("browser");
        browser.Consume("q", with: options => options with { Browse = true });
        Assert.All(browser.Deliveries, delivery => Assert.True(delivery.Browsing));
        Assert.Equal(["a", "b"], browser.Take());
        actor.Consume("q");
        Assert.Equal(["a", "b"], actor.Take());
    }

    [Fact]
    public void No_local_skips_what_the_same_client_published()
    {
        using Scene scene = new();
        Actor actor = scene.Connect("me");
        actor.Queue("q");
        actor.Consume("q", with: options => options with { NoLocal = true });
        actor.Send("q", "mine");
        scene.Connect("other").Send("q", "theirs");
        scene.Settle();
        Assert.Equal(["theirs"], actor.Take());
    }

    [Fact]
    public void What_a_consumer_calls_undeliverable_here_goes_to_another()
    {
        using Scene scene = new();
        Actor left = scene.Connect("left");
        left.Send("q", "a");
        left.Consume("q");
        left.Settle(left.Deliveries[0], new Outcome(OutcomeKind.Modified, UndeliverableHere: true));
        Assert.Single(left.Deliveries);
        Actor right = scene.Connect("right");
        right.Consume("q");
        Assert.Equal(["a"], right.Take());
    }

    [Fact]
    public async Task Purge_removes_what_nobody_holds_for_good()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("q", "a", "b", "c");
        actor.Consume("q", credit: 1);
        Task<long> purge = scene.Broker.Management.PurgeAsync(Identity.Node, "default", "q");
        while (!purge.IsCompleted)
        {
            scene.Settle();
            await Task.Yield();
        }

        Assert.Equal(2, await purge);
        scene.Restart();
        actor = scene.Connect();
        actor.Consume("q");
        Assert.Equal(["a"], actor.Take());
    }

    [Fact]
    public async Task A_paused_queue_takes_but_delivers_nothing_also_after_a_restart()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("q");
        await Pumped(scene, scene.Broker.Management.SetPausedAsync(Identity.Node, "default", "q", paused: true));
        actor.Send("q", "a");
        scene.Restart();
        actor = scene.Connect();
        actor.Consume("q");
        Assert.Empty(actor.Deliveries);
        await Pumped(scene, scene.Broker.Management.SetPausedAsync(Identity.Node, "default", "q", paused: false));
        Assert.Equal(["a"], actor.Take());
    }

    [Fact]
    public void Limits_of_consumers_and_exclusive_use_are_kept()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("one", config => config with { ConsumersMax = 1 });
        actor.Consume("one");
        Assert.Equal(BrokerError.ResourceLimitExceeded,
            Assert.Throws<BrokerException>(() => actor.Consume("one")).Error);
        actor.Queue("mine");
        Consumer exclusive = actor.Consume("mine", with: options => options with { Exclusive = true });
        Assert.Equal(BrokerError.ResourceLocked, Assert.Throws<BrokerException>(() => actor.Consume("mine")).Error);
        actor.Client.CloseConsumer(exclusive, countAttempts: false);
        actor.Consume("mine");
        Assert.Equal(
            BrokerError.ResourceLocked,
            Assert.Throws<BrokerException>(() =>
                actor.Consume("mine", with: options => options with { Exclusive = true })).Error);
    }

    [Fact]
    public void Deleting_a_queue_closes_its_consumers_and_its_messages_are_gone()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Send("q", "a", "b");
        actor.Consume("q", credit: 1);
        actor.Client.DeleteQueue("q", ifUnused: false);
        scene.Settle();
        Assert.Equal([BrokerError.ResourceDeleted], actor.Closed);
        scene.Restart();
        actor = scene.Connect();
        Assert.Null(actor.Client.FindQueue("q"));
        actor.Queue("q");
        actor.Consume("q");
        Assert.Empty(actor.Take());
    }

    [Fact]
    public void Temporary_queues_go_with_their_client()
    {
        using Scene scene = new();
        Actor owner = scene.Connect("owner");
        Actor other = scene.Connect("other");
        owner.Queue("tmp", config => config with { Temporary = true, Durable = false });
        other.Send("tmp", "a");
        Assert.NotNull(other.Client.FindQueue("tmp"));
        owner.Client.Dispose();
        scene.Actors.Remove(owner);
        scene.Settle();
        Assert.Null(other.Client.FindQueue("tmp"));
        Assert.Null(other.Client.FindAddress("tmp"));
    }

    [Fact]
    public void A_queue_that_deletes_itself_goes_when_it_is_empty_and_unused()
    {
        using Scene scene = Scene.With("#", new AddressSettings { AutoDeleteQueues = true, AutoDeleteDelayMs = 100 });
        Actor actor = scene.Connect();
        string queue = actor.Client.ResolveQueue(new AddressName("q", null), null);
        Consumer consumer = actor.Consume(queue);
        scene.Advance(10_000);
        Assert.NotNull(actor.Client.FindQueue("q"));
        actor.Client.CloseConsumer(consumer, countAttempts: false);
        scene.Settle();
        Assert.NotNull(actor.Client.FindQueue("q"));
        for (int i = 0; i < 20; i++)
        {
            scene.Advance(50);
        }

        Assert.Null(actor.Client.FindQueue("q"));
    }

    [Fact]
    public void A_volatile_subscription_goes_with_its_last_consumer()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        actor.Queue("sub", config => config with
        {
            Address = "news",
            RoutingType = RoutingType.Multicast,
            Durable = false,
            DeleteOnNoConsumers = true,
        });
        Consumer consumer = actor.Consume("sub");
        actor.Send("news", "a");
        Assert.Equal(["a"], actor.Take());
        actor.Client.CloseConsumer(consumer, countAttempts: false);
        scene.Settle();
        Assert.Null(actor.Client.FindQueue("sub"));
    }

    private static async Task Pumped(Scene scene, Task task)
    {
        while (!task.IsCompleted)
        {
            scene.Settle();
            await Task.Yield();
        }

        await task;
        scene.Settle();
    }
}
