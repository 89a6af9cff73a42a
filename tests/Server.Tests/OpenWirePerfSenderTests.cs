using Pillarbox.Hosting.Configuration;
using Pillarbox.Server.Cli.Perf;
using Pillarbox.Server.Cli.Perf.OpenWire;
using Pillarbox.Testing;
using Xunit;

namespace Pillarbox.Server.Tests;

/// <summary>How the measurement of OpenWire sends.</summary>
public sealed class OpenWirePerfSenderTests
{
    // Nothing comes that would end a wait: what it measured would be its own naps.
    [Fact]
    public async Task Who_waits_for_no_answers_does_not_rest_between_bursts()
    {
        await using PillarboxTestHost node = await PillarboxTestHost.StartAsync(config => config with
        {
            Listeners = new Dictionary<string, ListenerConfig>(config.Listeners)
            {
                ["openwire"] = new() { Addresses = ["127.0.0.1:0"] },
            },
        });
        var place = new Uri(
            node.Node.Endpoints.Single(endpoint => endpoint.Protocol == ListenerProtocol.OpenWire).Url);
        var options = new OpenWirePerfOptions
        {
            Server = new PerfServer { Host = place.Host, Port = place.Port },
            Destination = "nobody",
            FanOut = true,
        };
        var schedule = new PerfSchedule(0, 1);
        using var sender = new OpenWirePerfSender(options, schedule, 0);
        schedule.Begin();
        await Task.Run(sender.Run, TestContext.Current.CancellationToken);
        Assert.True(schedule.Sent > 0);
        Assert.Equal(0, sender.Pauses);
    }
}
