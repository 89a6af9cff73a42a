using Pillarbox.Router.Addresses;

namespace Pillarbox.Router.Tests.Addresses;

public sealed class AddressPatternTests
{
    [Theory]
    [InlineData("a.b", "a.b", true)]
    [InlineData("a.b", "a/b", true)]
    [InlineData("a.b", "a", false)]
    [InlineData("a.*", "a.b", true)]
    [InlineData("a.*", "a", false)]
    [InlineData("a.*", "a.b.c", false)]
    [InlineData("a.#", "a", true)]
    [InlineData("a.#", "a.b.c", true)]
    [InlineData("#", "a.b", true)]
    [InlineData("#.c", "a.b.c", true)]
    [InlineData("#.c", "a.b.d", false)]
    [InlineData("a.#.c.#", "a.b.c.c", true)]
    [InlineData("a.#.*", "a", false)]
    [InlineData("a.#.*.#", "a.b", true)]
    public void Matches_by_tokens(string pattern, string address, bool expected) =>
        Assert.Equal(expected, AddressPattern.Parse(pattern).Matches(AddressPattern.TokensOf(address)));

    // Patterns come from peers: neither their time nor their depth may grow beyond the product of the lengths.
    [Fact]
    public void Many_wildcards_cost_neither_time_nor_stack()
    {
        string[] address = [.. Enumerable.Repeat("a", 900)];
        string many = string.Concat(Enumerable.Repeat("#.a.", 200)) + "b";
        Assert.False(AddressPattern.Parse(many).Matches(address));
        string deep = string.Concat(Enumerable.Repeat("#.", 500_000)) + "#";
        Assert.True(AddressPattern.Parse(deep).Matches(address));
    }
}
