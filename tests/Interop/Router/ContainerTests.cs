using System.Diagnostics;
using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>Nodes that lead to another broker: queues in the middle, and links that go there as a whole.</summary>
public sealed class ContainerTests(ContainerLine line) : IClassFixture<ContainerLine>
{
    // What needs the broker's address space, its dead letters or dynamic nodes is not of links that go through.
    private static readonly string[] Scenarios =
    [
        "committed_sends_appear_together", "rolled_back_sends_never_appear", "committed_settlement_is_final",
        "rolled_back_settlement_comes_again", "move_from_queue_to_queue", "several_transactions_at_once",
        "closing_the_coordinator_rolls_back", "unknown_transaction_is_refused",
    ];

    public static IEnumerable<TheoryDataRow<string, string>> Transactions =>
        from node in (string[])["near", "far"]
        from scenario in Scenarios
        select new TheoryDataRow<string, string>(node, scenario);

    [Theory]
    [InlineData("wait_in_the_broker", "waits")]
    [InlineData("outcomes_reach_the_broker", "outcomes")]
    [InlineData("through", "q.through")]
    [InlineData("shown", "waits")]
    public Task Proton_over_three_nodes(string scenario, string address) => RunAsync(scenario, address);

    [Theory]
    [MemberData(nameof(Transactions))]
    public Task Transactions_go_through_to_the_broker(string node, string scenario) =>
        RunScenarioAsync(node == "near" ? line.Near : line.Far, scenario);

    [Theory]
    [InlineData(0)]
    [InlineData(1_000)]
    [InlineData(100_000)]
    [InlineData(10_000_000)]
    public Task Message_of_any_size_goes_through(int bytes) => RunScenarioAsync(line.Far, "size", $"{bytes}");

    [Theory]
    [InlineData("wait_in_the_broker", "waits")]
    [InlineData("outcomes_reach_the_broker", "outcomes")]
    [InlineData("through_edge", "q.edge")]
    public async Task Clients_of_an_edge_use_brokers_of_the_interior(string scenario, string address)
    {
        await using PillarboxProcess edge = await RouterNodes.StartEdgeAsync("E", line.Far);
        await edge.SaysAsync("connected");
        await RunAsync(scenario, address, line.Broker, line.Near, edge);
        if (scenario == "through_edge")
        {
            await RunScenarioAsync(edge, "several_transactions_at_once");
            await RunScenarioAsync(edge, "size", "10000000");
        }
    }

    [Fact]
    public async Task Clients_of_the_interior_and_of_other_edges_use_brokers_behind_an_edge()
    {
        await using PillarboxProcess hub = await RouterNodes.StartAsync("H");
        await using PillarboxProcess far = await RouterNodes.StartAsync("J", hub);
        await using PillarboxProcess near = await PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true,
            "--mode", "edge", "--id", "E", "--listen", "amqp=127.0.0.1:0",
            "--connect", $"edge={hub.Listener("edge")}",
            "--connect", $"route-container={line.Broker.Listener("amqp")}",
            "--link-route", "q", "--link-route", "$coordinator");
        await using PillarboxProcess edge = await RouterNodes.StartEdgeAsync("G", far);
        await edge.SaysAsync("connected");
        await far.SaysAsync("radius 1");
        string[] known = [Programs.Script("Router", "containers.py"), "known", hub.AmqpUrl, far.AmqpUrl];
        (await ClientProcess.RunAsync(Programs.Python, known)).AssertOk();
        foreach (PillarboxProcess client in (PillarboxProcess[])[far, edge])
        {
            await RunAsync("through_edge", "q.behind", line.Broker, far, client);
            await RunScenarioAsync(client, "several_transactions_at_once");
        }
    }

    [Fact]
    public async Task Lost_broker_ends_links_and_comes_back_for_all()
    {
        using var data = new TemporaryDirectory();
        await using PillarboxProcess broker = await PillarboxProcess.StartAsync(
            data.Path, ownListeners: true, "--listen", "amqp=127.0.0.1:0");
        await using PillarboxProcess near = await ContainerLine.StartNearAsync("N", broker);
        await using PillarboxProcess far = await ContainerLine.StartAsync("F", near);
        await far.SaysAsync("radius 1");
        await near.SaysAsync("auto link 3 on connection route-container-1: attached");
        string address = broker.Listener("amqp");
        using Process client = ClientProcess.Start(
            Programs.Python,
            [Programs.Script("Router", "containers.py"), "lost", "q.lost", broker.AmqpUrl, near.AmqpUrl, far.AmqpUrl]);
        Task<string> errors = client.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal("there", await client.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await broker.KillAsync();
        string? end = await client.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.True(end == "ok", $"{end}\n{await errors}\n{near.Output}\n{far.Output}");
        await RunAsync("no_route", "q.lost", broker, near, far);

        await using PillarboxProcess again = await PillarboxProcess.StartAsync(
            data.Path, ownListeners: true, "--listen", $"amqp={address}");
        await near.SaysAsync("auto link 3 on connection route-container-1: attached", times: 2);
        await RunAsync("wait_in_the_broker", "waits", again, near, far);
    }

    private static async Task RunScenarioAsync(PillarboxProcess node, params string[] scenario)
    {
        string[] command = [Programs.Script("proton", "run.py"), node.AmqpUrl, .. scenario];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }

    private Task RunAsync(string scenario, string address) =>
        RunAsync(scenario, address, line.Broker, line.Near, line.Far);

    private static async Task RunAsync(
        string scenario, string address, PillarboxProcess broker, PillarboxProcess near, PillarboxProcess far)
    {
        string[] command =
        [
            Programs.Script("Router", "containers.py"), scenario, address, broker.AmqpUrl, near.AmqpUrl, far.AmqpUrl,
        ];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }
}

