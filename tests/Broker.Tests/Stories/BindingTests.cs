using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Security;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

/// <summary>Subscriptions: queues that take what is published to the patterns that they are bound to.</summary>
public sealed class BindingTests
{
    [Fact]
    public void A_subscription_takes_what_its_patterns_match_once_and_makes_no_addresses()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Subscribe(actor, "s", "news.*", "news.#", "sports.eu");
        Producer relay = Relay(actor);
        foreach (string to in new[] { "news.eu", "sports.eu", "sports.us", "news.eu.north" })
        {
            actor.Send(relay, to, to: to);
        }

        scene.Settle();
        actor.Consume("s");
        Assert.Equal(["news.eu", "sports.eu", "news.eu.north"], actor.Take());
        Assert.Null(actor.Client.FindAddress("news.eu"));
        Assert.Null(actor.Client.FindAddress("news.*"));
    }

    [Fact]
    public void What_is_bound_later_is_found_by_those_who_published_before()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Producer relay = Relay(actor);
        actor.Queue("there", config => config with { Address = "a.b", RoutingType = RoutingType.Multicast });
        Producer direct = actor.Producer("a.b");
        actor.Send(relay, "nobody", to: "x.y");
        actor.Send(direct, "one");
        Subscribe(actor, "s", "a.#", "x.y");
        actor.Send(relay, "two", to: "x.y");
        actor.Send(direct, "three");
        scene.Settle();
        actor.Client.Unbind("s", "x.y");
        actor.Send(relay, "four", to: "x.y");
        scene.Settle();
        actor.Consume("s");
        Assert.Equal(["two", "three"], actor.Take());
        actor.Consume("there");
        Assert.Equal(["one", "three"], actor.Take());
    }

    [Fact]
    public async Task Bindings_of_a_durable_subscription_outlive_crashes_and_snapshots()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Subscribe(actor, "s", "a.#", "b.*");
        actor.Client.Unbind("s", "b.*");
        actor.Client.Bind("s", "c");
        Crash(scene);
        actor = scene.Connect();
        Send(actor, "a.x", "b.x", "c");
        scene.Settle();
        await scene.Broker.Management.GetNodeAsync();
        scene.Restart();
        scene.Restart();
        actor = scene.Connect();
        Send(actor, "b.y", "a.y");
        scene.Settle();
        actor.Consume("s");
        Assert.Equal(["a.x", "c", "a.y"], actor.Take());
    }

    [Fact]
    public void A_snapshot_holds_the_bindings()
    {
        using Scene scene = new(options => options with { SnapshotBytesMin = 1 << 10, SegmentBytes = 64 << 10 });
        Actor actor = scene.Connect();
        Subscribe(actor, "s", [.. Enumerable.Range(0, 1500).Select(i => $"many.{i}")]);
        actor.Client.Unbind("s", "many.7");
        for (int round = 0; round < 10; round++)
        {
            actor.Send("other", [.. Enumerable.Range(0, 50).Select(_ => new string('x', 500))]);
            scene.Advance(1000);
        }

        Crash(scene);
        actor = scene.Connect();
        Send(actor, "many.0", "many.7", "many.1499");
        scene.Settle();
        actor.Consume("s");
        Assert.Equal(["many.0", "many.1499"], actor.Take());
    }

    [Fact]
    public void A_private_queue_is_its_owners_alone_and_needs_no_permission()
    {
        var roles = new Dictionary<string, IReadOnlyDictionary<string, Permission>>
        {
            ["open.#"] = new Dictionary<string, Permission>
            {
                ["client"] = Permission.Send | Permission.Consume,
            },
            ["#"] = new Dictionary<string, Permission> { ["admin"] = (Permission)4095 },
        };
        using Scene scene = new(options => options with
        {
            Security = new SecurityConfig { Permissions = roles },
        });
        Actor ann = scene.Connect("ann", who: new Identity("ann", ["client"], IsAnonymous: false));
        Actor bob = scene.Connect("bob", who: new Identity("bob", ["admin"], IsAnonymous: false));
        Subscribe(ann, "s", "open.*");
        Assert.Equal(BrokerError.Unauthorized, Refusal(() => ann.Client.Bind("s", "closed")));
        Assert.Equal(BrokerError.Unauthorized, Refusal(() => ann.Client.Bind("s", "#")));
        Assert.Equal(BrokerError.Unauthorized, Refusal(() => bob.Client.Bind("s", "closed")));
        Assert.Equal(BrokerError.Unauthorized, Refusal(() => bob.Consume("s")));
        Assert.Equal(BrokerError.Unauthorized, Refusal(() => bob.Client.DeleteQueue("s", ifUnused: false)));
        ann.Consume("s");
        ann.Client.DeleteQueue("s", ifUnused: false);
        Assert.Null(ann.Client.FindQueue("s"));
    }

    [Fact]
    public void What_is_not_durable_is_dropped_beyond_the_bound()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Subscribe(actor, "s", "a");
        Producer relay = Relay(actor);
        for (int i = 0; i < 5; i++)
        {
            actor.Send(relay, $"t{i}", header => header with { Durable = false }, to: "a");
        }

        actor.Send(relay, "kept", to: "a");
        scene.Settle();
        actor.Consume("s");
        Assert.Equal(["t0", "t1", "t2", "kept"], actor.Take());
    }

    [Fact]
    public void An_expired_message_of_a_subscription_goes_nowhere()
    {
        using Scene scene = new();
        Actor actor = scene.Connect();
        Subscribe(actor, "s", "a");
        actor.Send(Relay(actor), "late", header => header with { ExpiresAtMs = scene.Clock.NowMs + 10 }, to: "a");
        scene.Settle();
        scene.Advance(1000);
        actor.Consume("s");
        Assert.Empty(actor.Take());
        Assert.Null(actor.Client.FindQueue("ExpiryQueue"));
    }

    private static void Crash(Scene scene)
    {
        scene.Settle();
        scene.Crash();
    }

    // What is sent to it counts as its own from then on.
    [Fact]
    public async Task An_address_that_was_none_when_it_was_first_sent_to_is_one_once_it_is_made()
    {
        using var scene = new Scene();
        Actor actor = scene.Connect();
        Producer relay = Relay(actor);
        actor.Send(relay, "none", to: "orders");
        actor.Client.CreateQueue(new QueueConfig { Name = "orders", Address = "orders" });
        actor.Send(relay, "first", to: "orders");
        actor.Send(relay, "second", to: "orders");
        scene.Settle();
        Assert.Equal(2, actor.Consume("orders").Queue.Counters.Messages);
        AddressView shown = Assert.Single(await scene.Broker.Management.ListAddressesAsync(Identity.Node, "default"));
        Assert.Equal(("orders", 2), (shown.Name, shown.RoutedTotal));
    }

    private static void Send(Actor actor, params string[] addresses)
    {
        Producer relay = Relay(actor);
        foreach (string to in addresses)
        {
            actor.Send(relay, to, to: to);
        }
    }

    private static Producer Relay(Actor actor) =>
        actor.Client.OpenProducer(new ProducerOptions { MakesNoAddress = true });

    private static void Subscribe(Actor actor, string queue, params string[] patterns)
    {
        actor.Client.CreateQueue(new QueueConfig
        {
            Name = queue,
            Address = "$subscriptions",
            RoutingType = RoutingType.Multicast,
            IsSubscription = true,
            IsPrivate = true,
            TransientMax = 3,
        });
        foreach (string pattern in patterns)
        {
            actor.Client.Bind(queue, pattern);
        }
    }

    private static BrokerError Refusal(Action what) => Assert.Throws<BrokerException>(what).Error;
}
