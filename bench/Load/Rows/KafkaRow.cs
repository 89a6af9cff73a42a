using System.Globalization;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>A measurement by <c>pillarbox perf kafka</c>, the same for the node and for the relay; RabbitMQ's streams
/// get the same load by their own protocol.</summary>
internal sealed class KafkaRow(string name, string description, string arguments) : ILoadRow
{
    private int _runs;

    public string Name => name;

    public string Description => description;

    public bool IsLong => false;

    public IReadOnlyList<string> Peers { get; init; } = ["pillarbox", "relay"];

    public IReadOnlyList<Goal> Goals { get; init; } = [];

    /// <summary>Also measures what the disk itself takes, right after.</summary>
    public bool WithDisk { get; init; }

    /// <summary>Settings of the stream, as <c>pillarbox stream create</c> takes them; null: as it comes.</summary>
    public string? Config { get; init; }

    /// <inheritdoc/>
    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        WarmMemory.Touch();
        if (peer is RabbitMqPeer rabbit)
        {
            return await RabbitStreamMeasure.RunAsync(rabbit, RabbitStreams.StreamShape.Of(arguments), options);
        }

        string topic = $"load-{name}-{_runs++}";
        if (peer is PillarboxPeer node && Config is not null)
        {
            await Processes.RunAsync(
                options.Program, "stream", "create", topic, "--config", Config, "--url", node.HttpUrl);
        }

        string servers = peer is RelayPeer relay ? relay.Servers : ((PillarboxPeer)peer).KafkaServers;
        double[] disk = WithDisk ? DiskProbe.Sample() : [];
        Dictionary<string, double> figures = await PerfProcess.RunAsync(options.Program,
        [
            "perf", "kafka", "--url", servers, "--topic", topic, "--duration",
            options.DurationSeconds.ToString(CultureInfo.InvariantCulture), "--server-pid",
            peer.Pid.ToString(CultureInfo.InvariantCulture), "-o", "json",
            .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        ]);
        if (WithDisk)
        {
            DiskProbe.Report([.. disk, .. DiskProbe.Sample()], figures);
        }

        return figures;
    }
}
