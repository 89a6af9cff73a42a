using System.Diagnostics;

namespace Pillarbox.Load.Peers;

/// <summary>nats-server from Debian, with JetStream on disk: the yardstick of what a socket can carry.</summary>
internal sealed class NatsPeer : IPeer
{
    private readonly PeerProcess _process;

    private NatsPeer(PeerProcess process, int port)
    {
        _process = process;
        Port = port;
    }

    public string Name => "nats";

    public string Version => "nats-server (core; JetStream on file)";

    public int Pid => _process.Pid;

    public IReadOnlyList<string> Lines => _process.Lines;

    public int Port { get; }

    public string? AmqpUrl => null;

    public string QueueAddress(string queue) => queue;

    public static async Task<NatsPeer> StartAsync()
    {
        string folder = PeerProcess.NewFolder("nats");
        int port = PeerProcess.FreePort();
        ProcessStartInfo start = new("nats-server", ["-a", "127.0.0.1", "-p", $"{port}", "-js", "-sd", folder]);
        PeerProcess process = PeerProcess.Start(start, folder);
        try
        {
            await process.WaitForLineAsync(l => l.Contains("Server is ready", StringComparison.Ordinal), 30);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
        return new NatsPeer(process, port);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
