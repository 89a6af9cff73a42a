using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Pillarbox.Server.Cli.Perf.Kafka;

/// <summary>What a measurement of a Kafka server found. Times in nanoseconds. Immutable.</summary>
internal sealed record KafkaPerfReport
{
    public required KafkaPerfOptions Options { get; init; }

    /// <summary>Records acknowledged (acks 0: none) and delivered in the measured phase.</summary>
    public required long Acknowledged { get; init; }

    public required long Delivered { get; init; }

    public required PerfHistogram AcknowledgedAfter { get; init; }

    public required PerfHistogram DeliveredAfter { get; init; }

    /// <summary>How long commits took; empty without transactions.</summary>
    public PerfHistogram CommittedAfter { get; init; } = new();

    public required long Missing { get; init; }

    public required long OutOfOrder { get; init; }

    public required long Refused { get; init; }

    public double ClientCpuSeconds { get; init; }

    public double? ServerCpuSeconds { get; init; }

    public long? ServerResidentBytesMax { get; init; }

    private double AcknowledgedPerSecond => Acknowledged / Options.DurationSeconds;

    private double DeliveredPerSecond => Delivered / Options.DurationSeconds;

    private double? ServerCpuUs => ServerCpuSeconds * 1e6 / Math.Max(1, Math.Max(Acknowledged, Delivered));

    public static KafkaPerfReport Of(
        KafkaPerfOptions options, PerfSchedule schedule, KafkaPerfProducer[] producers,
        KafkaPerfConsumer[] consumers)
    {
        var (acknowledged, delivered, committed) = (new PerfHistogram(), new PerfHistogram(), new PerfHistogram());
        foreach (PerfHistogram commits in producers.Select(p => p.Commits).OfType<PerfHistogram>())
        {
            committed.Add(commits);
        }

        Array.ForEach(producers, p => acknowledged.Add(p.Acknowledged));
        Array.ForEach(consumers, c => delivered.Add(c.Delivered));
        return new KafkaPerfReport
        {
            Options = options,
            Acknowledged = acknowledged.Count,
            Delivered = consumers.Sum(c => c.Measured),
            AcknowledgedAfter = acknowledged,
            DeliveredAfter = delivered,
            CommittedAfter = committed,
            Missing = producers.Length > 0 ? (schedule.Sent * consumers.Length) - schedule.Received : 0,
            OutOfOrder = consumers.Sum(c => c.OutOfOrder),
            Refused = producers.Sum(p => p.Refused),
        };
    }

    public string ToTable()
    {
        var text = new StringBuilder();
        PerfFigures.Line(text, "acknowledged", Rate(AcknowledgedPerSecond));
        PerfFigures.Line(text, "acknowledged after", PerfFigures.Quantiles(AcknowledgedAfter));
        PerfFigures.Line(text, "delivered", Rate(DeliveredPerSecond));
        PerfFigures.Line(text, "delivered after", PerfFigures.Quantiles(DeliveredAfter));
        if (CommittedAfter.Count > 0)
        {
            PerfFigures.Line(text, "transactions", $"{CommittedAfter.Count / Options.DurationSeconds:N0} a second");
            PerfFigures.Line(text, "committed after", PerfFigures.Quantiles(CommittedAfter));
        }

        PerfFigures.Line(text, "client CPU", $"{ClientCpuSeconds / Options.DurationSeconds:P0} of one core");
        if (ServerCpuUs is { } cpu)
        {
            double share = ServerCpuSeconds!.Value / Options.DurationSeconds;
            PerfFigures.Line(text, "server CPU", $"{cpu:0.000} us per record, {share:P0} of one core");
            PerfFigures.Line(text, "server memory", $"{ServerResidentBytesMax / 1048576.0:N0} MiB resident at most");
        }

        PerfFigures.Line(text, "checked", $"{Missing} missing, {OutOfOrder} gaps, {Refused} refused");
        return text.ToString();
    }

    public void WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("acknowledgedPerSecond", Math.Round(AcknowledgedPerSecond, 1));
        writer.WriteNumber("deliveredPerSecond", Math.Round(DeliveredPerSecond, 1));
        writer.WriteNumber("recordBytes", Options.RecordBytes);
        PerfFigures.WriteQuantiles(writer, "acknowledgedUs", AcknowledgedAfter);
        PerfFigures.WriteQuantiles(writer, "deliveredUs", DeliveredAfter);
        PerfFigures.WriteQuantiles(writer, "committedUs", CommittedAfter);
        double records = Math.Max(1, Math.Max(Acknowledged, Delivered));
        writer.WriteNumber("clientCpuUs", Math.Round(ClientCpuSeconds * 1e6 / records, 4));
        if (ServerCpuUs is { } cpu)
        {
            writer.WriteNumber("serverCpuUs", Math.Round(cpu, 4));
            writer.WriteNumber("serverResidentBytesMax", ServerResidentBytesMax ?? 0);
        }

        writer.WriteNumber("missing", Missing);
        writer.WriteNumber("gaps", OutOfOrder);
        writer.WriteNumber("refused", Refused);
        writer.WriteEndObject();
    }

    private string Rate(double perSecond) => string.Create(
        CultureInfo.InvariantCulture,
        $"{perSecond:N0} records/s, {perSecond * Options.RecordBytes / 1048576:N1} MiB/s");
}
