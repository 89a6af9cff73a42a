using System.Globalization;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>A queue filled by one protocol and emptied by another, by <c>pillarbox perf cross</c>; and each of the two
/// protocols by itself, for the slower one's rate is the measure.</summary>
internal sealed class CrossRow(string from, string to, string description) : ILoadRow
{
    private const string SlowerAlone = "slowerAloneMessagesPerSecond";

    private int _runs;

    public string Name => $"cross-{from}-{to}";

    public string Description => description;

    public bool IsLong => false;

    public IReadOnlyList<string> Peers => [PillarboxPeer.PeerName];

    public IReadOnlyList<Goal> Goals =>
    [
        new Goal("at least half the slower protocol's own rate",
            r => r.Median(PillarboxPeer.PeerName, Figure.Rate) / r.Median(PillarboxPeer.PeerName, SlowerAlone), 0.5,
            true),
    ];

    /// <inheritdoc/>
    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        WarmMemory.Touch();
        Dictionary<string, double> alone = await AloneAsync(from, peer, options);
        Dictionary<string, double> second = await AloneAsync(to, peer, options);
        string[] arguments =
        [
            "perf", "cross", "--from", $"{from}={Place(from, peer)}", "--to", $"{to}={Place(to, peer)}", "--queue",
            $"load-{Name}-{_runs++}",
        ];
        Dictionary<string, double> figures = await MeasureAsync(arguments, peer, options);
        figures[SlowerAlone] = Math.Min(alone[Figure.Rate], second[Figure.Rate]);
        return figures;
    }

    private Task<Dictionary<string, double>> AloneAsync(string protocol, IPeer peer, LoadOptions options)
    {
        string place = $"load-{Name}-{protocol}-{_runs}";
        string[] arguments = protocol switch
        {
            "amqp" => ["perf", "amqp", "--url", peer.AmqpUrl!, "--address", place],
            "mqtt" =>
            [
                "perf", "mqtt", "--url", Place(protocol, peer), "--topic", place, "--qos", "1", "--persistent",
                "--in-flight", "1000",
            ],
            _ => ["perf", protocol, "--url", Place(protocol, peer), "--destination", $"/queue/{place}"],
        };
        // Quality of service 1 is what is durable in MQTT.
        return MeasureAsync(arguments, peer, options, isDurable: protocol != "mqtt");
    }

    private static Task<Dictionary<string, double>> MeasureAsync(
        string[] arguments, IPeer peer, LoadOptions options, bool isDurable = true) =>
        PerfProcess.RunAsync(options.Program,
        [
            .. arguments, .. isDurable ? (string[])["--durable"] : [], "--duration",
            options.DurationSeconds.ToString(CultureInfo.InvariantCulture), "--server-pid",
            peer.Pid.ToString(CultureInfo.InvariantCulture), "--output", "json",
        ]);

    private static string Place(string protocol, IPeer peer) =>
        protocol == "amqp" ? new Uri(peer.AmqpUrl!).Authority : peer.AddressOf(protocol)!;
}
