using System.Diagnostics;
using System.Globalization;

namespace Pillarbox.Load.Peers;

/// <summary>RabbitMQ from Debian with its AMQP 1.0 plugin, or with that of streams: an own node beside whatever else
/// runs.</summary>
internal sealed class RabbitMqPeer : IPeer
{
    public const string Server = "/usr/lib/rabbitmq/bin/rabbitmq-server";
    private readonly PeerProcess _process;
    private readonly int _epmdPort;

    private RabbitMqPeer(PeerProcess process, RabbitPorts ports, string version)
    {
        _process = process;
        _epmdPort = ports.Epmd;
        Pid = process.PidOf("beam.smp");
        AmqpUrl = ports.Stream > 0 ? null : $"amqp://guest:guest@127.0.0.1:{ports.Amqp}";
        StreamPort = ports.Stream;
        Version = version;
    }

    public string Name => StreamPort > 0 ? "rabbitmq-streams" : "rabbitmq";

    /// <summary>Where its stream protocol is; 0: it has the other plugin.</summary>
    public int StreamPort { get; }

    public string Version { get; }

    public int Pid { get; }

    public IReadOnlyList<string> Lines => _process.Lines;

    public string? AmqpUrl { get; }

    // The plugin's name for a queue that it declares, durable, when somebody attaches.
    public string QueueAddress(string queue) => $"/queue/{queue}";

    /// <summary>Starts a node with the plugin of streams, or that of AMQP 1.0.</summary>
    public static async Task<RabbitMqPeer> StartAsync(bool withStreams)
    {
        string folder = PeerProcess.NewFolder("rabbitmq");
        RabbitPorts ports = new(
            PeerProcess.FreePort(), PeerProcess.FreePort(), withStreams ? PeerProcess.FreePort() : 0);
        PeerProcess process = PeerProcess.Start(StartInfo(folder, ports), folder);
        try
        {
            await process.WaitForLineAsync(l => l.Contains("Server startup complete", StringComparison.Ordinal), 90);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
        string[] words = (process.Lines.FirstOrDefault(l => l.Contains("Starting RabbitMQ", StringComparison.Ordinal))
            ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int at = Array.IndexOf(words, "RabbitMQ");
        string version = at >= 0 && at + 1 < words.Length ? words[at + 1] : "";
        string kind = withStreams ? "stream plugin" : "AMQP 1.0 plugin, classic durable queue";
        return new RabbitMqPeer(process, ports, $"RabbitMQ {version} ({kind})");
    }

    public async ValueTask DisposeAsync()
    {
        PeerProcess.Terminate(Pid);
        await _process.DisposeAsync();
        ProcessStartInfo stop = new("epmd", ["-port", _epmdPort.ToString(CultureInfo.InvariantCulture), "-kill"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process epmd = Process.Start(stop)!;
        await epmd.WaitForExitAsync();
    }

    private static ProcessStartInfo StartInfo(string folder, RabbitPorts ports)
    {
        (int port, int epmd, int stream) = ports;
        string plugin = stream > 0 ? "rabbitmq_stream" : "rabbitmq_amqp1_0";
        string streamListener = stream > 0 ? $"stream.listeners.tcp.1 = 127.0.0.1:{stream}" : "";
        File.WriteAllText(Path.Combine(folder, "plugins"), $"[{plugin}].\n");
        File.WriteAllText(Path.Combine(folder, "env"), "");
        File.WriteAllText(Path.Combine(folder, "rabbitmq.conf"), $"""
            listeners.tcp.1 = 127.0.0.1:{port}
            {streamListener}
            log.console = true
            log.console.level = info

            """);
        ProcessStartInfo start = new(Server);
        Dictionary<string, string> environment = new()
        {
            ["HOME"] = folder,
            ["RABBITMQ_NODENAME"] = $"load{port}@localhost",
            ["RABBITMQ_NODE_PORT"] = $"{port}",
            ["RABBITMQ_DIST_PORT"] = $"{PeerProcess.FreePort()}",
            ["ERL_EPMD_PORT"] = $"{epmd}",
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_MNESIA_BASE"] = Path.Combine(folder, "mnesia"),
            ["RABBITMQ_LOG_BASE"] = Path.Combine(folder, "log"),
            ["RABBITMQ_SCHEMA_DIR"] = Path.Combine(folder, "schema"),
            ["RABBITMQ_GENERATED_CONFIG_DIR"] = Path.Combine(folder, "generated"),
            ["RABBITMQ_CONF_ENV_FILE"] = Path.Combine(folder, "env"),
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(folder, "plugins"),
            ["RABBITMQ_CONFIG_FILE"] = Path.Combine(folder, "rabbitmq"),
            ["RABBITMQ_ADVANCED_CONFIG_FILE"] = Path.Combine(folder, "advanced"),
            ["RABBITMQ_PID_FILE"] = Path.Combine(folder, "pid"),
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-kernel inet_dist_use_interface {127,0,0,1}",
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }
        return start;
    }

    private readonly record struct RabbitPorts(int Amqp, int Epmd, int Stream);
}
