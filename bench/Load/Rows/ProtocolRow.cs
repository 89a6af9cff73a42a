using System.Globalization;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>A measurement by <c>pillarbox perf mqtt</c>, <c>stomp</c> or <c>openwire</c>, the same for every
/// peer.</summary>
internal sealed class ProtocolRow(string protocol, string name, string description, string arguments) : ILoadRow
{
    private int _runs;

    public string Name => name;

    public string Description => description;

    public bool IsLong { get; init; }

    public IReadOnlyList<string> Peers { get; init; } = ["pillarbox"];

    public IReadOnlyList<Goal> Goals { get; init; } = [];

    /// <inheritdoc/>
    public Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        WarmMemory.Touch();
        string place = $"load-{name}-{_runs++}";
        (string option, string value) = protocol switch
        {
            "mqtt" => ("--topic", place),
            "stomp" => ("--destination", $"/queue/{place}"),
            _ => ("--destination", $"queue://{place}"),
        };
        return PerfProcess.RunAsync(options.Program,
        [
            "perf", protocol, "--url", peer.AddressOf(protocol)!, option, value, "--duration",
            options.DurationSeconds.ToString(CultureInfo.InvariantCulture), "--server-pid",
            peer.Pid.ToString(CultureInfo.InvariantCulture), "--output", "json",
            .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        ]);
    }
}
