using System.CommandLine;
using System.Text.Json;
using Pillarbox.Model.Records;

namespace Pillarbox.Server.Cli.Perf.Kafka;

/// <summary><c>pillarbox perf kafka</c>: measures any server of the Kafka protocol.</summary>
internal static class KafkaPerfCommand
{
    private const int DefaultPort = 9092;

    private static readonly Option<string> Url =
        Text("--url", "127.0.0.1:9092", "HOST:PORT of the server, where partitions of the topic are led.");

    private static readonly Option<string> Topic = Text("--topic", "bench", "The topic; made when it is missing.");

    private static readonly Option<int> Partitions = Number("--partitions", 1, "Partitions of the topic.");

    private static readonly Option<int> Size = Number("--size", 100, "Bytes of a record's value, at least 8.");

    private static readonly Option<int> Batch = Number("--batch-bytes", 16384, "Bytes of a batch.");

    private static readonly Option<int> Producers = Number("--producers", 1, "Producers; 0: read from the start.");

    private static readonly Option<int> Consumers = Number("--consumers", 1, "Consumers; each reads everything.");

    private static readonly Option<int> InFlight = Number("--in-flight", 5, "Unacknowledged batches of a producer.");

    private static readonly Option<int> FetchBytes =
        Number("--fetch-bytes", 1 << 20, "Bytes of a partition that a consumer asks for at once.");

    private static readonly Option<int> Acks = new("--acks")
    {
        Description = "-1: all replicas, 1: the leader, 0: no acknowledgement.",
        DefaultValueFactory = _ => -1,
    };

    private static readonly Option<double> Rate =
        Seconds("--rate", 0, "Records a second of all producers; 0: no limit.");

    private static readonly Option<double> Linger =
        Seconds("--linger-ms", 0, "With --rate: milliseconds that a record waits for others to go with it.");

    private static readonly Option<double> Transactions =
        Seconds("--transactions", 0, "Transactions a second of all producers; consumers read committed records.");

    private static readonly Option<long> Fill = new("--fill")
    {
        Description = "Only write so many records as fast as it goes; no consumers.",
    };

    private static readonly Option<long> Drain = new("--drain")
    {
        Description = "Only read so many records from the start as fast as it goes; no producers.",
    };

    private static readonly KafkaLogin.Flags Login = new();

    private static readonly Option<double> WarmUp = Seconds("--warm-up", 3, "Seconds before the measured phase.");

    private static readonly Option<double> Duration = Seconds("--duration", 20, "Seconds of the measured phase.");

    private static readonly Option<int?> ServerPid = new("--server-pid")
    {
        Description = "Also report the processor time and memory of this process.",
    };

    private static readonly Option<string> Compression =
        Text("--compression", "none", "none, gzip, snappy, lz4 or zstd; each batch is compressed anew.");

    private static readonly Option<string> Output = new("--output", "-o")
    {
        Description = "table or json.",
        DefaultValueFactory = _ => "table",
    };

    public static Command Create()
    {
        var kafka = new Command("kafka", "Measure a server of the Kafka protocol: rates, latencies, processor time.")
        {
            Url, Topic, Partitions, Size, Batch, Producers, Consumers, InFlight, FetchBytes, Acks, Rate, Linger,
            Transactions, Fill, Drain, WarmUp, Duration, ServerPid,
            Compression.AcceptOnlyFromAmong("none", "gzip", "snappy", "lz4", "zstd"),
            Output.AcceptOnlyFromAmong("table", "json"),
        };
        Login.AddTo(kafka);
        kafka.SetAction((parsed, cancellation) => MeasureAsync(OptionsOf(parsed), cancellation));
        return kafka;
    }

    private static async Task<int> MeasureAsync(KafkaPerfOptions options, CancellationToken cancellation)
    {
        KafkaPerfReport report = await new KafkaPerfRun(options).RunAsync(cancellation);
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

        return report is { Missing: 0, Refused: 0, OutOfOrder: 0 } ? ExitCode.Good : ExitCode.Failed;
    }

    private static KafkaPerfOptions OptionsOf(ParseResult parsed)
    {
        if (parsed.GetValue(Fill) > 0 && parsed.GetValue(Drain) > 0)
        {
            throw new CommandException(ExitCode.Usage, "say --fill or --drain, not both");
        }

        (string host, int port) = PerfServer.PlaceOf(parsed.GetValue(Url)!, DefaultPort);
        return new KafkaPerfOptions
        {
            Host = host,
            Port = port,
            Topic = parsed.GetValue(Topic)!,
            Partitions = Math.Max(1, parsed.GetValue(Partitions)),
            RecordBytes = Math.Max(KafkaPerfOptions.RecordBytesMin, parsed.GetValue(Size)),
            BatchBytes = parsed.GetValue(Batch),
            Producers = parsed.GetValue(Drain) > 0 ? 0 : parsed.GetValue(Producers),
            Consumers = parsed.GetValue(Fill) > 0 ? 0 : parsed.GetValue(Consumers),
            InFlight = Math.Max(1, parsed.GetValue(InFlight)),
            FetchBytes = Math.Max(1, parsed.GetValue(FetchBytes)),
            Acks = (short)parsed.GetValue(Acks),
            Compression = Enum.Parse<RecordCompression>(parsed.GetValue(Compression)!, ignoreCase: true),
            Rate = parsed.GetValue(Rate),
            LingerMs = parsed.GetValue(Linger),
            TransactionsPerSecond = parsed.GetValue(Transactions),
            Fill = parsed.GetValue(Fill),
            Drain = parsed.GetValue(Drain),
            Login = Login.Read(parsed),
            WarmUpSeconds = parsed.GetValue(Fill) > 0 || parsed.GetValue(Drain) > 0 ? 0 : parsed.GetValue(WarmUp),
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
