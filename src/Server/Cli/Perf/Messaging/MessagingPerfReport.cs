using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Pillarbox.Server.Cli.Perf.Messaging;

/// <summary>What a measurement of a server of queues and topics found. Times in nanoseconds. Immutable.</summary>
internal sealed record MessagingPerfReport
{
    public required MessagingPerfOptions Options { get; init; }

    /// <summary>Messages of the measured phase: delivered, or without receivers sent.</summary>
    public required long Messages { get; init; }

    public required PerfHistogram Acknowledged { get; init; }

    public required PerfHistogram Delivered { get; init; }

    /// <summary>Messages sent and never delivered.</summary>
    public required long Missing { get; init; }

    public required long OutOfOrder { get; init; }

    public required long Foreign { get; init; }

    public double ClientCpuSeconds { get; init; }

    public double? ServerCpuSeconds { get; init; }

    public long? ServerResidentBytesMax { get; init; }

    private double PerSecond => Messages / Options.DurationSeconds;

    private double? ServerCpuUs => ServerCpuSeconds * 1e6 / Math.Max(1, Messages);

    public static MessagingPerfReport Of(
        MessagingPerfOptions options, PerfSchedule schedule, IMessagingSender[] senders, IMessagingReceiver[] receivers)
    {
        var (acknowledged, delivered) = (new PerfHistogram(), new PerfHistogram());
        Array.ForEach(senders, s => acknowledged.Add(s.Acknowledged));
        Array.ForEach(receivers, r => delivered.Add(r.Delivered));
        int times = options.FanOut ? options.Receivers : Math.Min(1, options.Receivers);
        return new MessagingPerfReport
        {
            Options = options,
            Messages = receivers.Length > 0 ? receivers.Sum(r => r.Measured) : senders.Sum(s => s.Measured),
            Acknowledged = acknowledged,
            Delivered = delivered,
            Missing = times == 0 ? 0 : (schedule.Sent * times) - schedule.Received,
            OutOfOrder = receivers.Sum(r => r.OutOfOrder),
            Foreign = receivers.Sum(r => r.Foreign),
        };
    }

    /// <summary>Writes it as was asked for; the exit code.</summary>
    public int Print()
    {
        if (Options.Json)
        {
            using Stream output = Console.OpenStandardOutput();
            using (var writer = new Utf8JsonWriter(output))
            {
                WriteJson(writer);
            }

            output.WriteByte((byte)'\n');
        }
        else
        {
            Console.Write(ToTable());
        }

        return this is { Missing: 0, OutOfOrder: 0 } ? ExitCode.Good : ExitCode.Failed;
    }

    private string ToTable()
    {
        var text = new StringBuilder();
        string rate = string.Create(CultureInfo.InvariantCulture, $"{PerSecond:N0}/s ({Messages:N0})");
        PerfFigures.Line(text, "messages", rate);
        PerfFigures.Line(text, "answered after", PerfFigures.Quantiles(Acknowledged));
        PerfFigures.Line(text, "delivered after", PerfFigures.Quantiles(Delivered));
        string client = $"{ClientCpuSeconds * 1e6 / Math.Max(1, Messages):0.00} us per message";
        PerfFigures.Line(text, "client CPU", client);
        if (ServerCpuUs is { } cpu)
        {
            PerfFigures.Line(text, "server CPU", $"{cpu:0.00} us per message");
            PerfFigures.Line(text, "server memory", $"{ServerResidentBytesMax / 1048576.0:N0} MiB resident at most");
        }

        PerfFigures.Line(text, "checked", $"{Missing} missing, {OutOfOrder} again or out of order, {Foreign} foreign");
        return text.ToString();
    }

    private void WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("messagesPerSecond", Math.Round(PerSecond, 1));
        writer.WriteNumber("messages", Messages);
        writer.WriteNumber("seconds", Options.DurationSeconds);
        writer.WriteNumber("bodyBytes", Options.BodyBytes);
        PerfFigures.WriteQuantiles(writer, "acknowledgedUs", Acknowledged);
        PerfFigures.WriteQuantiles(writer, "deliveredUs", Delivered);
        writer.WriteNumber("clientCpuUs", Math.Round(ClientCpuSeconds * 1e6 / Math.Max(1, Messages), 3));
        if (ServerCpuUs is { } cpu)
        {
            writer.WriteNumber("serverCpuUs", Math.Round(cpu, 3));
            writer.WriteNumber("serverResidentBytesMax", ServerResidentBytesMax ?? 0);
        }

        writer.WriteNumber("missing", Missing);
        writer.WriteNumber("outOfOrder", OutOfOrder);
        writer.WriteNumber("foreign", Foreign);
        writer.WriteEndObject();
    }
}
