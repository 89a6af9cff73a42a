using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>Listeners with <c>multiTenant</c> of nodes that are real processes; the client's virtual host is that of its
/// open.</summary>
public sealed class TenantTests(TenantNodes nodes) : IClassFixture<TenantNodes>
{
    [Fact]
    public Task Hosts_are_apart_on_one_node() => RunAsync("apart", nodes.A, nodes.A);

    [Fact]
    public Task Hosts_are_apart_through_the_interior() => RunAsync("apart", nodes.A, nodes.B);

    [Fact]
    public Task Hosts_are_apart_from_an_edge_to_the_interior_behind_it() => RunAsync("apart", nodes.E, nodes.B);

    [Fact]
    public Task Hosts_are_apart_from_the_interior_to_an_edge() => RunAsync("apart", nodes.B, nodes.E);

    [Fact]
    public Task A_connection_says_whose_it_is() => RunAsync("shown", nodes.A, nodes.A);

    private static async Task RunAsync(string scenario, PillarboxProcess near, PillarboxProcess far)
    {
        string[] command =
        [
            Programs.Script("Router", "tenants.py"), scenario, Url(near, "tenants"), Url(far, "tenants"),
            Url(far, "common"),
        ];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }

    private static string Url(PillarboxProcess node, string listener) => $"amqp://{node.Listener(listener)}";
}

/// <summary>A line A - B with an edge E behind A; each has a listener for tenants and one for all.</summary>
public sealed class TenantNodes : IAsyncLifetime
{
    internal PillarboxProcess A { get; private set; } = null!;

    internal PillarboxProcess B { get; private set; } = null!;

    internal PillarboxProcess E { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        A = await StartAsync("A", "interior");
        B = await StartAsync("B", "interior", "--connect", $"inter-router={A.Listener("inter-router")}");
        E = await StartAsync("E", "edge", "--connect", $"edge={A.Listener("edge")}");
        await A.SaysAsync("radius 1");
        await B.SaysAsync("radius 1");
        await E.SaysAsync("connected");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PillarboxProcess? node in (PillarboxProcess?[])[E, B, A])
        {
            if (node is not null)
            {
                await node.DisposeAsync();
            }
        }
    }

    private static Task<PillarboxProcess> StartAsync(string id, string mode, params string[] more)
    {
        string[] routers = mode == "edge" ? []
            : ["--listen", "inter-router=127.0.0.1:0", "--listen", "edge=127.0.0.1:0"];
        return PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true,
            [
                "--mode", mode, "--id", id, .. routers,
                "--set", "listeners.common.protocol=amqp", "--set", "listeners.common.addresses.0=127.0.0.1:0",
                "--set", "listeners.tenants.protocol=amqp", "--set", "listeners.tenants.addresses.0=127.0.0.1:0",
                "--set", "listeners.tenants.multiTenant=true", .. more,
            ]);
    }
}
