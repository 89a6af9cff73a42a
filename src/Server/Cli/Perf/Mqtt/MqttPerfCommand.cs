using System.CommandLine;
using System.Text.Json;

namespace Pillarbox.Server.Cli.Perf.Mqtt;

/// <summary><c>pillarbox perf mqtt</c>: measures any MQTT server.</summary>
internal static class MqttPerfCommand
{
    private static readonly PerfServer.Flags Server = new(1883);

    private static readonly Option<string> Topic = Text("--topic", "bench", "The topic; publishers add a level.");

    private static readonly Option<int> Size = Number("--size", 100, "Bytes of a message's payload, at least 24.");

    private static readonly Option<int> Publishers = Number("--publishers", 1, "Publishers.");

    private static readonly Option<int> Subscribers = Number("--subscribers", 1, "Subscribers; each takes everything.");

    private static readonly Option<int> Qos = Number("--qos", 0, "Quality of service, 0 to 2.");

    private static readonly Option<bool> Persistent = new("--persistent")
    {
        Description = "Subscribers have sessions that outlive their connection.",
    };

    private static readonly Option<int> InFlight =
        Number(
            "--in-flight", 100,
            "Messages of a publisher under way: unanswered, or not received (with QoS 1 and 2 four times as many).");

    private static readonly Option<int> Idle = Number("--idle-connections", 0, "Further connections that do nothing.");

    private static readonly Option<int> IdleSubscriptions =
        Number("--idle-subscriptions", 1, "Subscriptions of each of them, which match nothing.");

    private static readonly Option<double> WarmUp = Seconds("--warm-up", 3, "Seconds before the measured phase.");

    private static readonly Option<double> Duration = Seconds("--duration", 20, "Seconds of the measured phase.");

    private static readonly Option<int?> ServerPid = new("--server-pid")
    {
        Description = "Also report the processor time and memory of this process.",
    };

    private static readonly Option<string> Output = Text("--output", "table", "table or json.");

    public static Command Create()
    {
        var mqtt = new Command("mqtt", "Measure an MQTT server: rates, latencies, processor time.")
        {
            Topic, Size, Publishers, Subscribers, Qos, Persistent, InFlight, Idle, IdleSubscriptions, WarmUp,
            Duration, ServerPid, Output.AcceptOnlyFromAmong("table", "json"),
        };
        Server.AddTo(mqtt);
        mqtt.SetAction((parsed, cancellation) => MeasureAsync(OptionsOf(parsed), cancellation));
        return mqtt;
    }

    private static async Task<int> MeasureAsync(MqttPerfOptions options, CancellationToken cancellation)
    {
        MqttPerfReport report = await new MqttPerfRun(options).RunAsync(cancellation);
        if (options.Json)
        {
            using Stream output = Console.OpenStandardOutput();
            await using (var writer = new Utf8JsonWriter(output))
            {
                report.WriteJson(writer);
            }

            output.WriteByte((byte)'\n');
        }
        else
        {
            Console.Write(report.ToTable());
        }

        return report.Missing == 0 || options.Qos == 0 ? ExitCode.Good : ExitCode.Failed;
    }

    private static MqttPerfOptions OptionsOf(ParseResult parsed) => new()
        {
            Server = Server.Read(parsed),
            Topic = parsed.GetValue(Topic)!,
            BodyBytes = Math.Max(MqttPerfOptions.BodyBytesMin, parsed.GetValue(Size)),
            Publishers = parsed.GetValue(Publishers),
            Subscribers = parsed.GetValue(Subscribers),
            Qos = Math.Min(2, parsed.GetValue(Qos)),
            Persistent = parsed.GetValue(Persistent),
            InFlight = Math.Max(1, parsed.GetValue(InFlight)),
            Idle = parsed.GetValue(Idle),
            IdleSubscriptions = parsed.GetValue(IdleSubscriptions),
            WarmUpSeconds = parsed.GetValue(WarmUp),
            DurationSeconds = parsed.GetValue(Duration),
            ServerPid = parsed.GetValue(ServerPid),
            Json = parsed.GetValue(Output) == "json",
        };

    private static Option<string> Text(string name, string start, string description) =>
        new(name) { Description = description, DefaultValueFactory = _ => start };

    private static Option<double> Seconds(string name, double start, string description) =>
        new(name) { Description = description, DefaultValueFactory = _ => start };

    private static Option<int> Number(string name, int start, string description)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => start };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 0)
            {
                result.AddError($"{name} must not be negative");
            }
        });
        return option;
    }
}
