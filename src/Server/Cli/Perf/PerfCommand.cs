using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using Pillarbox.Server.Cli.Perf.Cross;
using Pillarbox.Server.Cli.Perf.Kafka;
using Pillarbox.Server.Cli.Perf.Mqtt;
using Pillarbox.Server.Cli.Perf.OpenWire;
using Pillarbox.Server.Cli.Perf.Stomp;

namespace Pillarbox.Server.Cli.Perf;

/// <summary><c>pillarbox perf amqp</c>: measures any AMQP 1.0 server.</summary>
internal static class PerfCommand
{
    private static readonly Option<string> Address = new("--address")
    {
        Description = "Where the messages go.",
        DefaultValueFactory = _ => "bench",
    };

    private static readonly Option<string?> ReceiveAddress = new("--receive-address")
    {
        Description = "Where they come from, when the server calls it differently.",
    };

    private static readonly Option<int> Size = Number("--size", 100, PerfOptions.BodyBytesMin, "Bytes of a body.");

    private static readonly Option<int> Senders = Number("--senders", 1, 0, "Connections that send.");

    private static readonly Option<int> Receivers = Number("--receivers", 1, 0, "Connections that receive.");

    private static readonly Option<int> Queues =
        Number("--queues", 1, 1, "Addresses ADDRESS-1, ADDRESS-2… shared out.");

    private static readonly Option<int> FanOut =
        Number("--fan-out", 0, 0, "So many receivers that all get every message.");

    private static readonly Option<double> WarmUp = new("--warm-up")
    {
        Description = "Seconds before the measured phase.",
        DefaultValueFactory = _ => 3,
    };

    private static readonly Option<double> Duration = new("--duration")
    {
        Description = "Seconds of the measured phase.",
        DefaultValueFactory = _ => 20,
    };

    private static readonly Option<bool> Durable =
        new("--durable") { Description = "Messages survive the server's end." };

    private static readonly Option<bool> PreSettled = new("--pre-settled") { Description = "No acknowledgements." };

    private static readonly Option<double> Rate = new("--rate")
    {
        Description = "Messages a second, kept whatever the server does; latency counts from when each was due.",
    };

    private static readonly Option<int> InFlight =
        Number("--in-flight", 1000, 1, "Unacknowledged messages of a sender.");

    private static readonly Option<int> Credit = Number("--credit", 1000, 1, "Messages a receiver grants.");

    private static readonly Option<int> Idle =
        Number("--idle-connections", 0, 0, "Further connections that do nothing.");

    private static readonly Option<int> IdleQueues = Number("--idle-queues", 0, 0, "Further queues that stay empty.");

    private static readonly Option<int> Drain = Number("--drain", 0, 0, "Only receive so many messages queued before.");

    private static readonly Option<int?> ServerPid = new("--server-pid")
    {
        Description = "Also report the processor time and memory of this process.",
    };

    private static readonly Option<string?> ReceiveUrl = new("--receive-url")
    {
        Description = "Where receivers connect, when that is another node of the network: amqp://host:port.",
    };

    private static readonly Option<string> Output = new("--output", "-o")
    {
        Description = "table or json.",
        DefaultValueFactory = _ => "table",
    };

    public static Command Create()
    {
        var target = new AmqpTarget.Flags();
        var amqp = new Command("amqp", "Measure an AMQP 1.0 server: rates, latencies, processor time.")
        {
            Address, ReceiveAddress, Size, Senders, Receivers, Queues, FanOut, WarmUp, Duration, Durable, PreSettled,
            Rate, InFlight, Credit, Idle, IdleQueues, Drain, ServerPid, ReceiveUrl,
            Output.AcceptOnlyFromAmong("table", "json"),
        };
        target.AddTo(amqp);
        amqp.SetAction((parsed, cancellation) => MeasureAsync(OptionsOf(parsed, target.Read(parsed)), cancellation));
        return new Command("perf", "Measure a server.")
        {
            amqp, CrossPerfCommand.Create(), KafkaPerfCommand.Create(), MqttPerfCommand.Create(),
            OpenWirePerfCommand.Create(), StompPerfCommand.Create(),
        };
    }

    private static async Task<int> MeasureAsync(PerfOptions options, CancellationToken cancellation)
    {
        PerfReport report = options.DrainMessages > 0
            ? new PerfDrain(options).Run(cancellation)
            : await new PerfRun(options).RunAsync(cancellation);
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
        return report is { Missing: 0, Refused: 0 } ? ExitCode.Good : ExitCode.Failed;
    }

    private static PerfOptions OptionsOf(ParseResult parsed, AmqpTarget target)
    {
        string address = parsed.GetValue(Address)!;
        int fanOut = parsed.GetValue(FanOut);
        return new PerfOptions
        {
            Target = target,
            ReceiveTarget = parsed.GetValue(ReceiveUrl) is { } url ? target.At(url) : target,
            Address = address,
            ReceiveAddress = parsed.GetValue(ReceiveAddress) ?? address,
            BodyBytes = parsed.GetValue(Size),
            Senders = parsed.GetValue(Senders),
            Receivers = fanOut > 0 ? fanOut : parsed.GetValue(Receivers),
            Queues = parsed.GetValue(Queues),
            FanOut = fanOut > 0,
            WarmUpSeconds = parsed.GetValue(WarmUp),
            DurationSeconds = parsed.GetValue(Duration),
            Durable = parsed.GetValue(Durable),
            PreSettled = parsed.GetValue(PreSettled),
            Rate = parsed.GetValue(Rate),
            InFlight = parsed.GetValue(InFlight),
            Credit = (uint)parsed.GetValue(Credit),
            IdleConnections = parsed.GetValue(Idle),
            IdleQueues = parsed.GetValue(IdleQueues),
            DrainMessages = parsed.GetValue(Drain),
            ServerPid = parsed.GetValue(ServerPid),
            Json = parsed.GetValue(Output) == "json",
        };
    }

    private static Option<int> Number(string name, int start, int least, string description)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => start };
        option.Validators.Add(result => CheckLeast(result, name, least));
        return option;
    }

    private static void CheckLeast(OptionResult result, string name, int least)
    {
        if (result.GetValueOrDefault<int>() < least)
        {
            result.AddError($"{name} must be at least {least}");
        }
    }
}