/// <summary>A broker that is a node by itself, and a line Near - Middle - Far of routers, of which Near is connected to
/// it.</summary>
public sealed class ContainerLine : IAsyncLifetime
{
    private static readonly string[] Waypoints = ["waits", "outcomes"];

    internal PillarboxProcess Broker { get; private set; } = null!;

    internal PillarboxProcess Near { get; private set; } = null!;

    internal PillarboxProcess Middle { get; private set; } = null!;

    internal PillarboxProcess Far { get; private set; } = null!;

    /// <summary>The router that is connected to the broker.</summary>
    internal static Task<PillarboxProcess> StartNearAsync(string id, PillarboxProcess broker) =>
        PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true,
            [
                "--mode", "interior", "--id", id, "--listen", "amqp=127.0.0.1:0",
                "--listen", "inter-router=127.0.0.1:0",
                "--connect", $"route-container={broker.Listener("amqp")}",
                "--link-route", "q", "--link-route", "$coordinator",
                .. Waypoints.SelectMany(address => new[] { "--waypoint", address }),
            ]);

    /// <summary>A router behind another.</summary>
    internal static Task<PillarboxProcess> StartAsync(string id, PillarboxProcess peer) =>
        PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true,
            [
                "--mode", "interior", "--id", id, "--listen", "amqp=127.0.0.1:0",
                "--listen", "inter-router=127.0.0.1:0", "--listen", "edge=127.0.0.1:0",
                "--connect", $"inter-router={peer.Listener("inter-router")}",
                .. Waypoints.SelectMany((address, index) => new[]
                {
                    "--set", $"router.addresses.{index}.pattern={address}",
                    "--set", $"router.addresses.{index}.waypoint=true",
                }),
            ]);

    public async ValueTask InitializeAsync()
    {
        Broker = await PillarboxProcess.StartAsync(":memory:", ownListeners: true, "--listen", "amqp=127.0.0.1:0");
        Near = await StartNearAsync("N", Broker);
        Middle = await StartAsync("M", Near);
        Far = await StartAsync("F", Middle);
        await Far.SaysAsync("radius 2");
        await Near.SaysAsync("auto link 3 on connection route-container-1: attached");
        string[] command = [Programs.Script("Router", "containers.py"), "known", Near.AmqpUrl, Far.AmqpUrl];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PillarboxProcess? node in (PillarboxProcess?[])[Far, Middle, Near, Broker])
        {
            if (node is not null) await node.DisposeAsync();
        }
    }
}
