using System.Text.Json;
using Xunit;

namespace Pillarbox.Interop.Tests.Stomp;

/// <summary><c>pillarbox perf stomp</c> against the real program: nothing is missing, the figures are there.</summary>
[Collection(nameof(SharedNode))]
public sealed class StompPerfTests(SharedNode shared)
{
    [Theory]
    [InlineData("/queue/perf-1")]
    [InlineData("/queue/perf-2", "--durable", "--ack", "client")]
    [InlineData("/queue/perf-3", "--durable", "--ack", "client-individual", "--senders", "2", "--receivers", "2")]
    [InlineData("/topic/perf-4", "--receivers", "3")]
    public async Task A_measurement_misses_nothing(string destination, params string[] more)
    {
        string[] command =
        [
            "perf", "stomp", "--url", shared.Node.Listener("stomp"), "--destination", destination, "--warm-up", "0.2",
            "--duration", "0.5", "--output", "json", "--server-pid", $"{shared.Node.Id}", .. more,
        ];
        ClientResult result = await ClientProcess.RunAsync(Programs.Pillarbox, command);
        result.AssertExit(0);
        JsonElement report = JsonDocument.Parse(result.Output).RootElement;
        Assert.True(report.GetProperty("messages").GetInt64() > 0, result.Everything);
        Assert.Equal(0, report.GetProperty("missing").GetInt64());
        Assert.Equal(more.Contains("--durable"), report.TryGetProperty("acknowledgedUs", out _));
    }
}
