using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Pillarbox.Server.Cli.Perf;

/// <summary>How figures of measurements are written, for people and for programs. Times in nanoseconds.</summary>
internal static class PerfFigures
{
    /// <summary>One line of a table.</summary>
    public static void Line(StringBuilder text, string name, string value) =>
        text.Append(name.PadRight(20)).Append(value).Append('\n');

    /// <summary>The quantiles of times, in milliseconds.</summary>
    public static string Quantiles(PerfHistogram times) => times.Count == 0
        ? "-"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"p50 {Ms(times, 0.5)}  p99 {Ms(times, 0.99)}  p99.9 {Ms(times, 0.999)}  max {times.Max / 1e6:0.000} ms");

    /// <summary>The same in microseconds, as an object of that name; nothing when there are none.</summary>
    public static void WriteQuantiles(Utf8JsonWriter writer, string name, PerfHistogram times)
    {
        if (times.Count == 0)
        {
            return;
        }

        writer.WriteStartObject(name);
        writer.WriteNumber("p50", times.Quantile(0.5) / 1e3);
        writer.WriteNumber("p99", times.Quantile(0.99) / 1e3);
        writer.WriteNumber("p999", times.Quantile(0.999) / 1e3);
        writer.WriteNumber("max", times.Max / 1e3);
        writer.WriteEndObject();
    }

    private static string Ms(PerfHistogram times, double share) =>
        (times.Quantile(share) / 1e6).ToString("0.000", CultureInfo.InvariantCulture);
}
