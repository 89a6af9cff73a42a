using System.Collections.Frozen;
using System.Globalization;
using Pillarbox.Model.Records;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>The settings of a stream, as given and as understood. Immutable; replaced whole.</summary>
public sealed record StreamConfig
{
    private StreamConfig(FrozenDictionary<string, string> given) => Given = given;

    /// <summary>Everything at its default.</summary>
    public static StreamConfig Default { get; } = Make(new Dictionary<string, string>());

    /// <summary>What was given, by name; the rest has defaults.</summary>
    public FrozenDictionary<string, string> Given { get; }

    /// <summary>Old records of a key go.</summary>
    public bool IsCompacted { get; private init; }

    /// <summary>Old segments go.</summary>
    public bool IsDeleting { get; private init; }

    /// <summary>How long segments are kept, in milliseconds; -1 = for ever.</summary>
    public long RetentionMs { get; private init; }

    /// <summary>Bytes of a partition at most; -1 = no limit.</summary>
    public long RetentionBytes { get; private init; }

    /// <summary>How long a tombstone stays after compaction has met it, in milliseconds.</summary>
    public long DeleteRetentionMs { get; private init; }

    /// <summary>How long a record stays out of compaction, in milliseconds.</summary>
    public long MinCompactionLagMs { get; private init; }

    /// <summary>How long a record may wait for compaction, in milliseconds.</summary>
    public long MaxCompactionLagMs { get; private init; }

    /// <summary>Compact when so much of the log is new, 0 to 1.</summary>
    public double MinCleanableDirtyRatio { get; private init; }

    /// <summary>Age of a segment, by the timestamps of its records, at which a new one begins, in
    /// milliseconds.</summary>
    public long SegmentMs { get; private init; }

    /// <summary>Size of the largest batch.</summary>
    public int BatchBytesMax { get; private init; }

    /// <summary>Whether the node's time replaces the producer's.</summary>
    public bool IsAppendTime { get; private init; }

    /// <summary>How far back a timestamp may be, in milliseconds.</summary>
    public long TimestampBeforeMaxMs { get; private init; }

    /// <summary>How far ahead a timestamp may be, in milliseconds.</summary>
    public long TimestampAfterMaxMs { get; private init; }

    /// <summary>Compression on disk; null: as it came.</summary>
    public RecordCompression? Compression { get; private init; }

    /// <summary>Level of that compression.</summary>
    public int CompressionLevel { get; private init; }

    /// <summary>Sizes and promises of the partitions' logs.</summary>
    public PartitionOptions Partition { get; private init; }

    /// <summary>Reads settings; null with a sentence when one is wrong, or contradicts another. Names that nobody knows
    /// are wrong.</summary>
    public static StreamConfig? TryMake(IReadOnlyDictionary<string, string> given, out string? problem)
    {
        StreamConfig? config = TryRead(given, out problem);
        if (config is not null && config.MinCompactionLagMs > config.MaxCompactionLagMs)
        {
            problem = $"min.compaction.lag.ms ({config.MinCompactionLagMs}) is more than max.compaction.lag.ms "
                + $"({config.MaxCompactionLagMs})";
            return null;
        }

        return config;
    }

    /// <summary>As <see cref="TryMake"/>, but takes what was taken before, also when it contradicts itself.</summary>
    internal static StreamConfig? TryRead(IReadOnlyDictionary<string, string> given, out string? problem)
    {
        foreach ((string name, string value) in given)
        {
            problem = StreamSetting.All.TryGetValue(name, out StreamSetting? setting)
                ? setting.Check(value)
                : $"there is no setting '{name}'";
            if (problem is not null)
            {
                return null;
            }
        }

        problem = null;
        return Make(given);
    }

    /// <summary>The value of a setting: as given, or its default. The name must be one of
    /// <see cref="StreamSetting.All"/>.</summary>
    public string ValueOf(string name) => Given.GetValueOrDefault(name) ?? StreamSetting.All[name].Default;

    private static StreamConfig Make(IReadOnlyDictionary<string, string> given)
    {
        var config = new StreamConfig(given.ToFrozenDictionary(StringComparer.Ordinal));
        string[] policies = config.ValueOf("cleanup.policy").Split(',', StringSplitOptions.TrimEntries);
        RecordCompression? compression = CompressionOf(config.ValueOf("compression.type"));
        return config with
        {
            IsCompacted = policies.Contains("compact"),
            IsDeleting = policies.Contains("delete"),
            RetentionMs = config.Long("retention.ms"),
            RetentionBytes = config.Long("retention.bytes"),
            DeleteRetentionMs = config.Long("delete.retention.ms"),
            MinCompactionLagMs = config.Long("min.compaction.lag.ms"),
            MaxCompactionLagMs = config.Long("max.compaction.lag.ms"),
            MinCleanableDirtyRatio = double.Parse(
                config.ValueOf("min.cleanable.dirty.ratio"), CultureInfo.InvariantCulture),
            SegmentMs = config.Long("segment.ms"),
            BatchBytesMax = (int)config.Long("max.message.bytes"),
            IsAppendTime = config.ValueOf("message.timestamp.type") == "LogAppendTime",
            TimestampBeforeMaxMs = config.Long("message.timestamp.before.max.ms"),
            TimestampAfterMaxMs = config.Long("message.timestamp.after.max.ms"),
            Compression = compression,
            CompressionLevel = config.LevelOf(compression),
            Partition = new PartitionOptions
            {
                SegmentBytes = (int)config.Long("segment.bytes"),
                IndexIntervalBytes = (int)config.Long("index.interval.bytes"),
                Flush = config.ValueOf("flush.mode") == "os" ? FlushMode.System : FlushMode.Group,
            },
        };
    }

    private static RecordCompression? CompressionOf(string name) => name switch
    {
        "uncompressed" => RecordCompression.None,
        "gzip" => RecordCompression.Gzip,
        "snappy" => RecordCompression.Snappy,
        "lz4" => RecordCompression.Lz4,
        "zstd" => RecordCompression.Zstd,
        _ => null,
    };

    private int LevelOf(RecordCompression? compression) => compression switch
    {
        RecordCompression.Gzip => (int)Long("compression.gzip.level"),
        RecordCompression.Lz4 => (int)Long("compression.lz4.level"),
        RecordCompression.Zstd => (int)Long("compression.zstd.level"),
        _ => 0,
    };

    private long Long(string name) => long.Parse(ValueOf(name), CultureInfo.InvariantCulture);
}
