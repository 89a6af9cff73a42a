using System.Text.Json.Nodes;
using Pillarbox.Testing;
using Xunit;

namespace Pillarbox.Server.Tests;

/// <summary>The verbs over the HTTP API, against a node in memory.</summary>
public sealed class ReadVerbTests : IAsyncLifetime
{
    private PillarboxTestHost _node = null!;

    public async ValueTask InitializeAsync() => _node = await PillarboxTestHost.StartAsync();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task Queues_are_made_listed_shown_and_deleted()
    {
        Assert.Equal(0, (await RunAsync("queue", "create", "orders")).ExitCode);
        CliResult made = await RunAsync(
            "queue", "create", "news", "--address", "news.#", "--type", "multicast", "--non-durable");
        Assert.Equal((0, "", ""), (made.ExitCode, made.Output, made.Errors));

        string[] lines = (await RunAsync("queue", "list")).Output.TrimEnd('\n').Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.StartsWith("NAME", lines[0], StringComparison.Ordinal);
        Assert.Equal(["news", "news.#", "multicast", "0", "0", "0", "0", "running"], Words(lines[1]));
        Assert.Equal(["orders", "orders", "anycast", "0", "0", "0", "0", "running"], Words(lines[2]));

        JsonNode json = JsonNode.Parse((await RunAsync("queue", "list", "-o", "json")).Output)!;
        Assert.Equal(2, (int?)json["total"]);
        JsonNode shown = JsonNode.Parse((await RunAsync("queue", "show", "news", "-o", "json")).Output)!;
        Assert.False((bool?)shown["durable"]);
        string fields = (await RunAsync("queue", "show", "news")).Output;
        Assert.Contains("address            news.#\n", fields, StringComparison.Ordinal);

        Assert.Equal(0, (await RunAsync("queue", "delete", "news")).ExitCode);
        Assert.Equal("purged 0\n", (await RunAsync("queue", "purge", "orders")).Output);
    }

    [Fact]
    public async Task Queues_read_streams_and_are_rewound()
    {
        CliResult made = await RunAsync("queue", "create", "orders", "--stream", "readings");
        Assert.Equal((0, "", ""), (made.ExitCode, made.Output, made.Errors));
        await Cli.RunAsync("send", "readings", "--body", "hello", "--count", "3", "--url", _node.AmqpUrl);
        CliResult got = await Cli.RunAsync("receive", "orders", "--count", "3", "--url", _node.AmqpUrl);
        Assert.Equal((0, "hello\nhello\nhello\n"), (got.ExitCode, got.Output));
        Assert.Equal(0, (await RunAsync("queue", "rewind", "orders", "--to-offset", "1")).ExitCode);
        got = await Cli.RunAsync("receive", "orders", "--count", "2", "--url", _node.AmqpUrl);
        Assert.Equal((0, "hello\nhello\n"), (got.ExitCode, got.Output));
        string fields = (await RunAsync("queue", "show", "orders")).Output;
        Assert.Contains("stream             readings\n", fields, StringComparison.Ordinal);
        Assert.NotEqual(0, (await RunAsync("queue", "rewind", "orders", "--to", "there")).ExitCode);
    }

    [Fact]
    public async Task A_very_long_name_is_refused_in_a_short_line()
    {
        string name = new('n', 3_000);
        foreach (string[] verb in (string[][])[["send", name, "--body", "x"], ["receive", name]])
        {
            CliResult result = await Cli.RunAsync([.. verb, "--url", _node.AmqpUrl]);
            Assert.Equal(2, result.ExitCode);
            Assert.Contains("is 3000 characters long; at most 1024 are allowed", result.OneError);
            Assert.InRange(result.OneError.Length, 1, 300);
        }
    }

