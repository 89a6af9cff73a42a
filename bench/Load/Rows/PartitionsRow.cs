using System.Globalization;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>What a node with thousands of partitions takes: to start after a stop and after a kill, in memory, and in
/// processor time while nothing happens.</summary>
internal sealed class PartitionsRow : ILoadRow
{
    private const int Partitions = 5000;
    private const double IdleSeconds = 5;

    public string Name => "partitions-5000";

    public string Description => "a node with 5,000 partitions, a batch in each: start, memory, idle processor time";

    public bool IsLong => false;

    public IReadOnlyList<string> Peers => ["pillarbox"];

    public IReadOnlyList<Goal> Goals =>
    [
        Goal.AtMost("ready within 5 s after a clean stop", Figure.ReadyMs, 5000),
        Goal.AtMost("ready within 5 s after a kill", "readyAfterKillMs", 5000),
        Goal.AtMost("at most 300 MiB resident", Figure.ResidentMiB, 300),
        Goal.AtMost("idle, at most 2 % of a core", "idleCpuPercent", 2),
    ];

    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        string data = PeerProcess.NewFolder("partitions");
        try
        {
            await using (PillarboxPeer first = await PillarboxPeer.StartAsync(options.Program, data))
            {
                await FillAsync(options.Program, first);
                Processes.Kill(first.Pid);
            }

            Dictionary<string, double> figures = [];
            await using (PillarboxPeer killed = await PillarboxPeer.StartAsync(options.Program, data))
            {
                figures["readyAfterKillMs"] = killed.ReadyMs;
            }

            await using PillarboxPeer stopped = await PillarboxPeer.StartAsync(options.Program, data);
            figures[Figure.ReadyMs] = stopped.ReadyMs;
            await Task.Delay(TimeSpan.FromSeconds(IdleSeconds));
            double before = Processes.CpuSeconds(stopped.Pid);
            await Task.Delay(TimeSpan.FromSeconds(IdleSeconds));
            figures["idleCpuPercent"] = (Processes.CpuSeconds(stopped.Pid) - before) / IdleSeconds * 100;
            figures[Figure.ResidentMiB] = Processes.ResidentMiB(stopped.Pid);
            return figures;
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task FillAsync(string program, PillarboxPeer node)
    {
        string partitions = Partitions.ToString(CultureInfo.InvariantCulture);
        await Processes.RunAsync(
            program, "stream", "create", "many", "--partitions", partitions, "--url", node.HttpUrl);
        await PerfProcess.RunAsync(program,
        [
            "perf", "kafka", "--url", node.KafkaServers, "--topic", "many", "--partitions", partitions, "--size", "100",
            "--batch-bytes", "200", "--in-flight", "500", "--consumers", "0", "--warm-up", "0", "--duration", "5",
            "-o", "json",
        ]);
    }
}
