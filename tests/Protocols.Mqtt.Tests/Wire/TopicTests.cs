using System.Text;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Wire;

/// <summary>Topics, filters, and what they are to the other protocols (MQTT 5.0 §4.7).</summary>
public sealed class TopicTests
{
    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/+", "a/b", true)]
    [InlineData("a/+", "a", false)]
    [InlineData("a/+", "a/", true)]
    [InlineData("a/+", "a/b/c", false)]
    [InlineData("+", "/a", false)]
    [InlineData("+/+", "/a", true)]
    [InlineData("/+", "/a", true)]
    [InlineData("#", "a/b/c", true)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/b/c", true)]
    [InlineData("a/#", "ab", false)]
    [InlineData("a/+/c", "a/b/c", true)]
    [InlineData("a/+/c", "a/b/d", false)]
    [InlineData("a/+/#", "a", false)]
    [InlineData("a/+/#", "a/b", true)]
    [InlineData("#", "$SYS/x", false)]
    [InlineData("+/x", "$SYS/x", false)]
    [InlineData("$SYS/#", "$SYS/x", true)]
    [InlineData("a//b", "a//b", true)]
    [InlineData("a/b", "a/b/", false)]
    public void A_filter_matches_as_the_specification_says(string filter, string topic, bool matches) =>
        Assert.Equal(matches, TopicText.Matches(Utf8(filter), Utf8(topic)));

    [Theory]
    [InlineData("a", true)]
    [InlineData("#", true)]
    [InlineData("+", true)]
    [InlineData("a/+/b/#", true)]
    [InlineData("", false)]
    [InlineData("a#", false)]
    [InlineData("a/#/b", false)]
    [InlineData("a+/b", false)]
    public void A_filter_is_one_or_is_not(string text, bool isFilter) =>
        Assert.Equal(isFilter, TopicText.IsFilter(Utf8(text)));

    [Theory]
    [InlineData("$share/g/a/b", "g", "a/b")]
    [InlineData("$share/g/#", "g", "#")]
    [InlineData("$share/g/", null, null)]
    [InlineData("$share/g", null, null)]
    [InlineData("$share//a", null, null)]
    [InlineData("$share/+/a", null, null)]
    public void A_shared_subscription_names_its_group(string text, string? group, string? filter)
    {
        bool isShared = TopicText.TryShared(Utf8(text), out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> rest);
        Assert.Equal(group is not null, isShared);
        if (isShared)
        {
            Assert.Equal((group, filter), (Encoding.UTF8.GetString(name), Encoding.UTF8.GetString(rest)));
        }
    }

    [Theory]
    [InlineData("a/b", "a.b")]
    [InlineData("a.b/c", "a%2Eb.c")]
    [InlineData("a/*/c", "a.%2A.c")]
    [InlineData("100%", "100%25")]
    [InlineData("a::b", "a:%3Ab")]
    [InlineData("/a//b/", ".a..b.")]
    [InlineData("a%2Fb", "a/b")]
    [InlineData("%23", "#")]
    public void A_topic_becomes_an_address_and_that_the_topic_again(string topic, string address)
    {
        Assert.Equal(address, TopicNames.ToAddress(Utf8(topic)));
        Assert.Equal(topic, Encoding.UTF8.GetString(TopicNames.ToTopic(Utf8(address))));
    }

    [Fact]
    public void No_two_topics_become_one_address()
    {
        var random = new Random(Seeds.Next());
        const string Characters = "a/.%*:2AEF5B3é";
        var seen = new Dictionary<string, string>();
        for (int i = 0; i < 100_000; i++)
        {
            string topic = string.Concat(Enumerable.Range(0, random.Next(1, 9))
                .Select(_ => Characters[random.Next(Characters.Length)]));
            string address = TopicNames.ToAddress(Utf8(topic));
            Assert.Equal(topic, Encoding.UTF8.GetString(TopicNames.ToTopic(Utf8(address))));
            Assert.Equal(topic, seen.GetValueOrDefault(address, topic));
            seen[address] = topic;
        }
    }

    [Theory]
    [InlineData("a/+/c", "a.*.c")]
    [InlineData("#", "#")]
    [InlineData("a.b/*/#", "a%2Eb.%2A.#")]
    public void A_filter_becomes_an_address_pattern(string filter, string pattern) =>
        Assert.Equal(pattern, TopicNames.ToPattern(Utf8(filter)));

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