    [Fact]
    public async Task Messages_go_in_are_looked_at_and_come_out()
    {
        CliResult sent = await Cli.RunAsync(
            "send", "orders", "--body", "hello", "--count", "3", "--property", "kind=test", "--url", _node.AmqpUrl);
        Assert.Equal((0, "sent 3 to orders\n"), (sent.ExitCode, sent.Output));
        string[] lines = (await RunAsync("queue", "browse", "orders", "--max", "2")).Output.TrimEnd('\n').Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.EndsWith("kind=test   hello", lines[1].TrimEnd(), StringComparison.Ordinal);
        CliResult got = await Cli.RunAsync("receive", "orders", "--count", "3", "--url", _node.AmqpUrl);
        Assert.Equal((0, "hello\nhello\nhello\n"), (got.ExitCode, got.Output));
    }

    [Fact]
    public async Task Received_messages_come_as_text_as_json_and_as_a_table()
    {
        string[] receive = ["receive", "orders", "--count", "1", "--url", _node.AmqpUrl];
        await Cli.RunAsync(
            "send", "orders", "--body", "a\u001bb", "--count", "3", "--priority", "7", "--url", _node.AmqpUrl);
        Assert.Equal("a\u001bb\n", (await Cli.RunAsync(receive)).Output);
        JsonNode json = JsonNode.Parse((await Cli.RunAsync([.. receive, "-o", "json"])).Output)!;
        Assert.Equal((7, "a\u001bb"), ((int)json["priority"]!, (string)json["body"]!));
        string[] lines = (await Cli.RunAsync([.. receive, "-o", "table"])).Output.TrimEnd('\n').Split('\n');
        Assert.Equal(["PRIORITY", "DELIVERIES", "BYTES", "ID", "BODY"], Words(lines[0]));
        Assert.Equal(["7", "0", "3", "a\uFFFDb"], Words(lines[1]));
        Assert.Equal(2, (await Cli.RunAsync([.. receive, "-o", "xml"])).ExitCode);
    }

    [Fact]
    public async Task A_paused_queue_says_so()
    {
        await RunAsync("queue", "create", "orders");
        Assert.Equal(0, (await RunAsync("queue", "pause", "orders")).ExitCode);
        Assert.Contains("paused", (await RunAsync("queue", "list")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("queue", "resume", "orders")).ExitCode);
        Assert.Contains("running", (await RunAsync("queue", "list")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("address")]
    [InlineData("connection")]
    [InlineData("consumer")]
    public async Task Every_list_comes_as_a_table_and_as_json(string noun)
    {
        Assert.Equal(0, (await RunAsync(noun, "list")).ExitCode);
        JsonNode json = JsonNode.Parse((await RunAsync(noun, "list", "-o", "json")).Output)!;
        Assert.Equal(0, (int?)json["total"]);
    }

    [Fact]
    public async Task The_node_shows_itself()
    {
        CliResult table = await RunAsync("node", "show");
        Assert.Contains("state              started\n", table.Output, StringComparison.Ordinal);
        CliResult json = await RunAsync("node", "show", "-o", "json");
        Assert.Equal("started", (string?)JsonNode.Parse(json.Output)!["state"]);
    }

    [Fact]
    public async Task Exit_codes_say_what_went_wrong()
    {
        CliResult missing = await RunAsync("queue", "show", "nope");
        Assert.Equal((3, "pillarbox: there is no queue 'nope'"), (missing.ExitCode, missing.OneError));
        await RunAsync("queue", "create", "orders");
        Assert.Equal(6, (await RunAsync("queue", "create", "orders", "--type", "multicast")).ExitCode);
        Assert.Equal(2, (await RunAsync("queue", "browse", "orders", "--selector", "a = = b")).ExitCode);
        Assert.Equal(2, (await RunAsync("queue", "browse", "orders", "--max", "0")).ExitCode);
    }

    [Fact]
    public async Task A_node_that_is_not_there_is_said_in_one_line()
    {
        string url = _node.HttpUrl;
        await _node.DisposeAsync();
        CliResult result = await Cli.RunAsync("queue", "list", "--url", url);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("nothing listens there; is the node running?", result.OneError, StringComparison.Ordinal);
    }

    private Task<CliResult> RunAsync(params string[] arguments) =>
        Cli.RunWithAsync(null, new Dictionary<string, string> { ["PILLARBOX_URL"] = _node.HttpUrl }, arguments);

    private static string[] Words(string line) =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
