using Xunit;

namespace Pillarbox.Interop.Tests.Kafka;

/// <summary>kcat, the tool that everybody has at hand.</summary>
[Collection(nameof(SharedNode))]
public sealed class KcatTests(SharedNode shared)
{
    private readonly string _topic = $"kcat-{Guid.NewGuid():N}";

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task Lines_come_out_as_they_went_in(string codec)
    {
        string lines = string.Join('\n', Enumerable.Range(0, 10_000).Select(i => $"line {i}")) + "\n";
        await RunAsync(lines, "-P", "-t", _topic, "-z", codec);
        Assert.Equal(lines, await RunAsync(null, "-C", "-t", _topic, "-e", "-q"));
    }

    [Fact]
    public async Task Metadata_name_the_topic_and_this_node_as_its_leader()
    {
        await RunAsync("x\n", "-P", "-t", _topic);
        string listed = await RunAsync(null, "-L", "-J", "-t", _topic);
        Assert.Contains($"\"topic\":\"{_topic}\"", listed, StringComparison.Ordinal);
        Assert.Contains("\"partition\":0,\"leader\":1", listed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_offsets_and_times_are_shown()
    {
        await RunAsync("a:1\nb:2\n", "-P", "-t", _topic, "-K", ":", "-H", "h=v");
        string json = await RunAsync(null, "-C", "-t", _topic, "-e", "-q", "-J", "-o", "1");
        Assert.Contains("\"offset\":1", json, StringComparison.Ordinal);
        Assert.Contains("\"key\":\"b\",\"payload\":\"2\"", json, StringComparison.Ordinal);
        Assert.Contains("\"headers\":[\"h\",\"v\"]", json, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_reads_what_it_has_not_read()
    {
        await RunAsync("1\n2\n3\n", "-P", "-t", _topic);
        string[] group = ["-G", $"g-{_topic}", "-e", "-q", "-X", "auto.offset.reset=earliest", _topic];
        Assert.Equal("1\n2\n3\n", await RunAsync(null, group));
        await RunAsync("4\n", "-P", "-t", _topic);
        Assert.Equal("4\n", await RunAsync(null, group));
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_after_kill_9()
    {
        using var directory = new TemporaryDirectory();
        await using (PillarboxProcess first = await PillarboxProcess.StartAsync(directory.File("data")))
        {
            await ClientAsync(first, "1\n2\n", "-P", "-t", _topic);
            await first.KillAsync();
        }

        await using PillarboxProcess second = await PillarboxProcess.StartAsync(directory.File("data"));
        Assert.Equal("1\n2\n", await ClientAsync(second, null, "-C", "-t", _topic, "-e", "-q"));
    }

    /// <summary>After a restart nothing is in memory: what is large goes from the file to the socket.</summary>
    [Fact]
    public async Task Much_comes_from_the_file_as_it_went_in()
    {
        using var directory = new TemporaryDirectory();
        string lines = string.Join('\n', Enumerable.Range(0, 4000).Select(i => $"{i} {new string('x', 5000)}")) + "\n";
        await using (PillarboxProcess first = await PillarboxProcess.StartAsync(directory.File("data")))
        {
            await ClientAsync(first, lines, "-P", "-t", _topic);
            await first.KillAsync();
        }

        await using PillarboxProcess second = await PillarboxProcess.StartAsync(directory.File("data"));
        string came = await ClientAsync(second, null, "-C", "-t", _topic, "-e", "-q");
        Assert.True(lines == came, $"{came.Length} characters came of {lines.Length}");
    }

    private async Task<string> RunAsync(string? input, params string[] arguments)
    {
        string output = await ClientAsync(shared.Node, input, arguments);
        shared.AssertAlive();
        return output;
    }

    private static async Task<string> ClientAsync(PillarboxProcess node, string? input, params string[] arguments)
    {
        ClientResult result = await ClientProcess.RunAsync("kcat", ["-b", node.KafkaServers, .. arguments], input);
        Assert.True(result.ExitCode == 0, result.Everything);
        return result.Output;
    }
}
