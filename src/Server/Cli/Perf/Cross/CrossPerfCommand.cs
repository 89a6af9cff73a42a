using System.CommandLine;
using System.Globalization;
using Pillarbox.Server.Cli.Perf.Messaging;

namespace Pillarbox.Server.Cli.Perf.Cross;

/// <summary><c>pillarbox perf cross</c>: measures a queue that is filled by one protocol and emptied by
/// another.</summary>
internal static class CrossPerfCommand
{
    private static readonly string[] Senders = ["amqp", "mqtt", "openwire", "stomp"];

    private static readonly string[] Receivers = ["amqp", "openwire", "stomp"];

    private static readonly Option<string> From = new("--from")
    {
        Description = "What sends: amqp, mqtt, openwire or stomp, and where, as in mqtt=127.0.0.1:1883.",
        Required = true,
    };

    private static readonly Option<string> To = new("--to")
    {
        Description = "What receives: amqp, openwire or stomp, and where, as in amqp=127.0.0.1:5672.",
        Required = true,
    };

    private static readonly Option<string> Queue = new("--queue")
    {
        Description = "The queue; with MQTT the topic, to which a level is added.",
        DefaultValueFactory = _ => "bench-cross",
    };

    private static readonly Option<int> Size =
        Number("--size", 100, MessagingPerfOptions.BodyBytesMin, "Bytes of a body, at least 24.");

    private static readonly Option<int> InFlight =
        Number("--in-flight", 1000, 1, "Messages of the sender without an answer.");

    private static readonly Option<bool> Durable =
        new("--durable") { Description = "Messages survive the server's end, and are answered; with MQTT: QoS 1." };

    private static readonly Option<double> WarmUp = Seconds("--warm-up", 3, "Seconds before the measured phase.");

    private static readonly Option<double> Duration = Seconds("--duration", 20, "Seconds of the measured phase.");

    private static readonly Option<int?> ServerPid =
        new("--server-pid") { Description = "Also report the processor time and memory of this process." };

    private static readonly Option<string> Output = new("--output", "-o")
    {
        Description = "table or json.",
        DefaultValueFactory = _ => "table",
    };

    public static Command Create()
    {
        var cross = new Command("cross",
            "Measure a server from one protocol to another: rates, latencies, processor time.")
        {
            From, To, Queue, Size, InFlight, Durable, WarmUp, Duration, ServerPid,
            Output.AcceptOnlyFromAmong("table", "json"),
        };
        cross.SetAction((parsed, cancellation) => MeasureAsync(OptionsOf(parsed), cancellation));
        return cross;
    }

    private static async Task<int> MeasureAsync(CrossPerfOptions options, CancellationToken cancellation)
    {
        var run = new MessagingPerfRun(
            options, (schedule, _) => CrossRoles.Receiver(options, schedule),
            (schedule, _) => CrossRoles.Sender(options, schedule));
        return (await run.RunAsync(cancellation)).Print();
    }

    private static CrossPerfOptions OptionsOf(ParseResult parsed)
    {
        (string from, PerfServer server) = PlaceOf("--from", parsed.GetValue(From)!, Senders);
        (string to, PerfServer toServer) = PlaceOf("--to", parsed.GetValue(To)!, Receivers);
        return new CrossPerfOptions
        {
            From = from,
            Server = server,
            To = to,
            ToServer = toServer,
            Destination = parsed.GetValue(Queue)!,
            BodyBytes = parsed.GetValue(Size),
            InFlight = parsed.GetValue(InFlight),
            Durable = parsed.GetValue(Durable),
            WarmUpSeconds = parsed.GetValue(WarmUp),
            DurationSeconds = parsed.GetValue(Duration),
            ServerPid = parsed.GetValue(ServerPid),
            Json = parsed.GetValue(Output) == "json",
        };
    }

    private static (string Protocol, PerfServer Server) PlaceOf(string option, string text, string[] protocols)
    {
        int equals = text.IndexOf('=');
        int colon = text.LastIndexOf(':');
        if (equals > 0 && colon > equals && protocols.Contains(text[..equals])
            && int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port))
        {
            string host = text[(equals + 1)..colon].Trim('[', ']');
            return (text[..equals], new PerfServer { Host = host, Port = port });
        }

        throw new CommandException(
            ExitCode.Usage, $"{option} {text}: write {string.Join(" or ", protocols)}, then =HOST:PORT");
    }

    private static Option<double> Seconds(string name, double start, string description) =>
        new(name) { Description = description, DefaultValueFactory = _ => start };

    private static Option<int> Number(string name, int start, int least, string description)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => start };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < least)
            {
                result.AddError($"{name} must be at least {least}");
            }
        });
        return option;
    }
}
