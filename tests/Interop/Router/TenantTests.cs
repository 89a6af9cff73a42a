using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>Listeners with <c>multiTenant</c> of nodes that are real processes; the client's virtual host is that of
/// its open.</summary>
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

    private static async Task RunAsync(string scenario, TenantNode near, TenantNode far)
    {
        string[] command =
            [Programs.Script("Router", "tenants.py"), scenario, near.TenantsUrl, far.TenantsUrl, far.CommonUrl];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }
}

/// <summary>A node with a listener for tenants and one for all.</summary>
internal sealed record TenantNode(PillarboxProcess Process, int Tenants, int Common) : IAsyncDisposable
{
    public string TenantsUrl => $"amqp://127.0.0.1:{Tenants}";

    public string CommonUrl => $"amqp://127.0.0.1:{Common}";

    public ValueTask DisposeAsync() => Process.DisposeAsync();
}

/// <summary>A line A - B with an edge E behind A.</summary>
public sealed class TenantNodes : IAsyncLifetime
{
    internal TenantNode A { get; private set; } = null!;

    internal TenantNode B { get; private set; } = null!;

    internal TenantNode E { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        A = await StartAsync("A", "interior");
        B = await StartAsync("B", "interior", "--connect", $"inter-router={A.Process.Listener("inter-router")}");
        E = await StartAsync("E", "edge", "--connect", $"edge={A.Process.Listener("edge")}");
        await A.Process.SaysAsync("radius 1");
        await B.Process.SaysAsync("radius 1");
        await E.Process.SaysAsync("connected");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (TenantNode? node in (TenantNode?[])[E, B, A])
        {
            if (node is not null)
            {
                await node.DisposeAsync();
            }
        }
    }

    private static async Task<TenantNode> StartAsync(string id, string mode, params string[] more)
    {
        int tenants = LoopbackPort.Free();
        int common = LoopbackPort.Free();
        string[] routers = mode == "edge" ? [] : ["inter-router", "edge"];
        string[] settings =
        [
            .. routers.Select(role => $"listeners.{role}.addresses.0=127.0.0.1:0"),
            "listeners.common.protocol=amqp", $"listeners.common.addresses.0=127.0.0.1:{common}",
            "listeners.tenants.protocol=amqp", $"listeners.tenants.addresses.0=127.0.0.1:{tenants}",
            "listeners.tenants.multiTenant=true",
        ];
        return new TenantNode(
            await PillarboxProcess.StartAsync(
                ":memory:", ownListeners: true,
                [
                    "--mode", mode, "--id", id, .. settings.SelectMany(setting => new[] { "--set", setting }), .. more,
                ]),
            tenants, common);
    }
}
