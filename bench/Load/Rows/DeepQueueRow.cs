using System.Diagnostics;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>Ten million messages in one queue: memory, and whether draining them falls off a cliff.</summary>
internal sealed class DeepQueueRow : ILoadRow
{
    private const int Messages = 10_000_000;
    private const int FewMessages = 10_000;
    private const int BodyBytes = 1024;

    public string Name => "deep-queue";

    public string Description => "10,000,000 queued durable messages of 1 KiB; then draining, against draining 10,000";

    public bool IsLong => true;

    public IReadOnlyList<string> Peers => ["pillarbox"];

    public IReadOnlyList<Goal> Goals =>
    [
        Goal.AtMost("at most 1,024 MiB resident", Figure.ResidentMiB, 1024),
        new Goal("draining at least half as fast as 10,000",
            r => r.Median("pillarbox", "drainRate") / r.Median("pillarbox", "fewDrainRate"), 0.5, true),
    ];

    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        string program = options.Program;
        await Processes.FillAsync(program, peer, FewMessages, BodyBytes);
        double few = await DrainAsync(program, peer, FewMessages);
        long start = Stopwatch.GetTimestamp();
        await Processes.FillAsync(program, peer, Messages, BodyBytes);
        double fillRate = Messages / Stopwatch.GetElapsedTime(start).TotalSeconds;
        double residentFull = Processes.ResidentMiB(peer.Pid);
        double all = await DrainAsync(program, peer, Messages);
        return new()
        {
            ["fillRate"] = fillRate,
            ["fewDrainRate"] = few,
            ["drainRate"] = all,
            [Figure.ResidentMiB] = Math.Max(residentFull, Processes.ResidentMiB(peer.Pid)),
        };
    }

    private static async Task<double> DrainAsync(string program, IPeer peer, int messages)
    {
        double seconds = await Processes.DrainAsync(program, peer, messages, BodyBytes);
        return messages / seconds;
    }
}
