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
        string delivered = $"{MessagesPerSecond:N0} messages/s ({Messages:N0} in {MeasuredSeconds:0.0} s)";
        PerfFigures.Line(text, "delivered", delivered);
        PerfFigures.Line(text, "payload", $"{MessagesPerSecond * Options.BodyBytes / 1048576:N1} MiB/s");
        PerfFigures.Line(text, "acknowledged after", PerfFigures.Quantiles(Acknowledged));
        PerfFigures.Line(text, "delivered after", PerfFigures.Quantiles(Delivered));
        if (Lateness.Count > 0)
        {
            PerfFigures.Line(text, "sent late by", PerfFigures.Quantiles(Lateness));
        }
        PerfFigures.Line(text, "client CPU", $"{ClientCpuUs:0.00} us per message");
        if (ServerCpuUs is { } cpu)
        {
            double? share = ServerCpuSeconds / MeasuredSeconds;
            PerfFigures.Line(text, "server CPU", $"{cpu:0.00} us per message, {share:P0} of one core");
            PerfFigures.Line(text, "server memory", $"{ServerResidentBytesMax / 1048576.0:N0} MiB resident at most");
        }
        if (IdleConnectionBytes is { } idle)
        {
            PerfFigures.Line(text, "idle connections", $"{idle / 1024:N1} KiB of the server's memory each");
        }
        if (IdleQueueBytes is { } queue)
        {
            PerfFigures.Line(text, "idle queues", $"{queue / 1024:N1} KiB of the server's memory each");
        }
        string found = $"{Missing} missing, {OutOfOrder} again or out of order, {Refused} refused, {Foreign} foreign";
        PerfFigures.Line(text, "checked", found);
        return text.ToString();
    }

    public void WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("messagesPerSecond", Math.Round(MessagesPerSecond, 1));
        writer.WriteNumber("messages", Messages);
        writer.WriteNumber("seconds", MeasuredSeconds);
        writer.WriteNumber("bodyBytes", Options.BodyBytes);
        PerfFigures.WriteQuantiles(writer, "acknowledgedUs", Acknowledged);
        PerfFigures.WriteQuantiles(writer, "deliveredUs", Delivered);
        PerfFigures.WriteQuantiles(writer, "lateUs", Lateness);
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

    private static void WriteIfKnown(Utf8JsonWriter writer, string name, double? value)
    {
        if (value is { } known)
        {
            writer.WriteNumber(name, Math.Round(known, 3));
        }
    }
}
