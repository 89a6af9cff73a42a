using System.Text;
using System.Text.Json.Nodes;
using Pillarbox.Testing;
using Xunit;

namespace Pillarbox.Server.Tests;

/// <summary>The verbs over damaged bytes, of a stopped node and of a running one.</summary>
public sealed class QuarantineVerbTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private PillarboxTestHost? _node;

    public async ValueTask InitializeAsync()
    {
        await using (PillarboxTestHost node = await StartAsync())
        {
            foreach (string body in new[] { "first", "canary", "last" })
            {
                Assert.Equal(0, (await Cli.RunAsync("send", "orders", "--body", body, "--url", node.AmqpUrl)).ExitCode);
            }
        }

        string segment = Directory.EnumerateFiles(_folder.Path, "*.seg", SearchOption.AllDirectories).Order().First();
        byte[] bytes = await File.ReadAllBytesAsync(segment);
        bytes[bytes.AsSpan().IndexOf("canary"u8)] = (byte)'C';
        await File.WriteAllBytesAsync(segment, bytes);
        _node = await StartAsync();
        CliResult received = await Cli.RunAsync("receive", "orders", "--count", "2", "--url", _node.AmqpUrl);
        Assert.Equal((0, "first\nlast\n"), (received.ExitCode, received.Output));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_stopped_node_s_quarantine_is_listed_shown_exported_and_dropped()
    {
        await StopAsync();
        await CheckAsync(verb => ["data", "quarantine", _folder.Path, .. verb]);
    }

    [Fact]
    public async Task A_running_node_s_quarantine_too()
    {
        await CheckAsync(verb => ["quarantine", .. verb, "--url", _node!.HttpUrl]);
        CliResult held = await Cli.RunAsync("data", "quarantine", _folder.Path, "list");
        Assert.Equal(1, held.ExitCode);
    }

    [Fact]
    public async Task A_directory_that_is_not_there_is_said()
    {
        CliResult result = await Cli.RunAsync("data", "quarantine", _folder.File("nope"), "list");
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("there is no data directory", result.OneError, StringComparison.Ordinal);
    }

    private async Task CheckAsync(Func<string[], string[]> command)
    {
        CliResult listed = await Cli.RunAsync(command(["list", "-o", "json"]));
        Assert.Equal((0, ""), (listed.ExitCode, listed.Errors));
        JsonNode entry = Assert.Single(JsonNode.Parse(listed.Output)!["items"]!.AsArray())!;
        Assert.Equal(("journal", "orders", "default"), (
            (string?)entry["source"], (string?)entry["queue"], (string?)entry["space"]));
        string table = (await Cli.RunAsync(command(["list"]))).Output;
        Assert.Contains(" journal ", table, StringComparison.Ordinal);

        string id = $"{(long)entry["id"]!}";
        JsonNode shown = JsonNode.Parse((await Cli.RunAsync(command(["show", id, "-o", "json"]))).Output)!;
        Assert.True(JsonNode.DeepEquals(entry, shown));
        Assert.Contains(
            "queue              orders\n", (await Cli.RunAsync(command(["show", id]))).Output,
            StringComparison.Ordinal);

        string file = _folder.File("bytes");
        CliResult exported = await Cli.RunAsync(command(["export", id, file]));
        Assert.Equal((0, ""), (exported.ExitCode, exported.Errors));
        byte[] bytes = await File.ReadAllBytesAsync(file);
        Assert.Equal((long)entry["bytes"]!, bytes.Length);
        Assert.Contains("Canary", Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
        Assert.Equal(2, (await Cli.RunAsync(command(["export", id, file]))).ExitCode);

        Assert.Equal(0, (await Cli.RunAsync(command(["drop", id]))).ExitCode);
        Assert.Equal(3, (await Cli.RunAsync(command(["show", id]))).ExitCode);
        Assert.Equal(3, (await Cli.RunAsync(command(["drop", id]))).ExitCode);
    }

    private async Task StopAsync()
    {
        if (_node is { } node)
        {
            _node = null;
            await node.DisposeAsync();
        }
    }

    private Task<PillarboxTestHost> StartAsync() =>
        PillarboxTestHost.StartAsync(c => c with { DataDirectory = _folder.Path });
}
