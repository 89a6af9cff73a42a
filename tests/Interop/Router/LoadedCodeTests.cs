using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>What a node that is a router alone has in memory of what it does not need.</summary>
public sealed class LoadedCodeTests
{
    [Theory]
    [InlineData("libcrypto")]
    [InlineData("Microsoft.AspNetCore.Routing.dll")]
    [InlineData("Pillarbox.ConsoleApi.dll")]
    [InlineData("Pillarbox.Protocols.Kafka.dll")]
    [InlineData("Pillarbox.Protocols.Mqtt.dll")]
    [InlineData("Pillarbox.Protocols.OpenWire.dll")]
    [InlineData("Pillarbox.Protocols.Stomp.dll")]
    public async Task A_router_does_not_load_it(string file)
    {
        await using PillarboxProcess node = await PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true, "--mode", "interior", "--id", "A", "--listen", "amqp=127.0.0.1:0",
            "--listen", "inter-router=127.0.0.1:0");
        string maps = await File.ReadAllTextAsync(
            $"/proc/{node.Id}/maps", TestContext.Current.CancellationToken);
        Assert.Contains("pillarbox", maps, StringComparison.Ordinal);
        Assert.DoesNotContain(file, maps, StringComparison.Ordinal);
    }
}
