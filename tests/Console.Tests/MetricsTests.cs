using System.Text.RegularExpressions;
using Xunit;

namespace Pillarbox.ConsoleApi.Tests;

/// <summary>The output against the grammar of the text format, version 0.0.4.</summary>
public sealed partial class MetricsTests
{
    [Fact]
    public async Task The_text_is_valid_with_the_strangest_names()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        await node.CreateAsync("plain");
        await node.CreateAsync("quote\"back\\slash");
        await node.CreateAsync("zürich");
        string text = await node.Http.GetStringAsync("/metrics");
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Check(text);
        Assert.Contains(
            "pillarbox_queue_messages{address_space=\"default\",address=\"plain\",queue=\"plain\"} 0\n",
            text, StringComparison.Ordinal);
        Assert.Contains("queue=\"quote\\\"back\\\\slash\"", text, StringComparison.Ordinal);
        Assert.Contains("artemis_message_count{", text, StringComparison.Ordinal);
        Assert.Contains("pillarbox_queues 3\n", text, StringComparison.Ordinal);
        Assert.Contains(
            "pillarbox_quota_throttled_total{address_space=\"default\",quota=\"producer_byte_rate\"} 0\n",
            text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_media_type_names_the_version()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        using HttpResponseMessage response = await node.Http.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
    }

    [Theory]
    [InlineData("a\nb", "x=\"a\\nb\"")]
    [InlineData("a\\b", "x=\"a\\\\b\"")]
    [InlineData("a\"b", "x=\"a\\\"b\"")]
    public void Labels_are_escaped(string value, string expected) =>
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(MetricsText.Label(("x", value))));

    // Each name once: HELP, TYPE, then all its samples; no sample twice; counters end with _total.
    private static void Check(string text)
    {
        var names = new HashSet<string>();
        var samples = new HashSet<string>();
        string current = "";
        foreach (string line in text.TrimEnd('\n').Split('\n'))
        {
            if (Help().Match(line) is { Success: true } help)
            {
                current = help.Groups[1].Value;
                Assert.True(names.Add(current), $"{current} comes twice");
            }
            else if (Type().Match(line) is { Success: true } type)
            {
                Assert.Equal(current, type.Groups[1].Value);
                Assert.Equal(type.Groups[2].Value == "counter", current.EndsWith("_total", StringComparison.Ordinal));
            }
            else
            {
                Match sample = Sample().Match(line);
                Assert.True(sample.Success, $"no line of the format: {line}");
                Assert.Equal(current, sample.Groups[1].Value);
                Assert.True(samples.Add(sample.Groups[1].Value + sample.Groups[2].Value), $"twice: {line}");
            }
        }
    }

    [GeneratedRegex(@"^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S.*$")]
    private static partial Regex Help();

    [GeneratedRegex("^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)$")]
    private static partial Regex Type();

    private const string Pair = "[a-z_]+=\"(?:[^\"\\\\\\n]|\\\\[\\\\\"n])*\"";

    [GeneratedRegex("^([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{" + Pair + "(?:," + Pair + ")*\\})? -?[0-9][0-9.eE+-]*$")]
    private static partial Regex Sample();
}
