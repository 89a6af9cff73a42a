using System.Diagnostics;
using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>Messages over several nodes that are real processes, with clients of others.</summary>
public sealed class RouterTests(RouterLine line) : IClassFixture<RouterLine>
{
    [Theory]
    [InlineData("outcomes")]
    [InlineData("settled")]
    [InlineData("large")]
    [InlineData("request_response")]
    [InlineData("multicast")]
    [InlineData("all_routers")]
    [InlineData("moves")]
    public async Task Proton_over_three_nodes(string scenario) =>
        await RunAsync("line.py", scenario, line.A, line.C, line.B);

    [Theory]
    [InlineData("outcomes")]
    [InlineData("settled")]
    [InlineData("request_response")]
    public async Task Proton_from_edge_to_edge(string scenario) =>
        await RunAsync("line.py", scenario, line.E, line.F);

    [Theory]
    [InlineData("wait_in_the_queue")]
    [InlineData("outcomes_reach_the_queue")]
    [InlineData("topic")]
    [InlineData("large_queue")]
    [InlineData("large_from_queue")]
    [InlineData("drained")]
    public async Task Broker_of_one_node_serves_all(string scenario) =>
        await RunAsync("brokers.py", scenario, line.A, line.B, line.C);

    [Theory]
    [InlineData("wait_in_the_queue")]
    [InlineData("outcomes_reach_the_queue")]
    [InlineData("topic")]
    [InlineData("large_queue")]
    [InlineData("large_from_queue")]
    [InlineData("drained")]
    public async Task Broker_of_an_edge_serves_the_interior_and_other_edges(string scenario) =>
        await RunAsync("brokers.py", scenario, line.E, line.B, line.F);

    [Theory]
    [InlineData("wait_in_the_queue")]
    [InlineData("topic")]
    [InlineData("drained")]
    public async Task Broker_of_the_interior_serves_edges(string scenario) =>
        await RunAsync("brokers.py", scenario, line.A, line.E, line.F);

    [Fact]
    public async Task Rhea_over_three_nodes()
    {
        string[] command = [Programs.Script("rhea", "line.js"), line.A.AmqpPort, line.C.AmqpPort];
        (await ClientProcess.RunAsync("node", command)).AssertOk();
    }

    [Fact]
    public async Task Router_of_others_joins_advertises_an_address_and_gets_messages()
    {
        string[] command =
            [Programs.Script("Router", "peer.py"), $"amqp://{line.A.Listener("inter-router")}", line.A.AmqpUrl];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }

    [Fact]
    public async Task Killed_node_is_gone_around_and_nothing_accepted_is_lost()
    {
        await using PillarboxProcess first = await RouterNodes.StartAsync("A");
        await using PillarboxProcess way = await RouterNodes.StartAsync("B", first);
        await using PillarboxProcess other = await RouterNodes.StartAsync("D", first);
        await using PillarboxProcess last = await RouterNodes.StartAsync("C", way, other);
        await first.SaysAsync("radius 2");
        await last.SaysAsync("radius 2");
        using Process client = ClientProcess.Start(
            Programs.Python, [Programs.Script("Router", "line.py"), "reroute", first.AmqpUrl, last.AmqpUrl]);
        Task<string> errors = client.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal("half", await client.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await way.KillAsync();
        string? end = await client.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.True(end == "ok", $"{end}\n{await errors}\n{first.Output}\n{last.Output}");
    }

    private static async Task RunAsync(string script, string scenario, params PillarboxProcess[] nodes)
    {
        string[] command = [Programs.Script("Router", script), scenario, .. nodes.Select(node => node.AmqpUrl)];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }
}
