using System.Diagnostics;

namespace Pillarbox.Load.Peers;

/// <summary>The program of this repository.</summary>
internal sealed class PillarboxPeer : IPeer
{
    /// <summary>What it is called in reports.</summary>
    public const string PeerName = "pillarbox";

    private readonly PeerProcess _process;

    private PillarboxPeer(PeerProcess process, double readyMs)
    {
        _process = process;
        AmqpUrl = "amqp://" + AddressOf("amqp");
        HttpUrl = "http://" + AddressOf("http");
        KafkaServers = AddressOf("kafka");
        ReadyMs = readyMs;
    }

    public string Name => PeerName;

    public string Version => "Pillarbox (this commit)";

    public int Pid => _process.Pid;

    public IReadOnlyList<string> Lines => _process.Lines;

    public string AmqpUrl { get; }

    /// <summary>Where Kafka clients bootstrap: "host:port".</summary>
    public string KafkaServers { get; }

    /// <summary>Where its figures are.</summary>
    public string HttpUrl { get; }

    /// <summary>Milliseconds from the start of the process to its line "ready".</summary>
    public double ReadyMs { get; }

    public string QueueAddress(string queue) => queue;

    /// <summary>Starts a node; a data folder that is given stays, else a new one goes with the node.</summary>
    public static async Task<PillarboxPeer> StartAsync(string program, string? data = null)
    {
        string folder = data ?? PeerProcess.NewFolder("pillarbox");
        string[] arguments =
        [
            "run", "--data", folder, "--listen", "amqp=127.0.0.1:0", "--listen", "kafka=127.0.0.1:0", "--listen",
            "mqtt=127.0.0.1:0", "--listen", "stomp=127.0.0.1:0", "--listen", "openwire=127.0.0.1:0", "--listen",
            "http=127.0.0.1:0",
        ];
        long start = Stopwatch.GetTimestamp();
        PeerProcess process = PeerProcess.Start(new ProcessStartInfo(program, arguments), data is null ? folder : null);
        try
        {
            await process.WaitForLineAsync(line => line == "ready", 120);
            double readyMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            return new PillarboxPeer(process, readyMs);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc cref="IPeer.AddressOf"/>
    public string AddressOf(string protocol) =>
        _process.Lines.First(l => l.StartsWith($"listening {protocol} ", StringComparison.Ordinal)).Split(' ')[2];

    public ValueTask DisposeAsync() => _process.DisposeAsync();

}
