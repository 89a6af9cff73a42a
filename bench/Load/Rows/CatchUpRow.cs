using System.Globalization;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>Fills a stream, then reads it from the start; with a small one before it, to compare. A reader of
/// Pillarbox asks for 4 MiB at once; one of RabbitMQ has ten chunks under way.</summary>
internal sealed class CatchUpRow(string name, string description, int bodyBytes, long records) : ILoadRow
{
    private const string FetchBytes = "4194304";
    private const string FreshRate = "freshRate";
    private int _runs;

    public string Name => name;

    public string Description => description;

    public bool IsLong { get; init; }

    /// <summary>Also reads when the stream has only so many records; 0: not.</summary>
    public long FreshRecords { get; init; }

    /// <summary>What else it is to reach.</summary>
    public IReadOnlyList<Goal> MoreGoals { get; init; } = [];

    public IReadOnlyList<string> Peers => ["pillarbox", "rabbitmq-streams"];

    public IReadOnlyList<Goal> Goals =>
    [
        Goal.RatioToRabbitMq(2),
        Goal.AtMost("at most 300 MiB resident", Figure.ResidentMiB, 300),
        .. MoreGoals,
        .. FreshRecords == 0 ? [] : (Goal[])
        [
            new("reads as fast as a fresh stream (at least 0.9 of it)",
                r => r.Median("pillarbox", Figure.Rate) / r.Median("pillarbox", FreshRate), 0.9, true),
        ],
    ];

    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        IStreamStore store = peer is RabbitMqPeer rabbit
            ? new RabbitStore(rabbit, bodyBytes)
            : new NodeStore((PillarboxPeer)peer, options.Program, $"load-{name}-{_runs++}", bodyBytes);
        Dictionary<string, double> figures = [];
        if (FreshRecords > 0)
        {
            await store.FillAsync(FreshRecords);
            figures[FreshRate] = (await store.DrainAsync(FreshRecords)).Rate;
        }

        figures["fillRate"] = await store.FillAsync(records - FreshRecords);
        double cpu = Processes.CpuSeconds(peer.Pid);
        Drained drained = await store.DrainAsync(records);
        figures[Figure.Rate] = drained.Rate;
        if (drained.ClientCpuUs is { } clientCpuUs)
        {
            figures[Figure.ClientCpuUs] = clientCpuUs;
        }

        figures[Figure.ServerCpuUs] = (Processes.CpuSeconds(peer.Pid) - cpu) * 1e6 / records;
        figures["MBPerSecond"] = figures[Figure.Rate] * bodyBytes / 1e6;
        figures[Figure.ResidentMiB] = Processes.ResidentMiB(peer.Pid);
        await store.DeleteAsync();
        return figures;
    }

    /// <summary>Records a second, and what each cost the client; null when that was not measured.</summary>
    private readonly record struct Drained(double Rate, double? ClientCpuUs);

    /// <summary>One stream of a peer.</summary>
    private interface IStreamStore
    {
        /// <summary>Writes so many records; returns records a second.</summary>
        Task<double> FillAsync(long count);

        /// <summary>Reads so many from the start.</summary>
        Task<Drained> DrainAsync(long count);

        /// <summary>Gives the disk's space back.</summary>
        Task DeleteAsync();
    }

    private sealed class NodeStore(PillarboxPeer node, string program, string topic, int bodyBytes) : IStreamStore
    {
        public async Task<double> FillAsync(long count) => (await PerfAsync("--fill", count)).Rate;

        public Task<Drained> DrainAsync(long count) => PerfAsync("--drain", count);

        public Task DeleteAsync() => Processes.RunAsync(program, "stream", "delete", topic, "--url", node.HttpUrl);

        private async Task<Drained> PerfAsync(string what, long count)
        {
            Dictionary<string, double> figures = await PerfProcess.RunAsync(program,
            [
                "perf", "kafka", "--url", node.KafkaServers, "--topic", topic, "--size",
                bodyBytes.ToString(CultureInfo.InvariantCulture), "--batch-bytes", "1000000",
                "--fetch-bytes", FetchBytes, what, count.ToString(CultureInfo.InvariantCulture), "-o", "json",
            ]);
            return new Drained(figures[Figure.Rate], figures[Figure.ClientCpuUs]);
        }
    }

    private sealed class RabbitStore(RabbitMqPeer peer, int bodyBytes) : IStreamStore
    {
        private string? _stream;

        public async Task<double> FillAsync(long count)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            _stream = await RabbitStreamMeasure.FillAsync(peer, _stream, bodyBytes, count);
            return count / System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        public async Task<Drained> DrainAsync(long count) =>
            new(await RabbitStreamMeasure.DrainAsync(peer, _stream!, count), null);

        public Task DeleteAsync()
        {
            RabbitStreams.StreamLoad.Delete(peer.StreamPort, _stream!);
            return Task.CompletedTask;
        }
    }
}
