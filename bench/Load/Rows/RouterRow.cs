using System.Diagnostics;
using System.Globalization;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>
/// Messages through a line of routers without a queue: the sender at its one end, the receiver at the other. The nodes
/// are the row's own; the processor time is that of the first one.
/// </summary>
internal sealed class RouterRow(int nodes, string name, string description, string arguments) : ILoadRow
{
    private const int ReadySeconds = 60;

    // Its routes need some seconds and it says nothing when they are there.
    private static readonly TimeSpan RoutesOfPeer = TimeSpan.FromSeconds(5);

    public string Name => name;

    public string Description => description;

    public bool IsLong => false;

    public IReadOnlyList<string> Peers => ["pillarbox", QdrouterdPeer.PeerName];

    public IReadOnlyList<Goal> Goals { get; init; } = [];

    /// <inheritdoc/>
    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        var line = new List<LineNode>();
        try
        {
            for (int i = 0; i < nodes; i++)
            {
                line.Add(peer is QdrouterdPeer
                    ? await QdrouterdPeer.StartNodeAsync(i, line.LastOrDefault())
                    : await StartNodeAsync(options.Program, i, line.LastOrDefault()));
            }

            if (peer is QdrouterdPeer)
            {
                await Task.Delay(RoutesOfPeer);
            }

            string[] all =
            [
                "perf", "amqp", "--url", "amqp://" + line[^1].Amqp, "--receive-url",
                "amqp://" + line[0].Amqp, "--address", "line", "--duration",
                options.DurationSeconds.ToString(CultureInfo.InvariantCulture), "--server-pid",
                line[0].Process.Pid.ToString(CultureInfo.InvariantCulture), "-o", "json",
                .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            ];
            return await PerfProcess.RunAsync(options.Program, all);
        }
        finally
        {
            foreach (LineNode node in Enumerable.Reverse(line))
            {
                await node.DisposeAsync();
            }
        }
    }

    private static async Task<LineNode> StartNodeAsync(string program, int number, LineNode? before)
    {
        PeerProcess process = await StartAsync(program, number, before?.Process);
        return new LineNode(process, AddressOf(process, "amqp"), AddressOf(process, "inter-router"));
    }

    /// <summary>Starts a node of a line, connected to the one before it.</summary>
    public static async Task<PeerProcess> StartAsync(
        string program, int number, PeerProcess? before, params string[] more)
    {
        string[] connect = before is null ? [] : ["--connect", $"inter-router={AddressOf(before, "inter-router")}"];
        string[] arguments =
        [
            "run", "--data", ":memory:", "--mode", "interior", "--id", $"N{number}", "--listen", "amqp=127.0.0.1:0",
            "--listen", "inter-router=127.0.0.1:0", .. connect, .. more,
        ];
        PeerProcess process = PeerProcess.Start(new ProcessStartInfo(program, arguments), null);
        try
        {
            await process.WaitForLineAsync(line => line == "ready", ReadySeconds);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Where one of its listeners is.</summary>
    public static string AddressOf(PeerProcess process, string listener) =>
        process.Lines.First(l => l.StartsWith($"listening {listener} ", StringComparison.Ordinal)).Split(' ')[2];
}
