using System.Globalization;
using Pillarbox.Interop.Tests.OpenWire;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>A measurement with ActiveMQ's own Java client (bench/Load/Java), which sends and receives at once.
/// </summary>
internal sealed class JmsRow(string mode, string description) : ILoadRow
{
    private const int WarmUpSeconds = 5;
    private const int BodyBytes = 100;

    // Compiled once, for all rows.
    private static readonly Lazy<Task<string>> ClassPath =
        new(() => JavaClasses.CompileAsync(Path.Combine(AppContext.BaseDirectory, "Java")));

    private int _runs;

    public string Name => $"jms-{mode}";

    public string Description => description;

    public bool IsLong => false;

    public IReadOnlyList<string> Peers => ["pillarbox", "activemq"];

    public IReadOnlyList<Goal> Goals { get; init; } = [];

    /// <inheritdoc/>
    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        WarmMemory.Touch();
        return await PerfProcess.RunAsync("java",
        [
            "-Xmx512m", "-cp", await ClassPath.Value, "JmsLoad", mode, peer.AddressOf("openwire")!,
            $"load-{Name}-{_runs++}", Number(WarmUpSeconds), Number(options.DurationSeconds), Number(BodyBytes),
            Number(peer.Pid),
        ]);
    }

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
