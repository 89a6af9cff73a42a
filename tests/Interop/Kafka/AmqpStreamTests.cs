using Xunit;

namespace Pillarbox.Interop.Tests.Kafka;

/// <summary>One stream, two protocols: kcat at one end, Proton's Python client at the other.</summary>
[Collection(nameof(SharedNode))]
public sealed class AmqpStreamTests(SharedNode shared)
{
    private readonly string _topic = $"amqp-{Guid.NewGuid():N}";

    [Fact]
    public async Task Records_of_kcat_are_read_from_every_place_by_amqp()
    {
        foreach (string line in new[] { "a:1\n", "b:2\n", "c:3\n" })
        {
            await KcatAsync(line, "-P", "-t", _topic, "-K", ":", "-H", "h=v");
        }

        await ProtonAsync("stream_read", _topic);
    }

    [Fact]
    public async Task Compressed_records_are_read_by_amqp()
    {
        string lines = string.Join('\n', Enumerable.Range(0, 3000).Select(i => $"line {i}")) + "\n";
        await KcatAsync(lines, "-P", "-t", _topic, "-z", "lz4");
        await ProtonAsync("stream_credit", _topic);
    }

    [Fact]
    public async Task Messages_of_amqp_are_records_to_kcat()
    {
        await KcatAsync("made:first\n", "-P", "-t", _topic, "-K", ":");
        await ProtonAsync("stream_write", _topic);
        string read = await KcatAsync(null, "-C", "-t", _topic, "-e", "-q", "-o", "1", "-f", "%k=%s;%h\n");
        Assert.Equal("k=one;colour=red\nk=two;colour=red\nother=three;colour=red\n", read);
    }

    [Fact]
    public async Task Messages_of_amqp_come_back_to_amqp_as_they_were()
    {
        await KcatAsync("", "-L", "-t", _topic);
        await ProtonAsync("stream_come_back", _topic);
    }

    [Fact]
    public async Task A_group_has_members_of_both_protocols()
    {
        string group = $"g-{_topic}";
        await KcatAsync("1\n2\n3\n4\n", "-P", "-t", _topic);
        string first = await ProtonAsync("stream_group_takes", _topic, group, "2");
        Assert.StartsWith("1 2\n", first, StringComparison.Ordinal);
        Assert.Equal("3\n4\n", await KcatAsync(null, "-G", group, "-e", "-q", _topic));
        await KcatAsync("5\n", "-P", "-t", _topic);
        string last = await ProtonAsync("stream_group_takes", _topic, group, "1");
        Assert.StartsWith("5\n", last, StringComparison.Ordinal);
    }

    private async Task<string> ProtonAsync(string scenario, params string[] arguments)
    {
        string[] command = [Programs.Script("proton", "run.py"), shared.Node.AmqpUrl, scenario, .. arguments];
        ClientResult result = await ClientProcess.RunAsync(Programs.Python, command);
        result.AssertOk();
        shared.AssertAlive();
        return result.Output;
    }

    private async Task<string> KcatAsync(string? input, params string[] arguments)
    {
        string[] command = ["-b", shared.Node.KafkaServers, .. arguments];
        ClientResult result = await ClientProcess.RunAsync("kcat", command, input);
        Assert.True(result.ExitCode == 0, result.Everything);
        shared.AssertAlive();
        return result.Output;
    }
}
