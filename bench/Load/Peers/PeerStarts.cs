using System.Diagnostics;

namespace Pillarbox.Load.Peers;

/// <summary>Which peers there are and whether they are installed.</summary>
internal static class PeerStarts
{
    private static readonly Dictionary<string, (string Package, string File)> Needs = new()
    {
        ["rabbitmq"] = ("rabbitmq-server", RabbitMqPeer.Server),
        ["rabbitmq-streams"] = ("rabbitmq-server", RabbitMqPeer.Server),
        ["activemq"] = ("activemq", ActiveMqPeer.Libraries),
        ["mosquitto"] = ("mosquitto", MosquittoPeer.Server),
        ["nats"] = ("nats-server", "/usr/sbin/nats-server"),
    };

    public static bool IsInstalled(string peer) => !Needs.TryGetValue(peer, out var need) || Path.Exists(need.File);

    public static async Task<IPeer> StartAsync(string peer, LoadOptions options) => peer switch
    {
        "pillarbox" => await PillarboxPeer.StartAsync(options.Program),
        "rabbitmq" => await RabbitMqPeer.StartAsync(withStreams: false),
        "rabbitmq-streams" => await RabbitMqPeer.StartAsync(withStreams: true),
        "activemq" => await ActiveMqPeer.StartAsync(),
        "mosquitto" => await MosquittoPeer.StartAsync(),
        "nats" => await NatsPeer.StartAsync(),
        "relay" => await RelayPeer.StartAsync(),
        _ => throw new ArgumentException($"there is no peer {peer}"),
    };

    /// <summary>Installs what is missing, without starting the packages' own services.</summary>
    public static void Install(IEnumerable<string> peers)
    {
        string[] missing = [.. peers.Where(p => !IsInstalled(p)).Select(p => Needs[p].Package).Distinct()];
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
}
