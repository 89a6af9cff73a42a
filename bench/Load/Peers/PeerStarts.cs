using System.Diagnostics;

namespace Pillarbox.Load.Peers;

/// <summary>Which peers there are and whether they are installed.</summary>
internal static class PeerStarts
{
    private static readonly (string Peer, string Package, string File)[] Needs =
    [
        ("rabbitmq", "rabbitmq-server", RabbitMqPeer.Server),
        ("rabbitmq-streams", "rabbitmq-server", RabbitMqPeer.Server),
        ("activemq", "activemq", ActiveMqPeer.Libraries),
        // Its MQTT connector accepts connections without this, and then answers nothing.
        ("activemq", "libmqtt-client-java", ActiveMqPeer.MqttCodec),
        ("mosquitto", "mosquitto", MosquittoPeer.Server),
        ("nats", "nats-server", "/usr/sbin/nats-server"),
    ];

    public static bool IsInstalled(string peer) =>
        Missing(peer).Length == 0 && (peer != QdrouterdPeer.PeerName || QdrouterdPeer.IsGiven);

    public static async Task<IPeer> StartAsync(string peer, LoadOptions options) => peer switch
    {
        "pillarbox" => await PillarboxPeer.StartAsync(options.Program),
        "rabbitmq" => await RabbitMqPeer.StartAsync(withStreams: false),
        "rabbitmq-streams" => await RabbitMqPeer.StartAsync(withStreams: true),
        "activemq" => await ActiveMqPeer.StartAsync(),
        "mosquitto" => await MosquittoPeer.StartAsync(),
        "nats" => await NatsPeer.StartAsync(),
        QdrouterdPeer.PeerName => new QdrouterdPeer(),
        "relay" => await RelayPeer.StartAsync(),
        _ => throw new ArgumentException($"there is no peer {peer}"),
    };

    /// <summary>Installs what is missing, without starting the packages' own services.</summary>
    public static void Install(IEnumerable<string> peers)
    {
        string[] missing = [.. peers.SelectMany(Missing).Distinct()];
        if (missing.Length == 0)
        {
            return;
        }
        Console.WriteLine($"installing {string.Join(", ", missing)}");
        ProcessStartInfo apt = new("apt-get", ["install", "-y", "-q", "--no-install-recommends", .. missing]);
        apt.Environment["RUNLEVEL"] = "1";
        using Process process = Process.Start(apt)!;
        process.WaitForExit();
    }

    private static string[] Missing(string peer) =>
        [.. Needs.Where(need => need.Peer == peer && !Path.Exists(need.File)).Select(need => need.Package)];
}
