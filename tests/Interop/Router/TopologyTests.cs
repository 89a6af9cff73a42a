using System.Diagnostics;
using Pillarbox.Interop.Tests.Router.Lab;
using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>Networks of real processes in places of their own, whose lines go down and are slow.</summary>
public sealed class TopologyTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ring_goes_the_other_way_round_when_a_line_goes_down_and_back_when_it_is_up()
    {
        await using NetworkLab lab = await NetworkLab.CreateAsync("A", "B", "C", "D");
        await lab.StartAsync("A", "interior");
        await lab.StartAsync("B", "interior", "A");
        await lab.StartAsync("C", "interior", "B");
        await lab.StartAsync("D", "interior", "A", "C");
        await lab.ReachesAsync("A", 4);
        await lab.ReachesAsync("C", 4);
        // Of equal ways the lower id is taken.
        await lab.EventuallyAsync("A goes by B to C", async () => (await lab.NodesAsync("A"))["C"] == "B");
        using Process client = lab.StartClient(
            Programs.Python, Programs.Script("Router", "line.py"), "reroute", lab.UrlOf("A"), lab.UrlOf("C"));
        Task<string> errors = client.StandardError.ReadToEndAsync(Stop);
        Assert.Equal("half", await client.StandardOutput.ReadLineAsync(Stop));
        await lab.CutAsync("A", "B");
        await lab.EventuallyAsync(
            "A goes by D to C", async () => (await lab.NodesAsync("A")).GetValueOrDefault("C") == "D");
        string? end = await client.StandardOutput.ReadLineAsync(Stop);
        Assert.True(end == "ok", $"{lab.Kind}: {end}\n{await errors}\n{lab["A"].Output}\n{lab["C"].Output}");

        await lab.JoinAsync("A", "B");
        await lab.EventuallyAsync(
            "A goes by B to C again", async () => (await lab.NodesAsync("A")).GetValueOrDefault("C") == "B");
    }

    [Fact]
    public async Task Mesh_with_edges_gives_each_consumer_each_message_once()
    {
        await using NetworkLab lab = await NetworkLab.CreateAsync("A", "B", "C", "E", "F");
        await lab.StartAsync("A", "interior");
        await lab.StartAsync("B", "interior", "A");
        await lab.StartAsync("C", "interior", "A", "B");
        await lab.StartAsync("E", "edge", "A", "C");
        await lab.StartAsync("F", "edge", "B");
        await lab.ReachesAsync("A", 3);
        await lab.ReachesAsync("C", 3);
        await lab["E"].SaysAsync("connected");
        await lab["F"].SaysAsync("connected");
        string[] urls = [.. lab.Ids.Select(id => lab.UrlOf(id))];
        (await lab.RunClientAsync(Programs.Python, [Programs.Script("Router", "line.py"), "multicast", .. urls]))
            .AssertOk();
        (await lab.RunClientAsync(
            Programs.Python, Programs.Script("Router", "line.py"), "outcomes", lab.UrlOf("E"), lab.UrlOf("F")))
            .AssertOk();
    }

    [Fact]
    public async Task Edge_takes_its_other_way_when_a_line_goes_down()
    {
        await using NetworkLab lab = await NetworkLab.CreateAsync("A", "B", "E");
        await lab.StartAsync("A", "interior");
        await lab.StartAsync("B", "interior", "A");
        await lab.StartAsync("E", "edge", "A", "B");
        await lab.ReachesAsync("A", 2);
        await lab["E"].SaysAsync("connected");
        using Process client = lab.StartClient(
            Programs.Python, Programs.Script("Router", "line.py"), "reroute", lab.UrlOf("B"), lab.UrlOf("E"));
        Task<string> errors = client.StandardError.ReadToEndAsync(Stop);
        Assert.Equal("half", await client.StandardOutput.ReadLineAsync(Stop));
        await lab["A"].KillAsync();
        string? end = await client.StandardOutput.ReadLineAsync(Stop);
        Assert.True(end == "ok", $"{lab.Kind}: {end}\n{await errors}\n{lab["E"].Output}");
    }

    [Fact]
    public async Task Slow_line_loses_nothing_and_holds_up_only_what_goes_over_it()
    {
        await using NetworkLab lab = await NetworkLab.CreateAsync("A", "B", "C");
        await lab.StartAsync("A", "interior");
        await lab.StartAsync("B", "interior", "A");
        await lab.StartAsync("C", "interior", "B");
        await lab.ReachesAsync("A", 3);
        await lab.ReachesAsync("C", 3);
        await lab.LimitAsync("B", "C", 8000);
        string script = Programs.Script("Router", "line.py");
        // A long message on the slow line, and meanwhile thousands beside it.
        Task<ClientResult> slow = lab.RunClientAsync(
            Programs.Python, script, "slow_large", lab.UrlOf("A"), lab.UrlOf("C"));
        (await lab.RunClientAsync(Programs.Python, script, "settled", lab.UrlOf("A"), lab.UrlOf("B"))).AssertOk();
        (await slow).AssertOk();
        await lab.ReachesAsync("A", 3);
    }
}
