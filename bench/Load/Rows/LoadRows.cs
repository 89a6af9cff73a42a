using Pillarbox.Load.Peers;

namespace Pillarbox.Load.Rows;

/// <summary>The list of rows.</summary>
internal static class LoadRows
{
    private static RouterRow RouterOf(int nodes, string name, string description, string arguments, double rate) =>
        new(nodes, name, description, arguments)
        {
            Goals =
            [
                new Goal($"at least {rate:N0} messages/s", r => r.Median("pillarbox", Figure.Rate), rate, true),
                Goal.RatioTo(QdrouterdPeer.PeerName, "qdrouterd", 1.3),
            ],
        };

    private static RouterRow RouterOneOf(int nodes, string description, double microseconds) =>
        new(nodes, $"router-{nodes}-one", description, "--size 100 --in-flight 1")
        {
            Goals =
            [
                Goal.AtMost($"p50 of the delivery at most {microseconds} us", Figure.DeliveredP50Us, microseconds),
                new Goal(
                    "p50 of the delivery at most qdrouterd's",
                    r => r.Median("pillarbox", Figure.DeliveredP50Us)
                        / r.Median(QdrouterdPeer.PeerName, Figure.DeliveredP50Us),
                    1, false),
            ],
        };

    private static readonly Goal AtMost300MiB = Goal.AtMost("at most 300 MiB resident", Figure.ResidentMiB, 300);

    private static readonly Goal[] ProduceGoals =
    [
        Goal.AtMost("at most 0.3 us of server CPU", Figure.ServerCpuUs, 0.3), AtMost300MiB,
        Goal.RateOrBusyClient(1_000_000),
    ];

    private static readonly string[] NodeAndRabbit = ["pillarbox", "rabbitmq-streams"];

