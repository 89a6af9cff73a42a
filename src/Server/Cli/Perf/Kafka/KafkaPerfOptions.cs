using Pillarbox.Model.Records;

namespace Pillarbox.Server.Cli.Perf.Kafka;

/// <summary>What one measurement of a Kafka server is to do. Immutable.</summary>
internal sealed record KafkaPerfOptions
{
    /// <summary>A record bears the time of its sending.</summary>
    public const int RecordBytesMin = 8;

    public required string Host { get; init; }

    public required int Port { get; init; }

    public required string Topic { get; init; }

    public int Partitions { get; init; } = 1;

    public int RecordBytes { get; init; } = 100;

    /// <summary>About so many bytes of records go into one batch, where no rate is kept.</summary>
    public int BatchBytes { get; init; } = 16 << 10;

    public int Producers { get; init; } = 1;

    public int Consumers { get; init; } = 1;

    /// <summary>Unacknowledged batches that a producer may have.</summary>
    public int InFlight { get; init; } = 5;

    /// <summary>Bytes of one partition that a Fetch asks for.</summary>
    public int FetchBytes { get; init; } = 1 << 20;

    public short Acks { get; init; } = -1;

    /// <summary>How batches are compressed, each anew.</summary>
    public RecordCompression Compression { get; init; }

    /// <summary>Records a second of all producers together, each sent at once; zero: as fast as it goes.</summary>
    public double Rate { get; init; }

    /// <summary>With a rate: how long a record waits for others to go with it, in milliseconds.</summary>
    public double LingerMs { get; init; }

    /// <summary>Transactions a second of all producers together; zero: none.</summary>
    public double TransactionsPerSecond { get; init; }

    /// <summary>Write so many records as fast as it goes, and no more; zero: by time.</summary>
    public long Fill { get; init; }

    /// <summary>Read so many records from the start as fast as it goes; zero: by time.</summary>
    public long Drain { get; init; }

    /// <summary>As whom to connect.</summary>
    public KafkaLogin Login { get; init; } = KafkaLogin.None;

    public double WarmUpSeconds { get; init; } = 3;

    public double DurationSeconds { get; init; } = 20;

    public int? ServerPid { get; init; }

    public bool Json { get; init; }

    /// <summary>Records of a full batch.</summary>
    public int RecordsPerBatch => Math.Max(1, BatchBytes / (RecordBytes + 8));
}
