using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Peers;

namespace Pillarbox.Router.Tests.Peers;

/// <summary>Places to connect to: whose turn it is, and what peers say of further ones.</summary>
public sealed class FailoverTests
{
    [Fact]
    public void Places_are_tried_in_turn()
    {
        var targets = new FailoverTargets([Target("a"), Target("b")], adopt: null);
        Assert.Equal("a b a", Turns(targets, 3));
    }

    [Fact]
    public void What_a_peer_names_comes_behind_what_is_configured_and_replaces_what_was_named_before()
    {
        var targets = new FailoverTargets([Target("a")], Adopt);
        targets.OnEnd([Server("x"), Server("y"), Server("refused"), Server("x")]);
        Assert.Equal(["a", "x", "y"], targets.Texts);
        Assert.Equal("x", targets.Current.Text);

        targets.OnEnd([Server("z")]);
        Assert.Equal(["a", "x", "z"], targets.Texts);
        Assert.Equal("z", targets.Current.Text);
    }

    [Fact]
    public void An_empty_list_clears_and_none_leaves()
    {
        var targets = new FailoverTargets([Target("a")], Adopt);
        targets.OnEnd([Server("x")]);
        targets.OnEnd(null);
        Assert.Equal(["a", "x"], targets.Texts);
        targets.OnEnd([]);
        Assert.Equal(["a"], targets.Texts);
        Assert.Equal("a", targets.Current.Text);
    }

    [Fact]
    public void A_long_list_is_cut()
    {
        var targets = new FailoverTargets([Target("a")], Adopt);
        targets.OnEnd([.. Enumerable.Range(0, 1000).Select(i => Server($"{i}"))]);
        Assert.Equal(1 + FailoverTargets.NamedMax, targets.Count);
    }

    [Fact]
    public void Without_a_way_to_adopt_nothing_is_listened_to()
    {
        var targets = new FailoverTargets([Target("a")], adopt: null);
        targets.OnEnd([Server("x")]);
        Assert.Equal(["a"], targets.Texts);
    }

    [Fact]
    public void A_listeners_open_names_its_places_and_what_the_operator_adds()
    {
        using var node = new AmqpScene();
        AmqpPeer peer = node.Connect(new ConnectionPlan(ConnectionRole.Normal, IsInitiator: false)
        {
            Failover = [new FailoverServer("other", 5671, "amqps", null), new FailoverServer("third", null, null, "h")],
            OpenProperties = new Dictionary<string, string> { ["site"] = "north" },
        });
        peer.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(Steps.Open)]);
        AmqpMap properties = peer.Next(Open.DescriptorCode).AsOpen().Properties!;
        Assert.True(properties.TryGet("failover-server-list", out AmqpValue list));
        Assert.Equal(
            "[{network-host: other, port: 5671, scheme: amqps}, {network-host: third, hostname: h}]", list.ToString());
        Assert.True(properties.TryGet("site", out AmqpValue site));
        Assert.Equal("north", site.AsText());
    }

    private static string Turns(FailoverTargets targets, int count)
    {
        var turns = new List<string>();
        for (int i = 0; i < count; i++)
        {
            turns.Add(targets.Current.Text);
            targets.OnEnd(null);
        }

        return string.Join(' ', turns);
    }

    private static FailoverServer Server(string host) => new(host, null, null, null);

    private static ConnectorTarget? Adopt(FailoverServer server) =>
        server.Host == "refused" ? null : Target(server.Host);

    private static ConnectorTarget Target(string text) =>
        new(text, _ => throw new InvalidOperationException("nobody dials in this test"));
}
