using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>A measurement by <c>pillarbox perf amqp</c>, the same for every peer.</summary>
internal sealed class AmqpRow(string name, string description, string arguments) : ILoadRow
{
    private int _runs;

    public string Name => name;

    public string Description => description;

    public bool IsLong { get; init; }

    public IReadOnlyList<string> Peers { get; init; } = ["pillarbox", "rabbitmq"];

    public IReadOnlyList<Goal> Goals { get; init; } = [];

    /// <summary>Also measures what the disk itself takes, right before and right after.</summary>
    public bool WithDisk { get; init; }

    /// <summary>Also measures the node's pauses for garbage collection.</summary>
    public bool WithPauses { get; init; }

    /// <summary>Seconds measured, when the row needs another time than the others.</summary>
    public double? DurationSeconds { get; init; }

    /// <inheritdoc/>
    public async Task<Dictionary<string, double>> MeasureAsync(IPeer peer, LoadOptions options)
    {
        string seconds = (DurationSeconds ?? options.DurationSeconds).ToString(CultureInfo.InvariantCulture);
        string queue = $"load-{name}-{_runs++}";
        string[] all =
        [
            "perf", "amqp", "--url", peer.AmqpUrl!, "--address", peer.QueueAddress(queue), "--duration", seconds,
            "--server-pid", peer.Pid.ToString(CultureInfo.InvariantCulture), "-o", "json",
            .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        ];
        double[] disk = WithDisk ? DiskProbe.Sample() : [];
        await using PauseProbe? pauses = WithPauses && peer is PillarboxPeer node ? new PauseProbe(node) : null;
        using NodeMetrics? metrics = peer is PillarboxPeer own ? new NodeMetrics(own) : null;
        (double Bytes, double Messages) before = metrics is null ? default : await metrics.ReadAllocatedAsync();
        Dictionary<string, double> figures = await PerfProcess.RunAsync(options.Program, all);
        if (metrics is not null)
        {
            (double bytes, double messages) = await metrics.ReadAllocatedAsync();
            figures[Figure.AllocatedBytes] = (bytes - before.Bytes) / (messages - before.Messages);
        }

        await (pauses?.StopAsync(figures) ?? Task.CompletedTask);
        if (WithDisk)
        {
            DiskProbe.Report([.. disk, .. DiskProbe.Sample()], figures);
        }
        return figures;
    }
}

/// <summary>Runs the load generator and reads its JSON.</summary>
internal static class PerfProcess
{
    public static async Task<Dictionary<string, double>> RunAsync(string program, string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (output.Length == 0)
        {
            throw new InvalidOperationException(await errors);
        }
        using JsonDocument json = JsonDocument.Parse(output);
        Dictionary<string, double> figures = Read(json.RootElement);
        return process.ExitCode == 0 ? figures : throw new InvalidOperationException(
            $"not all messages were accepted and delivered before the end: {output}");
    }

    private static Dictionary<string, double> Read(JsonElement report)
    {
        Dictionary<string, double> figures = [];
        Copy(report, Figure.Rate, figures, Figure.Rate);
        Copy(report, "deliveredPerSecond", figures, Figure.Rate);
        if (figures.GetValueOrDefault(Figure.Rate) == 0)
        {
            Copy(report, "acknowledgedPerSecond", figures, Figure.Rate);
        }

        Copy(report, Figure.ServerCpuUs, figures, Figure.ServerCpuUs);
        Copy(report, Figure.ClientCpuUs, figures, Figure.ClientCpuUs);
        Copy(report, "serverResidentBytesMax", figures, Figure.ResidentMiB, 1.0 / 1048576);
        Copy(report, "idleConnectionBytes", figures, Figure.IdleConnectionKiB, 1.0 / 1024);
        Copy(report, Figure.IdleSubscriptionBytes, figures, Figure.IdleSubscriptionBytes);
        Copy(report, "idleQueueBytes", figures, "idleQueueKiB", 1.0 / 1024);
        if (report.TryGetProperty("acknowledgedUs", out JsonElement acknowledged))
        {
            Copy(acknowledged, "p50", figures, Figure.AckP50Us);
            Copy(acknowledged, "p99", figures, Figure.AckP99Us);
            Copy(acknowledged, "p999", figures, Figure.AckP999Us);
            Copy(acknowledged, "max", figures, Figure.AckMaxUs);
        }
        if (report.TryGetProperty("committedUs", out JsonElement committed))
        {
            Copy(committed, "p50", figures, "commitP50Us");
            Copy(committed, "p99", figures, "commitP99Us");
        }
        if (report.TryGetProperty("deliveredUs", out JsonElement delivered))
        {
            Copy(delivered, "p50", figures, Figure.DeliveredP50Us);
            Copy(delivered, "p99", figures, Figure.DeliveredP99Us);
        }
        return figures;
    }

    private static void Copy(
        JsonElement from, string property, Dictionary<string, double> to, string figure, double factor = 1)
    {
        if (from.TryGetProperty(property, out JsonElement value))
        {
            to[figure] = value.GetDouble() * factor;
        }
    }
}
