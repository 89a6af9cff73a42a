using System.CommandLine;
using Pillarbox.Server.Cli.Perf.Messaging;

namespace Pillarbox.Server.Cli.Perf.OpenWire;

/// <summary><c>pillarbox perf openwire</c>: measures any OpenWire server.</summary>
internal static class OpenWirePerfCommand
{
    private const string QueuePrefix = "queue://";
    private const string TopicPrefix = "topic://";

    private static readonly PerfServer.Flags Server = new(61616);

    private static readonly Option<string> Destination =
        Text(
        "--destination", "queue://bench", "Where the messages go; topic://… gives each receiver all of them.");

    private static readonly Option<int> Size = Number("--size", 100, "Bytes of a body, at least 24.");

    private static readonly Option<int> Senders = Number("--senders", 1, "Connections that send.");

    private static readonly Option<int> Receivers = Number("--receivers", 1, "Connections that receive.");

    private static readonly Option<int> InFlight =
        Number("--in-flight", 1000, "Durable messages of a sender without an answer; 1: one by one.");

    private static readonly Option<bool> Durable =
        new("--durable") { Description = "Messages survive the server's end; each is answered, or its transaction." };

    private static readonly Option<int> Transaction =
        Number("--transaction", 0, "Messages of a local transaction; 0: none.");

    private static readonly Option<int> Prefetch =
        Number("--prefetch", 1000, "Messages that the server sends a receiver ahead.");

    private static readonly Option<string> Ack =
        Text("--ack", "range", "range: one acknowledgement for a quarter of the prefetch; each: one for each message.");

    private static readonly Option<string> Encoding = Text("--encoding", "tight", "tight or loose.");

    private static readonly Option<double> WarmUp = Seconds("--warm-up", 3, "Seconds before the measured phase.");

    private static readonly Option<double> Duration = Seconds("--duration", 20, "Seconds of the measured phase.");

    private static readonly Option<int?> ServerPid =
        new("--server-pid") { Description = "Also report the processor time and memory of this process." };

    private static readonly Option<string> Output = Text("--output", "table", "table or json.");

    public static Command Create()
    {
        var openWire = new Command("openwire", "Measure an OpenWire server: rates, latencies, processor time.")
        {
            Destination, Size, Senders, Receivers, InFlight, Durable,
            Transaction, Prefetch, Ack.AcceptOnlyFromAmong("range", "each"),
            Encoding.AcceptOnlyFromAmong("tight", "loose"), WarmUp, Duration, ServerPid,
            Output.AcceptOnlyFromAmong("table", "json"),
        };
        Server.AddTo(openWire);
        openWire.SetAction((parsed, cancellation) => MeasureAsync(OptionsOf(parsed), cancellation));
        return openWire;
    }

    private static async Task<int> MeasureAsync(OpenWirePerfOptions options, CancellationToken cancellation)
    {
        var run = new MessagingPerfRun(
            options, (schedule, index) => new OpenWirePerfReceiver(options, schedule, index),
            (schedule, index) => new OpenWirePerfSender(options, schedule, index));
        return (await run.RunAsync(cancellation)).Print();
    }

    private static OpenWirePerfOptions OptionsOf(ParseResult parsed)
    {
        PerfServer server = Server.Read(parsed);
        string destination = parsed.GetValue(Destination)!;
        bool isTopic = destination.StartsWith(TopicPrefix, StringComparison.Ordinal);
        return new OpenWirePerfOptions
        {
            Server = server,
            Destination = isTopic || destination.StartsWith(QueuePrefix, StringComparison.Ordinal)
                ? destination[TopicPrefix.Length..] : destination,
            FanOut = isTopic,
            BodyBytes = Math.Max(MessagingPerfOptions.BodyBytesMin, parsed.GetValue(Size)),
            Senders = parsed.GetValue(Senders),
            Receivers = parsed.GetValue(Receivers),
            InFlight = Math.Max(1, parsed.GetValue(InFlight)),
            Durable = parsed.GetValue(Durable),
            Transaction = parsed.GetValue(Transaction),
            Prefetch = parsed.GetValue(Prefetch),
            AcknowledgesEach = parsed.GetValue(Ack) == "each",
            IsTight = parsed.GetValue(Encoding) == "tight",
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
