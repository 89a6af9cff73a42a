using System.Globalization;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>What transactions cost: the same load without and with them, and how much later committed records
/// come.</summary>
internal sealed class TransactionsRow : ILoadRow
{
    private const int PerSecond = 100;
    private const string Load = "--size 100";
    private const string Steady = "--size 100 --rate 100000";
    private int _runs;

    public string Name => "transactions-100";

    public string Description => "streams, 100 B in batches of 16 KiB, one producer with 100 transactions/s, one "
        + "consumer of committed records, against the same without transactions; latencies at 100,000 records/s";

    public bool IsLong => false;

    public IReadOnlyList<string> Peers => ["pillarbox"];

    public IReadOnlyList<Goal> Goals =>
    [
        new Goal("at most 20 % of the throughput",
            r => 1 - (r.Median("pillarbox", Figure.Rate) / r.Median("pillarbox", "plainRate")), 0.2, false),
        Goal.AtMost("at most 300 MiB resident", Figure.ResidentMiB, 300),
    ];

    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        var node = (PillarboxPeer)peer;
        Dictionary<string, double> plain = await PerfAsync(node, options, Load, 0);
        Dictionary<string, double> figures = await PerfAsync(node, options, Load, PerSecond);
        figures["plainRate"] = plain[Figure.Rate];
        Dictionary<string, double> steady = await PerfAsync(node, options, Steady, 0);
        Dictionary<string, double> transactional = await PerfAsync(node, options, Steady, PerSecond);
        figures["addedDeliveredP50Us"] = transactional[Figure.DeliveredP50Us] - steady[Figure.DeliveredP50Us];
        figures["addedDeliveredP99Us"] = transactional[Figure.DeliveredP99Us] - steady[Figure.DeliveredP99Us];
        return figures;
    }

    private Task<Dictionary<string, double>> PerfAsync(
        PillarboxPeer node, LoadOptions options, string load, int transactions) => PerfProcess.RunAsync(
            options.Program,
            [
                "perf", "kafka", "--url", node.KafkaServers, "--topic", $"load-{Name}-{_runs++}", "--duration",
                options.DurationSeconds.ToString(CultureInfo.InvariantCulture), "--transactions",
                transactions.ToString(CultureInfo.InvariantCulture), "--server-pid",
                node.Pid.ToString(CultureInfo.InvariantCulture), "-o", "json", .. load.Split(' '),
            ]);
}
