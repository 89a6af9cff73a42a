using Pillarbox.Protocols.Amqp.Policy;
using Pillarbox.Protocols.Amqp.Routed;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Routed;

public sealed class TokenPatternTests
{
    [Theory]
    [InlineData("a.b", "a.b", true)]
    [InlineData("a.b", "a/b", true)]
    [InlineData("/a.b", "a.b", true)]
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
    public void Matches_by_tokens(string pattern, string name, bool expected) =>
        Assert.Equal(expected, TokenPattern.Parse(pattern).Matches(TokenPattern.TokensOf(name)));

    // A user may be called "#": that gives him nobody else's addresses.
    [Theory]
    [InlineData("ann", "of.ann.in", true)]
    [InlineData("ann", "of.bob.in", false)]
    [InlineData("a.b", "of.a.b.in", true)]
    [InlineData("#", "of.bob.in", false)]
    [InlineData("*", "of.bob.in", false)]
    [InlineData("*", "of.*.in", true)]
    public void What_a_word_stands_for_is_no_wildcard(string user, string name, bool expected)
    {
        var words = new PolicyWords(user, "");
        TokenPattern pattern = TokenPattern.Parse("of.${user}.*", words.Of);
        Assert.Equal(expected, pattern.Matches(TokenPattern.TokensOf(name)));
    }

    [Fact]
    public void The_more_specific_comes_first()
    {
        string[] sorted = ["a.b.c", "a.b", "a.*", "a.#", "*.b", "#"];
        TokenPattern[] patterns = [.. sorted.Select(TokenPattern.Parse)];
        for (int i = 1; i < patterns.Length; i++)
        {
            Assert.True(TokenPattern.Compare(patterns[i - 1], patterns[i]) < 0, sorted[i]);
            Assert.True(TokenPattern.Compare(patterns[i], patterns[i - 1]) > 0, sorted[i]);
        }
    }

    // Patterns come from peers: neither their time nor their depth may grow beyond the product of the lengths.
    [Fact]
    public void Many_wildcards_cost_neither_time_nor_stack()
    {
        string[] name = [.. Enumerable.Repeat("a", 900)];
        string many = string.Concat(Enumerable.Repeat("#.a.", 200)) + "b";
        Assert.False(TokenPattern.Parse(many).Matches(name));
        string deep = string.Concat(Enumerable.Repeat("#.", 500_000)) + "#";
        Assert.True(TokenPattern.Parse(deep).Matches(name));
    }
}
