using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>How soon an empty node is ready, and what it holds then.</summary>
internal sealed class StartRow : ILoadRow
{
    public string Name => "start-empty";

    public string Description => "from the start of the process to ready, without data; memory after two idle seconds";

    public bool IsLong => false;

    public IReadOnlyList<string> Peers => ["pillarbox"];

    public IReadOnlyList<Goal> Goals =>
    [
        Goal.AtMost("ready within 500 ms", Figure.ReadyMs, 500),
        Goal.AtMost("at most 90 MiB resident", Figure.ResidentMiB, 90),
    ];

    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        await using PillarboxPeer fresh = await PillarboxPeer.StartAsync(options.Program);
        await Task.Delay(TimeSpan.FromSeconds(2));
        return new() { [Figure.ReadyMs] = fresh.ReadyMs, [Figure.ResidentMiB] = Processes.ResidentMiB(fresh.Pid) };
    }
}

/// <summary>How soon a node is ready that holds a million messages: after a clean stop, and after a kill.</summary>
internal sealed class BacklogStartRow : ILoadRow
{
    private const int Messages = 1_000_000;

    public string Name => "start-million";

    public string Description => "from the start of the process to ready with 1,000,000 durable messages of 100 B";

    public bool IsLong => false;

    public IReadOnlyList<string> Peers => ["pillarbox"];

    public IReadOnlyList<Goal> Goals =>
    [
        Goal.AtMost("ready within 3 s after a clean stop", Figure.ReadyMs, 3000),
        Goal.AtMost("ready within 3 s after a kill", "readyAfterKillMs", 3000),
    ];

    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        string data = PeerProcess.NewFolder("million");
        try
        {
            await using (PillarboxPeer first = await PillarboxPeer.StartAsync(options.Program, data))
            {
                await Processes.FillAsync(options.Program, first, Messages, 100);
                Processes.Kill(first.Pid);
            }
            Dictionary<string, double> figures = [];
            await using (PillarboxPeer killed = await PillarboxPeer.StartAsync(options.Program, data))
            {
                figures["readyAfterKillMs"] = killed.ReadyMs;
            }
            await using PillarboxPeer stopped = await PillarboxPeer.StartAsync(options.Program, data);
            figures[Figure.ReadyMs] = stopped.ReadyMs;
            figures[Figure.ResidentMiB] = Processes.ResidentMiB(stopped.Pid);
            return figures;
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }
}
