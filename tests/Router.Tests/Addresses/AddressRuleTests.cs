using Pillarbox.Router.Addresses;
using Pillarbox.Router.Brokers;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Tests.Addresses;

/// <summary>What an address says, and which rule counts for it.</summary>
public sealed class AddressRuleTests
{
    [Theory]
    [InlineData("orders", RouteAddressClass.Mobile, "orders", null)]
    [InlineData("/orders/", RouteAddressClass.Mobile, "orders", null)]
    [InlineData("amqp://host:5672/orders.", RouteAddressClass.Mobile, "orders", null)]
    [InlineData("amqp:/orders", RouteAddressClass.Mobile, "orders", null)]
    [InlineData("amqp:/_topo/0/A/temp.x", RouteAddressClass.Topological, "temp.x", "A")]
    [InlineData("_topo/0/all/x/y", RouteAddressClass.Topological, "x/y", "all")]
    [InlineData("amqp:/_local/x", RouteAddressClass.Local, "x", null)]
    [InlineData("_edge/E1/temp.x", RouteAddressClass.Edge, "temp.x", "E1")]
    public void Address_is_read(string text, object expected, string name, string? router)
    {
        Assert.True(RouteAddress.TryParse(text, out RouteAddress address));
        Assert.Equal(new RouteAddress((RouteAddressClass)expected, name, router), address);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("amqp://host")]
    [InlineData("_topo/0/A")]
    [InlineData("_topo//A/x")]
    [InlineData("_edge/x")]
    public void What_names_no_place_is_none(string text) => Assert.False(RouteAddress.TryParse(text, out _));

    [Theory]
    [InlineData("a", "a/#")]
    [InlineData("a.b", "a.b")]
    [InlineData("a/b", "a.b")]
    [InlineData("a.c", "a.*")]
    [InlineData("a.c.d", "a/#")]
    [InlineData("/a.b", "a.b")]
    [InlineData("x.y.end", "#.end")]
    [InlineData("other", null)]
    public void Most_specific_rule_counts(string address, string? expected)
    {
        string[] patterns = ["a/#", "a.*", "a.b", "#.end"];
        var rules = new AddressRules(
            patterns.Select(pattern => new AddressRule { Pattern = pattern }), AddressTreatment.Balanced);

        AddressRule found = rules.For(address);

        Assert.Equal(expected is null, rules.IsDefault(found));
        Assert.Equal(expected ?? "#", found.Pattern);
    }

    [Fact]
    public void Mark_of_a_brokers_address_is_told_from_an_address()
    {
        var mark = new BrokerMark("orders", IsMulticast: true);

        Assert.True(BrokerMark.TryParse(mark.Key, out BrokerMark read));
        Assert.Equal(mark, read);
        Assert.False(BrokerMark.TryParse("M0orders", out _));
    }
}
