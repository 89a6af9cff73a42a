using System.Text.Json.Nodes;
using Pillarbox.Hosting.Tests.Listeners;
using Xunit;

namespace Pillarbox.Interop.Tests.Kafka;

/// <summary><c>pillarbox perf kafka</c> against a node with users, in the clear and over TLS.</summary>
public sealed class KafkaPerfTests : IAsyncLifetime
{
    private const string Password = "a-long-secret-of-alice";
    private const string Configuration = """
        {
          "listeners": {
            "kafka": { "addresses": ["127.0.0.1:0"] },
            "secret": { "protocol": "kafka", "addresses": ["127.0.0.1:0"], "tls": { "certificate": "SERVER" } },
            "http": { "addresses": ["127.0.0.1:0"] }
          }
        }
        """;

    private static readonly string[] Short = ["--warm-up", "0.2", "--duration", "1"];
    private readonly TemporaryDirectory _directory = new();
    private readonly Certificates _certificates = new();
    private PillarboxProcess _node = null!;

    public async ValueTask InitializeAsync()
    {
        string[] add = ["user", "add", "alice", "--role", "admin", "--data", _directory.File("data")];
        ClientResult added = await ClientProcess.RunAsync(Programs.Pillarbox, add, Password + "\n");
        Assert.True(added.ExitCode == 0, added.Everything);
        string config = _directory.File("pillarbox.json");
        string server = _certificates.WritePem("server.pem", _certificates.Server, key: true);
        await File.WriteAllTextAsync(config, Configuration.Replace("SERVER", server, StringComparison.Ordinal));
        _node = await PillarboxProcess.StartAsync(_directory.File("data"), ownListeners: true, "--config", config);
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null) await _node.DisposeAsync();
        _certificates.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-512")]
    public async Task It_logs_in(string mechanism)
    {
        JsonNode report = await MeasureAsync(_node.KafkaServers, ["--sasl", mechanism, "--rate", "1000", .. Short]);
        Assert.True((double?)report["deliveredPerSecond"] > 0);
        Assert.Equal("0 0 0", $"{report["missing"]} {report["gaps"]} {report["refused"]}");
    }

    [Fact]
    public async Task It_speaks_TLS()
    {
        string port = _node.Listener("kafkas")[(_node.Listener("kafkas").LastIndexOf(':') + 1)..];
        string authority = _certificates.WritePem("ca.pem", _certificates.Authority, key: false);
        JsonNode report = await MeasureAsync($"localhost:{port}", ["--ca", authority, .. Short]);
        Assert.True((double?)report["deliveredPerSecond"] > 0);
        Assert.Equal("0 0 0", $"{report["missing"]} {report["gaps"]} {report["refused"]}");
        ClientResult untrusted = await RunAsync(Password, $"localhost:{port}", ["--tls", .. Short]);
        untrusted.AssertExit(1);
        Assert.Contains("no TLS with localhost", untrusted.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_is_one_line_and_an_exit_code()
    {
        ClientResult result = await RunAsync("wrong", _node.KafkaServers, Short);
        result.AssertExit(4);
        Assert.StartsWith("pillarbox: the server refuses the login of alice", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_fills_and_drains_by_number()
    {
        await MeasureAsync(_node.KafkaServers, ["--fill", "12345", "--producers", "2", "--partitions", "3"]);
        Assert.Equal(12345, (long?)(await ShowAsync())["records"]);
        JsonNode drained = await MeasureAsync(_node.KafkaServers, ["--drain", "12345", "--partitions", "3"]);
        Assert.True((double?)drained["deliveredPerSecond"] > 0);
    }

    [Fact]
    public async Task Transactions_are_committed_and_read_committed()
    {
        JsonNode report = await MeasureAsync(
            _node.KafkaServers, ["--transactions", "50", "--rate", "5000", "--partitions", "2", .. Short]);
        Assert.True((double?)report["committedUs"]!["p50"] > 0);
        Assert.Equal("0 0 0", $"{report["missing"]} {report["gaps"]} {report["refused"]}");
    }

    [Fact]
    public async Task Records_that_linger_go_together()
    {
        await MeasureAsync(_node.KafkaServers, ["--rate", "10000", "--linger-ms", "50", .. Short]);
        JsonNode stream = await ShowAsync();
        // A batch has a header of 61 bytes, a record about 108: alone they would be more.
        Assert.InRange((double)(long)stream["sizeBytes"]! / (long)stream["records"]!, 100, 120);
    }

    private async Task<JsonNode> ShowAsync()
    {
        string[] show = ["PILLARBOX_USER=alice", $"PILLARBOX_PASSWORD={Password}", Programs.Pillarbox, "stream", "show",
            "bench", "-o", "json", "--url", _node.HttpUrl];
        ClientResult result = await ClientProcess.RunAsync("/usr/bin/env", show);
        result.AssertExit(0);
        return JsonNode.Parse(result.Output)!;
    }

    private async Task<JsonNode> MeasureAsync(string servers, string[] arguments)
    {
        ClientResult result = await RunAsync(Password, servers, arguments);
        result.AssertExit(0);
        return JsonNode.Parse(result.Output)!;
    }

    private static Task<ClientResult> RunAsync(string password, string servers, string[] arguments) =>
        ClientProcess.RunAsync(
            "/usr/bin/env",
            [
                "PILLARBOX_USER=alice", $"PILLARBOX_PASSWORD={password}", Programs.Pillarbox, "perf", "kafka", "--url",
                servers, "-o", "json", .. arguments,
            ]);
}
