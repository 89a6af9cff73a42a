using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Pillarbox.Load.Peers;
using Pillarbox.Load.Rows;

namespace Pillarbox.Load;

/// <summary>The table for people and the figures for programs.</summary>
internal sealed class LoadReport(LoadOptions options)
{
    private readonly List<(ILoadRow Row, RowResult Result)> _rows = [];
    private readonly SortedSet<string> _versions = [];

    public void AddVersion(string version) => _versions.Add(version);

    public void Add(ILoadRow row, RowResult result) => _rows.Add((row, result));

    public string RowText(ILoadRow row, RowResult result)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"### {row.Name}\n\n{Capital(row.Description)}.\n\n");
        string[] figures = [.. result.Peers.SelectMany(result.FiguresOf).Distinct()];
        string? other = result.Peers.FirstOrDefault(peer => peer != PillarboxPeer.PeerName);
        if (figures.Length > 0)
        {
            text.Append("| | ").AppendJoin(" | ", figures.Select(Title))
                .Append(other is null ? " |\n" : $" | x {other} |\n");
            int columns = figures.Length + (other is null ? 0 : 1);
            text.Append("|---|").Append(string.Concat(Enumerable.Repeat("--:|", columns))).Append('\n');
        }
        foreach (string peer in result.Peers)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {peer} | ")
                .AppendJoin(" | ", figures.Select(f => Number(result.Median(peer, f))))
                .Append(other is null ? " |\n" : $" | {Number(result.Ratio(peer, other))} |\n");
        }
        foreach ((string peer, int count) in result.Failures)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n- **{count} runs of {peer} failed**");
        }
        foreach (Goal goal in row.Goals)
        {
            text.Append("\n- ").Append(goal.Judge(result));
        }
        return text.Append('\n').ToString();
    }

    /// <summary>Writes the report's files, if wanted.</summary>
    public void Write()
    {
        if (options.Report is not { } path)
        {
            return;
        }
        File.WriteAllText(path, ToMarkdown());
        using FileStream json = File.Create(Path.ChangeExtension(path, ".json"));
        using (Utf8JsonWriter writer = new(json, new JsonWriterOptions { Indented = true }))
        {
            WriteJson(writer);
        }
        json.WriteByte((byte)'\n');
    }

    private string ToMarkdown()
    {
        var text = new StringBuilder("# Benchmarks\n\n");
        text.Append(CultureInfo.InvariantCulture, $"""
            Made by `{options.Command}`: medians of {options.Runs} runs of {options.DurationSeconds} s (long rows: one
            run), the servers in turns on the same machine, clients on the same processors. The client is
            `pillarbox perf` for every server that speaks the row's protocol; its own processor time is in the table.
            "ack" is from the (intended) time of sending to the acknowledgement, "delivered" to the receiver.

            Machine: {MachineText()}. Servers: {string.Join("; ", _versions)}.

            """);
        foreach ((ILoadRow row, RowResult result) in _rows)
        {
            text.Append('\n').Append(RowText(row, result));
        }
        return text.ToString();
    }

    private void WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("command", options.Command);
        writer.WriteString("machine", MachineText());
        writer.WriteStartArray("rows");
        foreach ((ILoadRow row, RowResult result) in _rows)
        {
            foreach (string peer in result.Peers)
            {
                WriteRow(writer, row, result, peer);
            }
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteRow(Utf8JsonWriter writer, ILoadRow row, RowResult result, string peer)
    {
        writer.WriteStartObject();
        writer.WriteString("row", row.Name);
        writer.WriteString("peer", peer);
        foreach (string figure in result.FiguresOf(peer))
        {
            writer.WriteStartArray(figure);
            foreach (double value in result.All(peer, figure))
            {
                writer.WriteNumberValue(Math.Round(value, 2));
            }
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
    }

    private static string MachineText()
    {
        string model =
            File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))
            ?.Split(':')[1].Trim() ?? "unknown processor";
        double gigabytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1073741824.0;
        return string.Create(CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} cores of {model}, {gigabytes:0} GiB, {RuntimeInformation.OSDescription}, "
            + $"{RuntimeInformation.FrameworkDescription}");
    }

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    // serverCpuUs -> server CPU us would read better; the names as in the JSON are findable.
    private static string Title(string figure) => figure switch
    {
        Figure.Rate => "messages/s",
        Figure.ServerCpuUs => "server CPU us",
        Figure.ClientCpuUs => "client CPU us",
        Figure.ResidentMiB => "resident MiB",
        Figure.AckP50Us => "ack p50 us",
        Figure.AckP99Us => "ack p99 us",
        Figure.AckP999Us => "ack p99.9 us",
        Figure.AllocatedBytes => "bytes allocated",
        Figure.AckMaxUs => "ack max us",
        Figure.DiskP50Us => "fdatasync p50 us",
        Figure.DiskP99Us => "fdatasync p99 us",
        Figure.PauseMostMs => "most GC pause in a second, ms",
        Figure.PauseTotalMs => "GC pauses, ms",
        Figure.DeliveredP50Us => "delivered p50 us",
        Figure.DeliveredP99Us => "delivered p99 us",
        _ => figure,
    };

    private static string Number(double value) => value switch
    {
        double.NaN => "",
        >= 1000 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.0#", CultureInfo.InvariantCulture),
    };
}
