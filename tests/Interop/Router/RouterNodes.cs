using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>Nodes of a network as processes: A listens, others connect to it or to each other.</summary>
internal static class RouterNodes
{
    /// <summary>A node; what is sent to addresses that begin with "all" goes to everybody.</summary>
    public static Task<PillarboxProcess> StartAsync(string id, params PillarboxProcess[] peers) =>
        PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true,
            [
                "--mode", "interior", "--id", id, "--listen", "amqp=127.0.0.1:0",
                "--listen", "inter-router=127.0.0.1:0", "--listen", "edge=127.0.0.1:0",
                "--set", "router.addresses.0.prefix=all", "--set", "router.addresses.0.distribution=multicast",
                .. peers.SelectMany(peer => new[] { "--connect", $"inter-router={peer.Listener("inter-router")}" }),
            ]);

    /// <summary>A node at the edge, behind one of the interior.</summary>
    public static Task<PillarboxProcess> StartEdgeAsync(string id, PillarboxProcess behind) =>
        PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true,
            "--mode", "edge", "--id", id, "--listen", "amqp=127.0.0.1:0",
            "--connect", $"edge={behind.Listener("edge")}");

    /// <summary>Waits until a node has said something so many times.</summary>
    public static async Task SaysAsync(this PillarboxProcess node, string words, int times = 1)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (node.Output.Split(words).Length <= times)
        {
            Assert.False(patience.IsCancellationRequested, $"nothing of '{words}' in\n{node.Output}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}

/// <summary>A line A - B - C, with an edge E behind A and an edge F behind C, for all scenarios that leave it as it
/// is.</summary>
public sealed class RouterLine : IAsyncLifetime
{
    internal PillarboxProcess A { get; private set; } = null!;

    internal PillarboxProcess B { get; private set; } = null!;

    internal PillarboxProcess C { get; private set; } = null!;

    internal PillarboxProcess E { get; private set; } = null!;

    internal PillarboxProcess F { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        A = await RouterNodes.StartAsync("A");
        B = await RouterNodes.StartAsync("B", A);
        C = await RouterNodes.StartAsync("C", B);
        E = await RouterNodes.StartEdgeAsync("E", A);
        F = await RouterNodes.StartEdgeAsync("F", C);
        await A.SaysAsync("radius 2");
        await C.SaysAsync("radius 2");
        await E.SaysAsync("connected");
        await F.SaysAsync("connected");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PillarboxProcess? node in (PillarboxProcess?[])[F, E, C, B, A])
        {
            if (node is not null) await node.DisposeAsync();
        }
    }
}
