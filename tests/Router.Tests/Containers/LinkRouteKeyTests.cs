using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Router.Containers;

namespace Pillarbox.Router.Tests.Containers;

/// <summary>Link routes as routers tell them each other, and which one an address has.</summary>
public sealed class LinkRouteKeyTests
{
    [Theory]
    [InlineData("a.b", true, true, "Ca.b")]
    [InlineData("a.b.", true, false, "Da.b")]
    [InlineData("$coordinator", true, true, "C$coordinator")]
    [InlineData("a/b/#", false, true, "Ca/b")]
    [InlineData("a.*.b", false, true, "Ea.*.b")]
    [InlineData("a.#.b", false, false, "Fa.#.b")]
    [InlineData("a.b", false, false, "Fa.b")]
    [InlineData("#", false, true, "E#")]
    [InlineData("#", false, false, "F#")]
    [InlineData("/", true, true, "E#")]
    public void Key_says_the_class_and_the_addresses(string text, bool isPrefix, bool isForSenders, string key)
    {
        Assert.Equal(key, LinkRouteKey.Of(text, isPrefix, isForSenders));
        Assert.Equal(isForSenders, LinkRouteKey.IsForSenders(key));
    }

    [Fact]
    public void Most_specific_of_own_and_other_routers_entries_counts()
    {
        var table = new LinkRouteTable();
        table.OnRemote("Ca", isThere: true);
        table.OnRemote("Ea.*.c", isThere: true);
        table.Add(new LinkRouteRule
        {
            Name = "own",
            Prefix = "a.b",
            IsForSenders = true,
            For = new ContainerRule("x", null),
        });

        Assert.Equal("Ca.b", table.Find("a.b.c", isForSenders: true)?.Key);
        Assert.Equal("Ea.*.c", table.Find("a.x.c", isForSenders: true)?.Key);
        Assert.Equal("Ca", table.Find("a/d", isForSenders: true)?.Key);
        Assert.Equal("Ca", table.Find("a", isForSenders: true)?.Key);
        Assert.Null(table.Find("ab", isForSenders: true));
        Assert.Null(table.Find("a.b.c", isForSenders: false));
        table.OnRemote("Ca", isThere: false);
        Assert.Null(table.Find("a", isForSenders: true));
        Assert.True(table.Any);
    }

    [Theory]
    [InlineData("qd.waypoint", true, 1)]
    [InlineData("qd.waypoint", false, 0)]
    [InlineData("qd.waypoint.3", true, 3)]
    [InlineData("qd.waypoint.3", false, 2)]
    [InlineData("qd.fallback", true, 0)]
    [InlineData("qd.fallback", false, 'F' - '0')]
    public void Capability_says_the_place(string capability, bool toSend, int phase) =>
        Assert.Equal(phase, RoutePlace.Of(["other", capability], toSend)?.Phase);

    [Theory]
    [InlineData("qd.waypoint.0")]
    [InlineData("qd.waypoint.10")]
    [InlineData("qd.waypoints")]
    public void Other_capabilities_say_none(string capability) => Assert.Null(RoutePlace.Of([capability], true));

    [Theory]
    [InlineData("in.q", "in.", "b.", "b.q")]
    [InlineData("q", "in.", null, "q")]
    [InlineData("q", null, "b.", "b.q")]
    public void Address_is_changed_and_back(string address, string? removed, string? added, string expected)
    {
        var way = new LinkRouteWay(null) { Removed = removed, Added = added };
        Assert.Equal(expected, way.ToContainer(address));
    }
}
