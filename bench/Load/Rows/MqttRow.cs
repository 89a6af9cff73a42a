using System.Globalization;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>A measurement by <c>pillarbox perf mqtt</c>.</summary>
internal sealed class MqttRow(string name, string description, string arguments) : ILoadRow
{
    public string Name => name;

    public string Description => description;

    public bool IsLong { get; init; }

    public IReadOnlyList<string> Peers => ["pillarbox"];

    public IReadOnlyList<Goal> Goals { get; init; } = [];

    /// <inheritdoc/>
    public Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        string[] all =
        [
            "perf", "mqtt", "--url", ((PillarboxPeer)peer).MqttAddress, "--topic", name, "--duration",
            options.DurationSeconds.ToString(CultureInfo.InvariantCulture), "--server-pid",
            peer.Pid.ToString(CultureInfo.InvariantCulture), "--output", "json",
            .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        ];
        return PerfProcess.RunAsync(options.Program, all);
    }
}
