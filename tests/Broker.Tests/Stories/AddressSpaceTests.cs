using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Security;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests;

/// <summary>Tenants: names in one mean nothing in another.</summary>
public sealed class AddressSpaceTests
{
    private static readonly Identity Blue = new("bert", ["users"], IsAnonymous: false) { AddressSpace = "blue" };

    [Theory]
    [InlineData("clean")]
    [InlineData("crash")]
    public async Task The_same_name_in_two_spaces_is_two_queues_also_after_a_restart(string stop)
    {
        using Scene scene = Spaced();
        Actor blue = scene.Connect("one", "blue");
        Actor plain = scene.Connect("two");
        blue.Send("q", "from blue");
        plain.Send("q", "from default");
        if (stop == "clean")
        {
            scene.Restart();
        }
        else
        {
            scene.Crash();
        }

        blue = scene.Connect("one", "blue");
        plain = scene.Connect("two");
        plain.Consume("q");
        blue.Consume("q");
        Assert.Equal(["from default"], plain.Take());
        Assert.Equal(["from blue"], blue.Take());
        QueueView view = Assert.Single(await scene.Broker.Management.ListQueuesAsync(Identity.Node, "blue"));
        Assert.Equal("blue", view.AddressSpace);
    }

    [Fact]
    public void Topics_wildcards_and_dead_letters_stay_in_their_space()
    {
        using Scene scene = Spaced();
        Actor blue = scene.Connect("one", "blue");
        Actor plain = scene.Connect("two");
        foreach (Actor actor in new[] { blue, plain })
        {
            actor.Queue("all", queue => queue with { Address = "#", RoutingType = RoutingType.Multicast });
        }

        blue.Send("news", "secret");
        plain.Consume("all");
        Assert.Empty(plain.Deliveries);
        blue.Consume("all");
        blue.Settle(blue.Deliveries[0], new Outcome(OutcomeKind.Rejected));
        Assert.Null(plain.Client.FindQueue("DLQ"));
        Assert.NotNull(blue.Client.FindQueue("DLQ"));
    }

    [Fact]
    public void A_user_of_one_space_does_not_come_into_another()
    {
        using Scene scene = Spaced();
        Assert.Equal(BrokerError.Unauthorized, ErrorOf(() => scene.Connect("c", "default", Blue)));
        Assert.Equal(BrokerError.NotFound, ErrorOf(() => scene.Connect("c", "nowhere")));
        scene.Connect("c", "blue", Blue);
    }

    [Fact]
    public async Task Permissions_and_settings_of_a_space_count_there_only()
    {
        using Scene scene = Spaced(secure: true);
        Identity user = new("ute", ["users"], IsAnonymous: false);
        Actor blue = scene.Connect("c", "blue", user);
        blue.Send("work.a", "may");
        Assert.Equal(RoutingType.Multicast, blue.Client.RoutingTypeOf("work.b"));
        Actor plain = scene.Connect("d", "default", user);
        Assert.Equal(BrokerError.Unauthorized, ErrorOf(() => plain.Producer("work.a")));
        Assert.Equal(RoutingType.Anycast, plain.Client.RoutingTypeOf("work.b"));
        BrokerManagement management = scene.Broker.Management;
        Assert.Empty(await management.ListAddressesAsync(Blue, "default"));
        Assert.Single(await management.ListAddressesAsync(Blue, "blue"));
        Assert.Equal(["blue"], management.ListSpaces(Blue));
        Assert.All(await management.ListConnectionsAsync(Blue), view => Assert.Equal("blue", view.AddressSpace));
    }

    [Fact]
    public void A_space_that_is_no_longer_configured_keeps_its_queues_apart()
    {
        using Scene scene = Spaced();
        scene.Connect("one", "blue").Send("q", "blue");
        scene.Configure(options => options with
        {
            AddressSpaces = new Dictionary<string, AddressSpaceOptions>(),
        });
        scene.Restart();
        Assert.Null(scene.Connect("two").Client.FindQueue("q"));
        scene.Configure(options => options with
        {
            AddressSpaces = new Dictionary<string, AddressSpaceOptions> { ["blue"] = new() },
        });
        scene.Restart();
        Actor blue = scene.Connect("one", "blue");
        blue.Consume("q");
        Assert.Equal(["blue"], blue.Take());
    }

    [Fact]
    public void Permissions_of_a_space_hold_too_when_the_node_is_secured_later()
    {
        using Scene scene = Spaced(secure: true, later: true);
        Identity user = new("ute", ["users"], IsAnonymous: false);
        Identity other = new("eva", ["others"], IsAnonymous: false);
        scene.Connect("c", "blue", other).Producer("work.a");
        scene.Broker.Secure(new SecurityConfig());
        scene.Connect("c", "blue", user).Producer("work.a");
        Actor eva = scene.Connect("d", "blue", other);
        Assert.Equal(BrokerError.Unauthorized, ErrorOf(() => eva.Producer("work.a")));
    }

    private static BrokerError ErrorOf(Action action) => Assert.Throws<BrokerException>(action).Error;

    private static Scene Spaced(bool secure = false, bool later = false)
    {
        const Permission Work = Permission.Send | Permission.View | Permission.CreateAddress
            | Permission.CreateDurableQueue;
        SecurityConfig own = new()
        {
            Permissions = new Dictionary<string, IReadOnlyDictionary<string, Permission>>
            {
                ["#"] = new Dictionary<string, Permission> { ["users"] = Work },
            },
        };
        AddressSpaceOptions blue = new()
        {
            Security = secure ? own : null,
            AddressSettings = new Dictionary<string, AddressSettings>
            {
                ["work.#"] = new() { DefaultRoutingType = RoutingType.Multicast },
            },
        };
        return new Scene(options => options with
        {
            AddressSpaces = new Dictionary<string, AddressSpaceOptions> { ["blue"] = blue },
            Security = secure && !later ? new SecurityConfig() : null,
        });
    }
}
