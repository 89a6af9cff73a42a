using System.Net;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>A TCP service over two nodes: its server at the one, its clients at the other. What loopback itself does
/// with the same clients stands beside it.</summary>
internal sealed class TcpRow : ILoadRow
{
    private const string GbitPerSecond = "gbitPerSecond";
    private const string ConnectionsPerSecond = "connectionsPerSecond";
    private const string Direct = "direct";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly bool _isStream;

    private TcpRow(bool isStream) => _isStream = isStream;

    /// <summary>One stream.</summary>
    public static TcpRow Stream => new(isStream: true);

    /// <summary>Connections that come and go.</summary>
    public static TcpRow Connections => new(isStream: false);

    public string Name => _isStream ? "tcp-stream" : "tcp-connections";

    public string Description => _isStream
        ? "a TCP service over two nodes, one stream; \"direct\" is the same over loopback itself"
        : "a TCP service over two nodes, connections that come, are greeted and go, 32 at a time; \"direct\" is the "
            + "same over loopback itself";

    public bool IsLong => false;

    public IReadOnlyList<string> Peers => ["pillarbox"];

    public IReadOnlyList<Goal> Goals => _isStream
        ? [new Goal("at least 5 Gbit/s", r => r.Median("pillarbox", GbitPerSecond), 5, true)]
        : [new Goal("at least 2,000 connections/s", r => r.Median("pillarbox", ConnectionsPerSecond), 2000, true)];

    /// <inheritdoc/>
    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        using var load = new TcpLoad();
        await using PeerProcess servers = await RouterRow.StartAsync(
            options.Program, 0, null, "--tcp-connect", $"load={load.Server}");
        await using PeerProcess clients = await RouterRow.StartAsync(
            options.Program, 1, servers, "--tcp-listen", "load=127.0.0.1:0");
        IPEndPoint entrance = IPEndPoint.Parse(RouterRow.AddressOf(clients, "tcp:load"));
        await TcpLoad.WaitForAsync(entrance, Patience);
        double cpu = Processes.CpuSeconds(servers.Pid) + Processes.CpuSeconds(clients.Pid);
        Dictionary<string, double> figures = await MeasureAsync(load, entrance, options.DurationSeconds, "");
        double cores = (Processes.CpuSeconds(servers.Pid) + Processes.CpuSeconds(clients.Pid) - cpu)
            / options.DurationSeconds;
        figures["coresOfBothNodes"] = cores;
        figures[Figure.ResidentMiB] = Processes.ResidentMiB(servers.Pid);
        foreach ((string figure, double value) in await MeasureAsync(
            load, load.Server, options.DurationSeconds, Direct))
        {
            figures[figure] = value;
        }

        return figures;
    }

    private async Task<Dictionary<string, double>> MeasureAsync(
        TcpLoad load, IPEndPoint place, double seconds, string prefix)
    {
        string name = _isStream ? GbitPerSecond : ConnectionsPerSecond;
        string figure = prefix.Length == 0 ? name : prefix + char.ToUpperInvariant(name[0]) + name[1..];
        double value = _isStream
            ? await load.StreamAsync(place, seconds) * 8 / 1e9
            : await TcpLoad.ConnectionsAsync(place, seconds);
        return new Dictionary<string, double> { [figure] = value };
    }
}
