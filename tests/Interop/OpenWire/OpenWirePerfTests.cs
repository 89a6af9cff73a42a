using System.Text.Json;
using Xunit;

namespace Pillarbox.Interop.Tests.OpenWire;

/// <summary><c>pillarbox perf openwire</c> against the real program: nothing is missing, the figures are
/// there.</summary>
[Collection(nameof(SharedNode))]
public sealed class OpenWirePerfTests(SharedNode shared)
{
    [Theory]
    [InlineData("queue://openwire-perf-1")]
    [InlineData("queue://openwire-perf-2", "--durable", "--in-flight", "1", "--ack", "each")]
    [InlineData("queue://openwire-perf-3", "--durable", "--senders", "2", "--receivers", "2", "--encoding", "loose")]
    [InlineData("queue://openwire-perf-4", "--durable", "--transaction", "10")]
    [InlineData("topic://openwire-perf-5", "--receivers", "3")]
    public async Task A_measurement_misses_nothing(string destination, params string[] more)
    {
        string[] command =
        [
            "perf", "openwire", "--url", shared.Node.Listener("openwire"), "--destination", destination,
            "--warm-up", "0.2", "--duration", "0.5", "--output", "json", "--server-pid", $"{shared.Node.Id}", .. more,
        ];
        ClientResult result = await ClientProcess.RunAsync(Programs.Pillarbox, command);
        result.AssertExit(0);
        JsonElement report = JsonDocument.Parse(result.Output).RootElement;
        Assert.True(report.GetProperty("messages").GetInt64() > 0, result.Everything);
        Assert.Equal(0, report.GetProperty("missing").GetInt64());
        Assert.Equal(more.Contains("--durable"), report.TryGetProperty("acknowledgedUs", out _));
    }
}
