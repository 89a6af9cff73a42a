using System.CommandLine;
using Pillarbox.Server.Cli.Perf.Messaging;

namespace Pillarbox.Server.Cli.Perf.Stomp;

/// <summary><c>pillarbox perf stomp</c>: measures any STOMP 1.2 or 1.1 server.</summary>
internal static class StompPerfCommand
{
    private static readonly PerfServer.Flags Server = new(61613);

    private static readonly Option<string> Destination =
        Text("--destination", "/queue/bench", "Where the messages go; /topic/… gives each receiver all of them.");

    private static readonly Option<int> Size = Number("--size", 100, "Bytes of a body, at least 24.");

    private static readonly Option<int> Senders = Number("--senders", 1, "Connections that send.");

    private static readonly Option<int> Receivers = Number("--receivers", 1, "Connections that receive.");

    private static readonly Option<int> InFlight =
        Number("--in-flight", 1000, "Messages of a sender without a receipt.");

    private static readonly Option<bool> Durable =
        new("--durable") { Description = "Messages survive the server's end; each is sent with a receipt." };

    private static readonly Option<string> Ack = Text("--ack", "auto", "auto, client or client-individual.");

    private static readonly Option<double> WarmUp = Seconds("--warm-up", 3, "Seconds before the measured phase.");

    private static readonly Option<double> Duration = Seconds("--duration", 20, "Seconds of the measured phase.");

    private static readonly Option<int?> ServerPid =
        new("--server-pid") { Description = "Also report the processor time and memory of this process." };

    private static readonly Option<string> Output = Text("--output", "table", "table or json.");

    public static Command Create()
    {
        var stomp = new Command("stomp", "Measure a STOMP server: rates, latencies, processor time.")
        {
            Destination, Size, Senders, Receivers, InFlight, Durable,
            Ack.AcceptOnlyFromAmong("auto", "client", "client-individual"), WarmUp, Duration, ServerPid,
            Output.AcceptOnlyFromAmong("table", "json"),
        };
        Server.AddTo(stomp);
        stomp.SetAction((parsed, cancellation) => MeasureAsync(OptionsOf(parsed), cancellation));
        return stomp;
    }

    private static async Task<int> MeasureAsync(StompPerfOptions options, CancellationToken cancellation)
    {
        var run = new MessagingPerfRun(
            options, (schedule, _) => new StompPerfReceiver(options, schedule),
            (schedule, index) => new StompPerfSender(options, schedule, index));
        return (await run.RunAsync(cancellation)).Print();
    }

    private static StompPerfOptions OptionsOf(ParseResult parsed)
    {
        PerfServer server = Server.Read(parsed);
        string destination = parsed.GetValue(Destination)!;
        return new StompPerfOptions
        {
            Server = server,
            Destination = destination,
            FanOut = destination.StartsWith("/topic/", StringComparison.Ordinal),
            BodyBytes = Math.Max(MessagingPerfOptions.BodyBytesMin, parsed.GetValue(Size)),
            Senders = parsed.GetValue(Senders),
            Receivers = parsed.GetValue(Receivers),
            InFlight = Math.Max(1, parsed.GetValue(InFlight)),
            Durable = parsed.GetValue(Durable),
            Ack = parsed.GetValue(Ack)!,
            WarmUpSeconds = parsed.GetValue(WarmUp),
            DurationSeconds = parsed.GetValue(Duration),
            ServerPid = parsed.GetValue(ServerPid),
            Json = parsed.GetValue(Output) == "json",
        };
    }

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
