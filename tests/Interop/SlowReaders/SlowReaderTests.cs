using System.Diagnostics;
using System.Globalization;
using Pillarbox.Interop.Tests.OpenWire;
using Xunit;

namespace Pillarbox.Interop.Tests.SlowReaders;

/// <summary>
/// Of two readers of a topic, or a stream, one stops reading its socket, while far more goes through the node than it
/// may hold in memory: the other gets everything meanwhile, and the one that stopped when it reads again.
/// </summary>
public sealed class SlowReaderTests : IAsyncLifetime
{
    private const string Configuration = """
        { "addressSettings": { "slow.#": { "defaultRoutingType": "multicast" } } }
        """;

    // What is sent in all, 293 MiB, does not fit into what the node may have beside what it has otherwise.
    private const int Messages = 6000;
    private const int ResidentMiBMax = 300;

    // A stream's newest records have a cache of their own, and one answer of 55 MiB may hold more: twice as much is
    // sent.
    private const int Records = 12_000;
    private const int StreamResidentMiBMax = 420;
    private const int BodyBytes = 50 << 10;

    private readonly TemporaryDirectory _directory = new();
    private PillarboxProcess _node = null!;

    public async ValueTask InitializeAsync()
    {
        string config = _directory.File("pillarbox.json");
        await File.WriteAllTextAsync(config, Configuration);
        await File.WriteAllBytesAsync(_directory.File("body"), new byte[BodyBytes]);
        _node = await PillarboxProcess.StartAsync(_directory.File("data"), "--config", config);
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null) await _node.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("amqp")]
    [InlineData("mqtt")]
    [InlineData("stomp")]
    [InlineData("openwire")]
    [InlineData("ws")]
    [InlineData("kafka")]
    public async Task One_that_stops_reading_holds_up_nobody_and_misses_nothing(string protocol)
    {
        bool isStream = protocol == "kafka";
        int messages = isStream ? Records : Messages;
        string name = $"slow.{protocol}";
        string listener = _node.Listener(protocol == "ws" ? "http" : protocol);
        await using var relay = new PausingRelay(listener);
        using Process slow = await StartAsync(isStream ? "kafka_greedy" : protocol, $"{relay.Port}", name, messages);
        using Process quick = await StartAsync(protocol, listener.Split(':')[1], name, messages);
        relay.Pause();
        string[] send =
        [
            "send", name, "--file", _directory.File("body"), "--count", $"{messages}", "--url", _node.AmqpUrl,
        ];
        (await ClientProcess.RunAsync(Programs.Pillarbox, send)).AssertExit(0);
        Assert.Equal("all", await LineAsync(quick));
        Assert.False(slow.HasExited, "the reader that stopped was let go, or has all there was");
        double residentMiB = MostResidentMiB();
        TestContext.Current.SendDiagnosticMessage($"{protocol}: {residentMiB:0} MiB");
        Assert.True(residentMiB < (isStream ? StreamResidentMiBMax : ResidentMiBMax), $"{residentMiB:0} MiB resident");
        relay.Resume();
        Assert.Equal("all", await LineAsync(slow));
        Assert.False(_node.HasExited, _node.Output);
    }

    private static async Task<Process> StartAsync(string protocol, string port, string name, int messages)
    {
        string count = messages.ToString(CultureInfo.InvariantCulture);
        string[] command = [Programs.Script("SlowReaders", "reader.py"), protocol, port, name, count];
        Process reader = protocol == "openwire"
            ? await JavaClient.StartAsync("SlowReader", port, name, count)
            : ClientProcess.Start(Programs.Python, command);
        Assert.Equal("there", await LineAsync(reader));
        return reader;
    }

    private static async Task<string?> LineAsync(Process reader)
    {
        string? line = await reader.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(5));
        return line ?? await reader.StandardError.ReadToEndAsync();
    }

    // The most that the node has been resident with.
    private double MostResidentMiB()
    {
        string status = File.ReadAllText($"/proc/{_node.Id}/status");
        string line = status.Split('\n').Single(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return double.Parse(line[6..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) / 1024;
    }
}
