using System.Text;
using System.Text.Json;

namespace Pillarbox.Server.Cli.Perf.Mqtt;

/// <summary>What a measurement of an MQTT server found. Times in nanoseconds. Immutable.</summary>
internal sealed record MqttPerfReport
{
    public required MqttPerfOptions Options { get; init; }

    public required long Sent { get; init; }

    public required PerfHistogram AcknowledgedAfter { get; init; }

    public required PerfHistogram DeliveredAfter { get; init; }

    /// <summary>Deliveries that did not come; with QoS 0 a server may drop.</summary>
    public required long Missing { get; init; }

    public double ClientCpuSeconds { get; init; }

    public double? ServerCpuSeconds { get; init; }

    public long? ServerResidentBytesMax { get; init; }

    /// <summary>Resident bytes that each idle connection added.</summary>
    public long? IdleConnectionBytes { get; init; }

    /// <summary>Resident bytes that each subscription of theirs added, but the first of each.</summary>
    public long? IdleSubscriptionBytes { get; init; }

    private double SentPerSecond => Sent / Options.DurationSeconds;

    private double DeliveredPerSecond => DeliveredAfter.Count / Options.DurationSeconds;

    private double? ServerCpuUs => ServerCpuSeconds * 1e6 / Math.Max(1, Math.Max(Sent, DeliveredAfter.Count));

    public string ToTable()
    {
        var text = new StringBuilder();
        PerfFigures.Line(text, "published", $"{SentPerSecond:N0}/s");
        PerfFigures.Line(text, "acknowledged after", PerfFigures.Quantiles(AcknowledgedAfter));
        PerfFigures.Line(text, "delivered", $"{DeliveredPerSecond:N0}/s");
        PerfFigures.Line(text, "delivered after", PerfFigures.Quantiles(DeliveredAfter));
        PerfFigures.Line(text, "client CPU", $"{ClientCpuSeconds / Options.DurationSeconds:P0} of one core");
        if (ServerCpuUs is { } cpu)
        {
            double share = ServerCpuSeconds!.Value / Options.DurationSeconds;
            PerfFigures.Line(text, "server CPU", $"{cpu:0.000} us per message or delivery, {share:P0} of one core");
            PerfFigures.Line(text, "server memory", $"{ServerResidentBytesMax / 1048576.0:N1} MiB resident at most");
        }

        if (IdleConnectionBytes is { } bytes)
        {
            PerfFigures.Line(text, "idle connections", $"{bytes / 1024.0:N1} KiB each");
        }

        if (IdleSubscriptionBytes is { } each)
        {
            PerfFigures.Line(text, "idle subscriptions", $"{each:N0} bytes each");
        }

        PerfFigures.Line(text, "checked", $"{Missing} missing");
        return text.ToString();
    }

    public void WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("publishedPerSecond", Math.Round(SentPerSecond, 1));
        writer.WriteNumber("deliveredPerSecond", Math.Round(DeliveredPerSecond, 1));
        writer.WriteNumber("qos", Options.Qos);
        writer.WriteBoolean("persistent", Options.Persistent);
        writer.WriteNumber("bodyBytes", Options.BodyBytes);
        PerfFigures.WriteQuantiles(writer, "acknowledgedUs", AcknowledgedAfter);
        PerfFigures.WriteQuantiles(writer, "deliveredUs", DeliveredAfter);
        if (ServerCpuUs is { } cpu)
        {
            writer.WriteNumber("serverCpuUs", Math.Round(cpu, 4));
            writer.WriteNumber("serverResidentBytesMax", ServerResidentBytesMax ?? 0);
        }

        if (IdleConnectionBytes is { } bytes)
        {
            writer.WriteNumber("idleConnectionBytes", bytes);
        }

        if (IdleSubscriptionBytes is { } each)
        {
            writer.WriteNumber("idleSubscriptionBytes", each);
        }

        writer.WriteNumber("missing", Missing);
        writer.WriteEndObject();
    }
}
