using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>The program as an operator meets it: verbs, exit codes, one-line errors, clean ends.</summary>
public sealed partial class ProgramTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public static IEnumerable<TheoryDataRow<string>> VerbsOfTheReadme =>
        File.ReadAllLines(Path.Combine(Programs.Root, "README.md"))
            .Select(line => Verb().Match(line))
            .Where(match => match.Success)
            .Select(match => new TheoryDataRow<string>(match.Groups[1].Value.Trim()));

    [Theory]
    [MemberData(nameof(VerbsOfTheReadme))]
    public async Task Verb_of_the_readme_exists(string verb)
    {
        ClientResult result = await RunAsync([.. verb.Split(' '), "--help"]);
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Contains(verb.Split(' ')[^1], result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_sent_before_a_clean_stop_are_received_after_it()
    {
        await using (PillarboxProcess node = await StartAsync())
        {
            Good(await RunAsync("send", "orders", "--url", node.AmqpUrl, "--body", "hello", "--count", "1000"));
            Assert.Equal(0, await node.StopAsync());
        }

        await using PillarboxProcess next = await StartAsync();
        ClientResult received = await RunAsync("receive", "orders", "--url", next.AmqpUrl, "--count", "1000");
        Good(received);
        Assert.Equal(1000, received.Output.Split('\n').Count(line => line.Contains("hello", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Queue_verbs_tell_and_empty()
    {
        await using PillarboxProcess node = await StartAsync();
        Good(await RunAsync("send", "orders", "--url", node.AmqpUrl, "--body", "hello", "--count", "20"));
        Assert.Equal(20, Count(await QueueAsync(node, "show", "orders", "-o", "json")));
        ClientResult list = await QueueAsync(node, "list", "-o", "json");
        using JsonDocument queues = JsonDocument.Parse(list.Output);
        Assert.Contains("orders", list.Output, StringComparison.Ordinal);
        ClientResult browsed = await QueueAsync(node, "browse", "orders", "--max", "10");
        Assert.Equal(10, browsed.Output.Split('\n').Count(line => line.Contains("hello", StringComparison.Ordinal)));
        Assert.Equal(20, Count(await QueueAsync(node, "show", "orders", "-o", "json")));
        Good(await QueueAsync(node, "purge", "orders"));
        Assert.Equal(0, Count(await QueueAsync(node, "show", "orders", "-o", "json")));
    }

    [Fact(Timeout = 60_000)]
    public async Task The_first_user_closes_a_node_that_runs_open()
    {
        await using PillarboxProcess node = await StartAsync();
        Good(await QueueAsync(node, "list"));
        string[] add = ["user", "add", "alice", "--data", _directory.File("data")];
        Good(await ClientProcess.RunAsync(Programs.Pillarbox, add, "correct horse battery\n"));
        while (!node.Output.Contains("Development mode has ended", StringComparison.Ordinal))
            await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.NotEqual(0, (await QueueAsync(node, "list")).ExitCode);
        Assert.NotEqual(0, (await RunAsync("send", "orders", "--url", node.AmqpUrl, "--body", "x")).ExitCode);
    }

    [Fact]
    public async Task Missing_queue_is_exit_code_3()
    {
        await using PillarboxProcess node = await StartAsync();
        ClientResult result = await RunAsync("queue", "show", "missing", "--url", node.HttpUrl);
        Assert.Equal(3, result.ExitCode);
        OneLine(result, "missing");
    }

    [Fact]
    public async Task Second_node_on_the_same_data_is_refused()
    {
        await using PillarboxProcess node = await StartAsync();
        ClientResult second = await RunAsync(
            "run", "--data", _directory.File("data"), "--listen", "amqp=127.0.0.1:0", "--listen", "http=127.0.0.1:0");
        Assert.NotEqual(0, second.ExitCode);
        OneLine(second, "in use");
    }

    [Fact]
    public async Task Port_in_use_is_one_line()
    {
        await using PillarboxProcess node = await StartAsync();
        string taken = $"amqp={node.Listener("amqp")}";
        ClientResult second = await RunAsync(
            "run", "--data", _directory.File("other"), "--listen", taken, "--listen", "http=127.0.0.1:0");
        Assert.NotEqual(0, second.ExitCode);
        OneLine(second, node.Listener("amqp"));
    }

    [Fact]
    public async Task Unknown_configuration_key_names_the_nearest()
    {
        string config = _directory.File("pillarbox.json");
        await File.WriteAllTextAsync(config, """{ "dataDirectry": "x" }""");
        ClientResult result = await RunAsync("run", "--config", config);
        Assert.Equal(2, result.ExitCode);
        OneLine(result, "dataDirectory");
    }

    [Fact]
    public async Task Data_of_a_stopped_node_is_verified()
    {
        await using (PillarboxProcess node = await StartAsync())
        {
            Good(await RunAsync("send", "orders", "--url", node.AmqpUrl, "--body", "hello", "--count", "100"));
            await node.KillAsync();
        }

        Good(await RunAsync("data", "verify", _directory.File("data")));
        Good(await RunAsync("data", "stat", _directory.File("data")));
        Good(await RunAsync("data", "dump", _directory.File("data")));
    }

    [Fact]
    public async Task Perf_measures_and_misses_nothing()
    {
        await using PillarboxProcess node = await StartAsync();
        Good(await RunAsync(
            "perf", "amqp", "--url", node.AmqpUrl, "--address", "bench", "--size", "100", "--duration", "2",
            "--durable"));
    }

    [Fact]
    public async Task Health_and_metrics_answer()
    {
        await using PillarboxProcess node = await StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(node.HttpUrl) };
        foreach (string path in (string[])["/health/live", "/health/ready", "/health/started", "/metrics"])
        {
            using HttpResponseMessage response = await http.GetAsync(new Uri(path, UriKind.Relative));
            Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode}");
        }
    }

    public void Dispose() => _directory.Dispose();

    private Task<PillarboxProcess> StartAsync() => PillarboxProcess.StartAsync(_directory.File("data"));

    private static Task<ClientResult> RunAsync(params string[] arguments) =>
        ClientProcess.RunAsync(Programs.Pillarbox, arguments);

    private static Task<ClientResult> QueueAsync(PillarboxProcess node, params string[] arguments) =>
        RunAsync(["queue", .. arguments, "--url", node.HttpUrl]);

    private static void Good(ClientResult result) => Assert.True(result.ExitCode == 0, result.Everything);

    // Whatever the log says before it: the mistake is told in the last line, and no exception is shown.
    private static void OneLine(ClientResult result, string part)
    {
        string last = result.Errors.TrimEnd().Split('\n')[^1];
        Assert.True(last.StartsWith("pillarbox: ", StringComparison.Ordinal), result.Everything);
        Assert.Contains(part, last, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", result.Errors, StringComparison.Ordinal);
    }

    private static int Count(ClientResult shown)
    {
        Good(shown);
        using JsonDocument queue = JsonDocument.Parse(shown.Output);
        return queue.RootElement.GetProperty("messageCount").GetInt32();
    }

    // `pillarbox queue list -o json` -> `queue list`: lower-case words up to the first name, option or upper case.
    [GeneratedRegex(@"^pillarbox ((?:run|send|receive|queue \w+|user \w+|perf \w+|data \w+)\b)")]
    private static partial Regex Verb();
}
