using System.Diagnostics;
using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>A stream of one node, written and read by clients of others.</summary>
public sealed class StreamReadingTests(StreamLine line) : IClassFixture<StreamLine>
{
    [Theory]
    [InlineData("positions")]
    [InlineData("batches")]
    [InlineData("group")]
    [InlineData("large")]
    [InlineData("refused")]
    [InlineData("drained")]
    public async Task Reader_elsewhere_begins_where_it_says(string scenario)
    {
        string stream = await line.NewStreamAsync(scenario);
        string[] command =
            [Programs.Script("Router", "streams.py"), scenario, stream, line.A.AmqpUrl, line.B.AmqpUrl, line.C.AmqpUrl];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }

    [Theory]
    [InlineData("positions")]
    [InlineData("refused")]
    [InlineData("drained")]
    public async Task Reader_of_an_edge_too(string scenario)
    {
        string stream = await line.NewStreamAsync("edge-" + scenario);
        string[] command =
            [Programs.Script("Router", "streams.py"), scenario, stream, line.A.AmqpUrl, line.B.AmqpUrl, line.E.AmqpUrl];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }
}

/// <summary>The same, where nodes go.</summary>
public sealed class LostStreamTests
{
    [Fact]
    public async Task Link_ends_with_the_streams_node()
    {
        await using var line = new StreamLine();
        await line.InitializeAsync();
        string stream = await line.NewStreamAsync("lost");
        using Process client = ClientProcess.Start(
            Programs.Python,
            [Programs.Script("Router", "streams.py"), "lost", stream, line.A.AmqpUrl, line.C.AmqpUrl]);
        Task<string> errors = client.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal("reading", await client.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await line.A.KillAsync();
        string? end = await client.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.True(end == "ok", $"{end}\n{await errors}\n{line.C.Output}");
    }
}

/// <summary>A line A - B - C with an edge E behind C; A has the streams.</summary>
public sealed class StreamLine : IAsyncLifetime
{
    internal PillarboxProcess A { get; private set; } = null!;

    internal PillarboxProcess B { get; private set; } = null!;

    internal PillarboxProcess C { get; private set; } = null!;

    internal PillarboxProcess E { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        A = await PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true,
            [
                "--mode", "interior", "--id", "A", "--listen", "amqp=127.0.0.1:0",
                "--listen", "inter-router=127.0.0.1:0", "--listen", "http=127.0.0.1:0",
            ]);
        B = await RouterNodes.StartAsync("B", A);
        C = await RouterNodes.StartAsync("C", B);
        E = await RouterNodes.StartEdgeAsync("E", C);
        await A.SaysAsync("radius 2");
        await C.SaysAsync("radius 2");
        await E.SaysAsync("connected");
    }

    /// <summary>Makes a stream of three partitions, and waits until the far node knows of it.</summary>
    internal async Task<string> NewStreamAsync(string name)
    {
        string[] create = ["stream", "create", name, "--partitions", "3", "--url", A.HttpUrl];
        ClientResult made = await ClientProcess.RunAsync(Programs.Pillarbox, create);
        Assert.True(made.ExitCode == 0, made.Everything);
        string[] wait = [Programs.Script("Router", "streams.py"), "known", name, C.AmqpUrl];
        (await ClientProcess.RunAsync(Programs.Python, wait)).AssertOk();
        return name;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PillarboxProcess? node in (PillarboxProcess?[])[E, C, B, A])
        {
            if (node is not null)
            {
                await node.DisposeAsync();
            }
        }
    }
}
