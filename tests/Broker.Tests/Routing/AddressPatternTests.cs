using Pillarbox.Broker.Routing;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Routing;

public sealed class AddressPatternTests
{
    [Theory]
    [InlineData("a", "a", true)]
    [InlineData("a", "b", false)]
    [InlineData("a.b", "a", false)]
    [InlineData("*", "a", true)]
    [InlineData("*", "a.b", false)]
    [InlineData("*", "", true)]
    [InlineData("#", "", true)]
    [InlineData("#", "a.b.c", true)]
    [InlineData("news.#", "news", true)]
    [InlineData("news.#", "news.a.b", true)]
    [InlineData("news.#", "newsletter", false)]
    [InlineData("news.*", "news", false)]
    [InlineData("news.*", "news.a", true)]
    [InlineData("news.*", "news.a.b", false)]
    [InlineData("*.b.#", "a.b", true)]
    [InlineData("#.b", "b", true)]
    [InlineData("#.b", "a.a.b", true)]
    [InlineData("#.b", "a.a.b.c", false)]
    [InlineData("#.a.#.a.#", "x.a.y.a.z", true)]
    [InlineData("#.a.#.a.#", "x.a.y", false)]
    [InlineData("a..b", "a..b", true)]
    [InlineData("a.*.b", "a..b", true)]
    [InlineData("a.b*", "a.bc", false)]
    public void A_pattern_matches_whole_words(string pattern, string name, bool matches) =>
        Assert.Equal(matches, AddressPattern.Matches(pattern, name));

    [Fact]
    public void Matching_agrees_with_the_plain_recursive_definition()
    {
        SeededRandom random = Seeds.New(out string seed);
        for (int round = 0; round < 20_000; round++)
        {
            string pattern = Names.RandomPattern(random, 6);
            string name = Names.RandomName(random, 6);
            bool expected = Names.Matches(pattern, name);
            Assert.True(expected == AddressPattern.Matches(pattern, name), $"{pattern} {name} {seed}");
        }
    }

    [Fact]
    public void Covering_is_never_claimed_wrongly_and_overlapping_is_exact()
    {
        SeededRandom random = Seeds.New(out string seed);
        string[] names = [.. Names.All(5)];
        int covers = 0;
        for (int round = 0; round < 3000; round++)
        {
            string one = Names.RandomPattern(random, 3);
            string other = Names.RandomPattern(random, 3);
            bool overlap = names.Any(n => Names.Matches(one, n) && Names.Matches(other, n));
            bool inside = names.All(n => !Names.Matches(other, n) || Names.Matches(one, n));
            Assert.True(overlap == AddressPattern.Overlaps(one, other), $"overlap {one} {other} {seed}");
            Assert.True(inside || !AddressPattern.Covers(one, other), $"cover {one} {other} {seed}");
            covers += AddressPattern.Covers(one, other) ? 1 : 0;
        }

        Assert.True(covers > 100, seed);
    }

    [Theory]
    [InlineData("#", "news.#")]
    [InlineData("news.#", "news.*")]
    [InlineData("news.*", "news.*")]
    [InlineData("news.#", "news.#")]
    [InlineData("*.b", "a.b")]
    [InlineData("a.#", "a.*.#.b")]
    public void The_usual_covers_are_found(string outer, string inner) =>
        Assert.True(AddressPattern.Covers(outer, inner));

    [Theory]
    [InlineData("#", "*")]
    [InlineData("#", "a.#")]
    [InlineData("a.#", "a.*")]
    [InlineData("a.*", "a.b")]
    [InlineData("a.#", "a.b.#")]
    [InlineData("a.b.#", "a.b")]
    [InlineData("*.b", "a.*")]
    [InlineData("a.#", "a.#.b")]
    public void The_more_specific_pattern_is_greater(string general, string specific)
    {
        Assert.True(AddressPattern.CompareSpecificity(general, specific) < 0);
        Assert.True(AddressPattern.CompareSpecificity(specific, general) > 0);
        Assert.Equal(0, AddressPattern.CompareSpecificity(general, general));
    }

    [Fact]
    public void Bad_patterns_are_named()
    {
        Assert.Null(AddressPattern.Check("news.#"));
        Assert.Contains("empty", AddressPattern.Check(""), StringComparison.Ordinal);
        Assert.Contains("control", AddressPattern.Check("a\nb"), StringComparison.Ordinal);
        string tooLong = string.Join('.', Enumerable.Repeat("*", AddressPattern.WordsMax + 1));
        Assert.Contains("words", AddressPattern.Check(tooLong), StringComparison.Ordinal);
        Assert.Null(AddressPattern.Check(string.Join('.', Enumerable.Repeat("a", 200))));
    }
}
