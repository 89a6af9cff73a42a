using System.Diagnostics;

namespace Pillarbox.Load.Peers;

/// <summary>mosquitto from Debian, as it comes (its sessions are in memory), but without a bound on the messages that
/// wait for a subscriber: else it drops them under load.</summary>
internal sealed class MosquittoPeer : IPeer
{
    public const string Server = "/usr/sbin/mosquitto";
    private readonly PeerProcess _process;
    private readonly int _port;

    private MosquittoPeer(PeerProcess process, int port) => (_process, _port) = (process, port);

    public string Name => "mosquitto";

    public string Version => "mosquitto (sessions in memory)";

    public int Pid => _process.Pid;

    public IReadOnlyList<string> Lines => _process.Lines;

    public string? AmqpUrl => null;

    public string QueueAddress(string queue) => queue;

    /// <inheritdoc/>
    public string? AddressOf(string protocol) => protocol == "mqtt" ? $"127.0.0.1:{_port}" : null;

    public static async Task<MosquittoPeer> StartAsync()
    {
        string folder = PeerProcess.NewFolder("mosquitto");
        int port = PeerProcess.FreePort();
        string configuration = Path.Combine(folder, "mosquitto.conf");
        await File.WriteAllTextAsync(configuration, $"""
            listener {port} 127.0.0.1
            allow_anonymous true
            persistence false
            max_queued_messages 0
            max_inflight_messages 0

            """);
        PeerProcess process = PeerProcess.Start(new ProcessStartInfo(Server, ["-c", configuration]), folder);
        try
        {
            await process.WaitForLineAsync(l => l.Contains("running", StringComparison.Ordinal), 30);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }

        return new MosquittoPeer(process, port);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
