using System.Globalization;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>What more consumers of one partition cost the server: the same records, written at a rate that it can keep,
/// read by nobody, by one consumer, and by ten.</summary>
internal sealed class ConsumersRow : ILoadRow
{
    private const int Many = 10;
    private const string Load = "--size 100 --rate 100000 --linger-ms 5";
    private const string NoneCores = "coresOfNoConsumer";
    private const string OneCores = "coresOfOneConsumer";
    private const string ManyCores = "coresOfTenConsumers";
    private int _runs;

    public string Name => "stream-1-10";

    public string Description => "streams, 100 B, one producer with 100,000 records/s in batches of 5 ms, ten "
        + "consumers of one partition; \"cores\" is the server's processor time in a second, for records and readers "
        + "together";

    public bool IsLong => false;

    public IReadOnlyList<string> Peers => ["pillarbox"];

    public IReadOnlyList<Goal> Goals =>
    [
        new("ten consumers cost the server less than three times one",
            r => r.Median("pillarbox", ManyCores) / r.Median("pillarbox", OneCores), 3, false),
        Goal.AtMost("at most 300 MiB resident", Figure.ResidentMiB, 300),
    ];

    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        var node = (PillarboxPeer)peer;
        Dictionary<string, double> none = await PerfAsync(node, options, 0);
        Dictionary<string, double> one = await PerfAsync(node, options, 1);
        Dictionary<string, double> figures = await PerfAsync(node, options, Many);
        figures[NoneCores] = Cores(none);
        figures[OneCores] = Cores(one);
        figures[ManyCores] = Cores(figures);
        figures["readingTimesOne"] =
            (figures[ManyCores] - figures[NoneCores]) / (figures[OneCores] - figures[NoneCores]);
        return figures;
    }

    private static double Cores(Dictionary<string, double> figures) =>
        figures[Figure.ServerCpuUs] * figures[Figure.Rate] / 1e6;

    private Task<Dictionary<string, double>> PerfAsync(PillarboxPeer node, LoadOptions options, int consumers) =>
        PerfProcess.RunAsync(
            options.Program,
            [
                "perf", "kafka", "--url", node.KafkaServers, "--topic", $"load-{Name}-{_runs++}", "--duration",
                options.DurationSeconds.ToString(CultureInfo.InvariantCulture), "--consumers",
                consumers.ToString(CultureInfo.InvariantCulture), "--server-pid",
                node.Pid.ToString(CultureInfo.InvariantCulture), "-o", "json", .. Load.Split(' '),
            ]);
}
