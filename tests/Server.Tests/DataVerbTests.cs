using System.Text.Json.Nodes;
using Pillarbox.Testing;
using Xunit;

namespace Pillarbox.Server.Tests;

/// <summary><c>pillarbox data</c> on the files that a node left.</summary>
public sealed class DataVerbTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    public async ValueTask InitializeAsync()
    {
        await using PillarboxTestHost node = await StartAsync();
        CliResult sent = await Cli.RunAsync(
            "send", "orders", "--body", "canary", "--count", "5", "--url", node.AmqpUrl);
        Assert.Equal(0, sent.ExitCode);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Good_files_verify_and_are_counted()
    {
        CliResult verified = await Cli.RunAsync("data", "verify", _folder.Path);
        Assert.Equal((0, ""), (verified.ExitCode, verified.Errors));
        Assert.Contains("damage             0\n", verified.Output, StringComparison.Ordinal);
        JsonNode figures = JsonNode.Parse((await Cli.RunAsync("data", "stat", _folder.Path, "-o", "json")).Output)!;
        Assert.True((long)figures["records"]! >= 6);
    }

    [Fact]
    public async Task Records_are_told_without_bodies()
    {
        CliResult dumped = await Cli.RunAsync("data", "dump", _folder.Path);
        Assert.Equal(0, dumped.ExitCode);
        string[] lines = dumped.Output.TrimEnd('\n').Split('\n');
        Assert.Equal(5, lines.Count(l => l.Contains(" message ", StringComparison.Ordinal)));
        Assert.Contains(lines, l => l.Contains("orders::orders", StringComparison.Ordinal));
        Assert.DoesNotContain("canary", dumped.Output, StringComparison.Ordinal);
        CliResult json = await Cli.RunAsync("data", "dump", _folder.Path, "-o", "json");
        Assert.All(json.Output.TrimEnd('\n').Split('\n'), l => Assert.True((bool)JsonNode.Parse(l)!["isUnderstood"]!));
    }

    [Fact]
    public async Task Damage_is_named_and_fails()
    {
        string segment = Directory.EnumerateFiles(_folder.Path, "*.seg", SearchOption.AllDirectories).Order().First();
        byte[] bytes = await File.ReadAllBytesAsync(segment);
        int at = bytes.AsSpan().IndexOf("canary"u8);
        bytes[at] ^= 1;
        await File.WriteAllBytesAsync(segment, bytes);
        CliResult verified = await Cli.RunAsync("data", "verify", _folder.Path);
        Assert.Equal(1, verified.ExitCode);
        Assert.Contains("damage: ", verified.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_running_node_s_files_are_left_alone()
    {
        await using PillarboxTestHost node = await StartAsync();
        Assert.Equal(1, (await Cli.RunAsync("data", "verify", _folder.Path)).ExitCode);
    }

    [Fact]
    public async Task A_missing_directory_is_said()
    {
        CliResult result = await Cli.RunAsync("data", "verify", _folder.File("nope"));
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("there is no data directory", result.OneError, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("verify")]
    [InlineData("stat")]
    [InlineData("dump")]
    [InlineData("quarantine")]
    public async Task A_directory_that_no_node_has_written_is_not_good(string verb)
    {
        string other = _folder.File("other");
        Directory.CreateDirectory(other);
        string[] args = verb == "quarantine" ? ["data", verb, other, "list"] : ["data", verb, other];
        CliResult result = await Cli.RunAsync(args);
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("is no data directory", result.OneError, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(other));
    }

    private Task<PillarboxTestHost> StartAsync() =>
        PillarboxTestHost.StartAsync(c => c with { DataDirectory = _folder.Path });
}