    public static IReadOnlyList<ILoadRow> All { get; } =
    [
        new AmqpRow("durable-1-1", "durable, 100 B, one sender, one receiver", "--size 100 --durable")
        {
            Goals =
            [
                Goal.RatioToRabbitMq(10), AtMost300MiB,
                Goal.AtMost("at most 10 us of server CPU", Figure.ServerCpuUs, 10),
            ],
        },
        new AmqpRow("durable-4-4", "durable, 100 B, four senders and receivers on four queues",
            "--size 100 --durable --senders 4 --receivers 4 --queues 4")
        {
            Goals = [Goal.RatioToRabbitMq(12), AtMost300MiB],
        },
        new AmqpRow(
            "durable-10k", "durable, 10 KiB, one sender, one receiver", "--size 10240 --durable --in-flight 1000")
        {
            Goals = [Goal.RatioToRabbitMq(5), AtMost300MiB],
        },
        new AmqpRow(
            "durable-10k-200", "the same, 200 messages in flight", "--size 10240 --durable --in-flight 200")
        {
            Goals = [Goal.RatioToRabbitMq(5), AtMost300MiB],
        },
        new AmqpRow("transient-1-1", "not durable, 100 B, one sender, one receiver", "--size 100")
        {
            Goals =
            [
                Goal.RatioToRabbitMq(20), AtMost300MiB,
                Goal.AtMost("at most 4 us of server CPU", Figure.ServerCpuUs, 4),
            ],
        },
        new AmqpRow("transient-settled", "not durable, 100 B, no acknowledgements", "--size 100 --pre-settled")
        {
            Peers = ["pillarbox"],
        },
        new AmqpRow("fan-out-100", "durable, 100 B, one sender, 100 durable subscribers",
            "--size 100 --durable --fan-out 100 --in-flight 200")
        {
            Peers = ["pillarbox"],
            Goals = [Goal.AtMost("at most 2 us of server CPU per delivery", Figure.ServerCpuUs, 2), AtMost300MiB],
        },
        new AmqpRow("one-in-flight", "durable, 100 B, one message in flight", "--size 100 --durable --in-flight 1")
        {
            WithDisk = true,
        },
        new AmqpRow("latency-1000", "durable, 100 B, 1,000 messages/s, open loop", "--size 100 --durable --rate 1000")
        {
            WithDisk = true,
            Goals =
            [
                new Goal("p50 of the acknowledgement at most 2x fdatasync", r =>
                    r.Median("pillarbox", Figure.AckP50Us) / r.Median("pillarbox", Figure.DiskP50Us), 2, false),
                Goal.AtMost("p99 at most 3,000 us", Figure.AckP99Us, 3000),
            ],
        },
        new NatsRow(jetStream: false),
        new NatsRow(jetStream: true),
        new KafkaRow("stream-produce-100", "streams, 100 B, one producer, acks=all, flush=group; the relay beside it",
            "--size 100 --producers 1 --consumers 0 --batch-bytes 1000000")
        {
            Goals = ProduceGoals,
        },
        new KafkaRow("stream-produce-1k", "streams, 1 KB, one producer, acks=all, flush=group; the relay beside it",
            "--size 1000 --producers 1 --consumers 0 --batch-bytes 1000000")
        {
            Goals =
            [
                new Goal("at least 70 % of the relay's MB/s", r => r.Ratio("pillarbox", "relay"), 0.7, true),
                AtMost300MiB,
            ],
        },
        new KafkaRow("stream-produce-10k",
            "streams, 10 KiB, one producer, acks=all, flush=group; the relay beside it: what this disk takes",
            "--size 10240 --producers 1 --consumers 0 --batch-bytes 1000000")
        {
            Goals =
            [
                new Goal("at least 70 % of the relay's MB/s", r => r.Ratio("pillarbox", "relay"), 0.7, true),
                AtMost300MiB,
            ],
        },
        new KafkaRow("stream-produce-os", "streams, 100 B, one producer, flush.mode=os",
            "--size 100 --producers 1 --consumers 0 --batch-bytes 1000000")
        {
            Peers = ["pillarbox"], Config = "flush.mode=os", Goals = ProduceGoals,
        },
        new KafkaRow("stream-produce-gzip", "streams, 100 B, one producer, acks=all, flush=group, gzip",
            "--size 100 --producers 1 --consumers 0 --batch-bytes 1000000 --compression gzip")
        {
            Peers = ["pillarbox"], Goals = ProduceGoals,
        },
        new KafkaRow("stream-produce-zstd", "streams, 100 B, one producer, acks=all, flush=group, zstd",
            "--size 100 --producers 1 --consumers 0 --batch-bytes 1000000 --compression zstd")
        {
            Peers = ["pillarbox"], Goals = ProduceGoals,
        },
        new KafkaRow("stream-1-1", "streams, 100 B, one producer, one consumer", "--size 100 --batch-bytes 1000000")
        {
            Peers = NodeAndRabbit, Goals = [Goal.RatioToRabbitMq(2), AtMost300MiB],
        },
        new KafkaRow("stream-4-4", "streams, 100 B, four producers, four partitions, each record to four consumers",
            "--size 100 --batch-bytes 1000000 --producers 4 --consumers 4 --partitions 4")
        {
            Peers = NodeAndRabbit, Goals = [Goal.RatioToRabbitMq(2), AtMost300MiB],
        },
        new KafkaRow("stream-10k", "streams, 10 KiB, one producer, one consumer", "--size 10240 --batch-bytes 1000000")
        {
            Peers = NodeAndRabbit, Goals = [Goal.RatioToRabbitMq(2), AtMost300MiB],
        },
        new KafkaRow("stream-10k-os", "the same, flush.mode=os: as RabbitMQ's streams, which do not wait for the disk",
            "--size 10240 --batch-bytes 1000000")
        {
            Peers = NodeAndRabbit, Config = "flush.mode=os", Goals = [Goal.RatioToRabbitMq(2), AtMost300MiB],
        },
        new CatchUpRow("stream-catch-up-100", "streams, 100 B, reading 20,000,000 from the start", 100, 20_000_000)
        {
            MoreGoals =
            [
                Goal.RateOrBusyClient(2_000_000),
                Goal.AtMost("at most 0.15 us of server CPU", Figure.ServerCpuUs, 0.15),
            ],
        },
        new CatchUpRow("stream-catch-up-10k", "streams, 10 KiB, reading 300,000 from the start", 10240, 300_000),
        new ConsumersRow(),
        new KafkaRow("stream-latency", "streams, 100 B, 1,000 records/s, open loop", "--size 100 --rate 1000")
        {
            Peers = NodeAndRabbit, WithDisk = true,
            Goals =
            [
                new Goal(
                    "p50 end to end at most 1,000 us above one fdatasync",
                    r => r.Median("pillarbox", Figure.DeliveredP50Us) - r.Median("pillarbox", Figure.DiskP50Us),
                    1000, false),
                Goal.AtMost("p99 end to end at most 5,000 us", Figure.DeliveredP99Us, 5000), AtMost300MiB,
            ],
        },
        new TransactionsRow(),
        new RebalanceRow(),
        RouterOf(1, "router-1", "through one router, 100 B, unsettled", "--size 100", 137_670),
        RouterOf(2, "router-2", "through two routers in a line, 100 B, unsettled", "--size 100", 68_120),
        RouterOf(3, "router-3", "through three routers in a line, 100 B, unsettled", "--size 100", 41_990),
        RouterOf(3, "router-3-settled", "the same, settled as it is sent", "--size 100 --pre-settled", 41_990),
        RouterOneOf(1, "through one router, 100 B, unsettled, one message in flight", 76),
        RouterOneOf(2, "through two routers in a line, the same", 139),
        RouterOneOf(3, "through three routers in a line, the same", 290),
        TcpRow.Stream,
        TcpRow.Connections,
        new PartitionsRow(),
        new StartRow(),
        new BacklogStartRow(),
        new AmqpRow("idle-10000", "10,000 idle connections", "--idle-connections 10000 --rate 100 --durable")
        {
            IsLong = true,
            Peers = ["pillarbox"],
            Goals = [Goal.AtMost("at most 16 KiB for an idle connection", Figure.IdleConnectionKiB, 16)],
        },
        new AmqpRow(
            "queues-20000", "durable, 100 B, beside 20,000 empty queues", "--size 100 --durable --idle-queues 20000")
        {
            IsLong = true,
            Peers = ["pillarbox"],
        },
        new AmqpRow("ten-minutes", "durable, 100 B, 10 minutes at about half of the maximum rate",
            "--size 100 --durable --rate 300000")
        {
            IsLong = true,
            Peers = ["pillarbox"],
            DurationSeconds = 600,
            WithPauses = true,
            Goals =
            [
                Goal.AtMost("all pauses for garbage collection in one second at most 20 ms", Figure.PauseMostMs, 20),
                AtMost300MiB,
            ],
        },
        .. ProtocolRows.All,
        new DeepQueueRow(),
        new CatchUpRow(
            "backlog-50m", "streams, 100 B, reading 50,000,000 from the start, and 5,000,000 (6 GB of disk)", 100,
            50_000_000)
        {
            IsLong = true, FreshRecords = 5_000_000,
        },
    ];
}
