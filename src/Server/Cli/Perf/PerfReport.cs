using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Pillarbox.Server.Cli.Perf;

/// <summary>What a measurement found. Times in nanoseconds. Immutable.</summary>
internal sealed record PerfReport
{
    public required PerfOptions Options { get; init; }

    public required double MeasuredSeconds { get; init; }

    /// <summary>Messages delivered in the measured phase.</summary>
    public required long Messages { get; init; }

    public required PerfHistogram Acknowledged { get; init; }

    public required PerfHistogram Delivered { get; init; }

    public required PerfHistogram Lateness { get; init; }

    /// <summary>All messages from the first to the last, warm-up included.</summary>
    public required long SentInAll { get; init; }

    public required long ReceivedInAll { get; init; }

    public required long OutOfOrder { get; init; }

    public required long Refused { get; init; }

    public required long Foreign { get; init; }

    public required double ClientCpuSeconds { get; init; }

    public double? ServerCpuSeconds { get; init; }

    public long? ServerResidentBytesMax { get; init; }

    public double? IdleConnectionBytes { get; init; }

    public double? IdleQueueBytes { get; init; }

    public double MessagesPerSecond => Messages / MeasuredSeconds;

    public double? ServerCpuUs => ServerCpuSeconds * 1e6 / Math.Max(1, Messages);

    public double ClientCpuUs => ClientCpuSeconds * 1e6 / Math.Max(1, Messages);

    /// <summary>Messages sent and never delivered.</summary>
    public long Missing => (SentInAll * (Options.FanOut ? Options.Receivers : 1)) - ReceivedInAll;

    public string ToTable()
    {
        var text = new StringBuilder();
        Line(text, "delivered", $"{MessagesPerSecond:N0} messages/s ({Messages:N0} in {MeasuredSeconds:0.0} s)");
        Line(text, "payload", $"{MessagesPerSecond * Options.BodyBytes / 1048576:N1} MiB/s");
        Line(text, "acknowledged after", Quantiles(Acknowledged));
        Line(text, "delivered after", Quantiles(Delivered));
        if (Lateness.Count > 0)
        {
            Line(text, "sent late by", Quantiles(Lateness));
        }
        Line(text, "client CPU", $"{ClientCpuUs:0.00} us per message");
        if (ServerCpuUs is { } cpu)
        {
            Line(text, "server CPU", $"{cpu:0.00} us per message, {ServerCpuSeconds / MeasuredSeconds:P0} of one core");
            Line(text, "server memory", $"{ServerResidentBytesMax / 1048576.0:N0} MiB resident at most");
        }
        if (IdleConnectionBytes is { } idle)
        {
            Line(text, "idle connections", $"{idle / 1024:N1} KiB of the server's memory each");
        }
        if (IdleQueueBytes is { } queue)
        {
            Line(text, "idle queues", $"{queue / 1024:N1} KiB of the server's memory each");
        }
        string found = $"{Missing} missing, {OutOfOrder} again or out of order, {Refused} refused, {Foreign} foreign";
        Line(text, "checked", found);
        return text.ToString();
    }

    public void WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("messagesPerSecond", Math.Round(MessagesPerSecond, 1));
        writer.WriteNumber("messages", Messages);
        writer.WriteNumber("seconds", MeasuredSeconds);
        writer.WriteNumber("bodyBytes", Options.BodyBytes);
        WriteQuantiles(writer, "acknowledgedUs", Acknowledged);
        WriteQuantiles(writer, "deliveredUs", Delivered);
        WriteQuantiles(writer, "lateUs", Lateness);
        writer.WriteNumber("clientCpuUs", Math.Round(ClientCpuUs, 3));
        WriteIfKnown(writer, "serverCpuUs", ServerCpuUs);
        WriteIfKnown(writer, "serverResidentBytesMax", ServerResidentBytesMax);
        WriteIfKnown(writer, "idleConnectionBytes", IdleConnectionBytes);
        WriteIfKnown(writer, "idleQueueBytes", IdleQueueBytes);
        writer.WriteNumber("missing", Missing);
        writer.WriteNumber("outOfOrder", OutOfOrder);
        writer.WriteNumber("refused", Refused);
        writer.WriteNumber("foreign", Foreign);
        writer.WriteEndObject();
    }

    private static void Line(StringBuilder text, string name, string value) =>
        text.Append(name.PadRight(20)).Append(value).Append('\n');

    private static string Quantiles(PerfHistogram times) => times.Count == 0
        ? "-"
        : string.Create(CultureInfo.InvariantCulture,
            $"p50 {Ms(times, 0.5)}  p99 {Ms(times, 0.99)}  p99.9 {Ms(times, 0.999)}  max {times.Max / 1e6:0.000} ms");

    private static string Ms(PerfHistogram times, double share) =>
        (times.Quantile(share) / 1e6).ToString("0.000", CultureInfo.InvariantCulture);

    private static void WriteQuantiles(Utf8JsonWriter writer, string name, PerfHistogram times)
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

    private static void WriteIfKnown(Utf8JsonWriter writer, string name, double? value)
    {
        if (value is { } known)
        {
            writer.WriteNumber(name, Math.Round(known, 3));
        }
    }
}
