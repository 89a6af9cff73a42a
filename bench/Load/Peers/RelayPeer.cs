using System.Diagnostics;

namespace Pillarbox.Load.Peers;

/// <summary>The yardstick of streams, as a process of its own: this program as a relay.</summary>
internal sealed class RelayPeer : IPeer
{
    /// <summary>The argument that makes this program a relay; behind it stands the folder.</summary>
    public const string Argument = "relay";

    private readonly PeerProcess _process;

    private RelayPeer(PeerProcess process, string servers)
    {
        _process = process;
        Servers = servers;
    }

    public string Name => "relay";

    public string Version => "relay of framed batches into a file (this commit)";

    public int Pid => _process.Pid;

    public IReadOnlyList<string> Lines => _process.Lines;

    public string? AmqpUrl => null;

    /// <summary>Where it takes batches: "host:port".</summary>
    public string Servers { get; }

    public string QueueAddress(string queue) => queue;

    public static async Task<RelayPeer> StartAsync()
    {
        string folder = PeerProcess.NewFolder("relay");
        PeerProcess process = PeerProcess.Start(
            new ProcessStartInfo(Environment.ProcessPath!, [Argument, folder]), folder);
        try
        {
            string line = await process.WaitForLineAsync(
                l => l.StartsWith("listening ", StringComparison.Ordinal), 30);
            return new RelayPeer(process, line.Split(' ')[1]);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
