using System.Collections.Frozen;
using System.Globalization;

namespace Pillarbox.Broker.Streams;

/// <summary>The type of a setting's value.</summary>
public enum SettingType : byte
{
    /// <summary><c>true</c> or <c>false</c>.</summary>
    Boolean,

    /// <summary>Words with commas between them.</summary>
    List,

    /// <summary>One of some words.</summary>
    Text,

    /// <summary>A whole number of 32 bits.</summary>
    Int,

    /// <summary>A whole number of 64 bits.</summary>
    Long,

    /// <summary>A number.</summary>
    Double,
}

/// <summary>A setting that a stream may have.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type of its value.</param>
/// <param name="Default">The value when none is given.</param>
/// <param name="Description">What it does, in a sentence.</param>
public sealed record StreamSetting(string Name, SettingType Type, string Default, string Description)
{
    private const string LongMax = "9223372036854775807";

    /// <summary>Least value of a number.</summary>
    internal double Min { get; init; } = double.MinValue;

    /// <summary>Largest value of a number.</summary>
    internal double Max { get; init; } = double.MaxValue;

    /// <summary>Words that are allowed; empty: any.</summary>
    internal string[] Words { get; init; } = [];

    /// <summary>A rule for texts that no list of words gives: what is wrong with a value, null when nothing
    /// is.</summary>
    internal Func<string, string?>? Rule { get; init; }

    /// <summary>False when it is kept and shown, and changes nothing here.</summary>
    public bool HasEffect { get; init; } = true;

    /// <summary>All settings, by name.</summary>
    public static FrozenDictionary<string, StreamSetting> All { get; } =
        Declare().ToFrozenDictionary(setting => setting.Name, StringComparer.Ordinal);

    /// <summary>What is wrong with a value; null when nothing is.</summary>
    public string? Check(string value) => Type switch
    {
        SettingType.Boolean => value is "true" or "false" ? null : $"{Name} must be true or false, not '{value}'",
        SettingType.Int => CheckNumber(
            value, int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int i), i),
        SettingType.Long => CheckNumber(
            value, long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long l), l),
        SettingType.Double => CheckNumber(
            value, double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double d), d),
        SettingType.List => value.Split(',', StringSplitOptions.TrimEntries).Select(CheckWord).FirstOrDefault(
            problem => problem is not null),
        _ => Rule is null ? CheckWord(value) : Rule(value),
    };

    private static StreamSetting Bytes(string name, string fallback, double min, string description) =>
        new(name, SettingType.Int, fallback, description) { Min = min, Max = int.MaxValue };

    private static StreamSetting Long(string name, string fallback, double min, string description) =>
        new(name, SettingType.Long, fallback, description) { Min = min };

    private static StreamSetting Kept(string name, SettingType type, string fallback, string description) =>
        new(name, type, fallback, description) { HasEffect = false };

    private static IEnumerable<StreamSetting> Declare() =>
        [.. DeclareRetention(), .. DeclareSegments(), .. DeclareMessages(), .. DeclareKept()];

    private static StreamSetting[] DeclareRetention() =>
    [
        new("cleanup.policy", SettingType.List, "delete", "What becomes of old segments.")
        {
            Words = ["delete", "compact"],
        },
        Long("retention.ms", "604800000", -1, "How long segments are kept; -1 = for ever."),
        Long("retention.bytes", "-1", -1, "How large a partition may grow; -1 = no limit."),
        Long("delete.retention.ms", "86400000", 0, "How long a tombstone stays after compaction has met it."),
        Long("min.compaction.lag.ms", "0", 0, "How long a record stays out of compaction."),
        Long("max.compaction.lag.ms", LongMax, 1, "How long a record may wait for compaction."),
        new("min.cleanable.dirty.ratio", SettingType.Double, "0.5", "Compact when so much of the log is new.")
        {
            Min = 0,
            Max = 1,
        },
        Long("file.delete.delay.ms", "60000", 0, "Files of deleted segments go when nobody reads them any more.") with
        {
            HasEffect = false,
        },
    ];

    private static StreamSetting[] DeclareSegments() =>
    [
        Bytes("segment.bytes", "1073741824", 1 << 20, "Size of a segment file."),
        Long("segment.ms", "604800000", 1, "Age of a segment at which a new one begins."),
        Long("segment.jitter.ms", "0", 0, "Segments end one by one here anyway.") with { HasEffect = false },
        Bytes("segment.index.bytes", "10485760", 4, "Size of an index file.") with { HasEffect = false },
        Bytes("index.interval.bytes", "4096", 0, "Bytes between two entries of the index."),
        new("preallocate", SettingType.Boolean, "false", "Reserve the space of a segment in advance.")
        {
            HasEffect = false,
        },
        new("flush.mode", SettingType.Text, "group", "group: acknowledged means on disk; os: with the system.")
        {
            Words = ["group", "os"],
        },
        Kept("flush.messages", SettingType.Long, LongMax, "Every append is flushed, see flush.mode."),
        Kept("flush.ms", SettingType.Long, LongMax, "Every append is flushed, see flush.mode."),
    ];

    private static StreamSetting[] DeclareMessages() =>
    [
        new("compression.type", SettingType.Text, "producer", "Compression on disk; producer: as it came.")
        {
            Words = ["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"],
        },
        new("compression.gzip.level", SettingType.Int, "-1", "Level of gzip; -1 = usual.") { Min = -1, Max = 9 },
        new("compression.lz4.level", SettingType.Int, "9", "LZ4 has one level here.")
        {
            Min = 1,
            Max = 17,
            HasEffect = false,
        },
        new("compression.zstd.level", SettingType.Int, "3", "Level of Zstandard.") { Min = -131072, Max = 22 },
        Bytes("max.message.bytes", "1048588", 0, "Size of the largest batch."),
        new("message.timestamp.type", SettingType.Text, "CreateTime", "Whose time the timestamps are.")
        {
            Words = ["CreateTime", "LogAppendTime"],
        },
        Long("message.timestamp.before.max.ms", LongMax, 0, "How far back a timestamp may be."),
        Long("message.timestamp.after.max.ms", "3600000", 0, "How far ahead a timestamp may be."),
    ];

    private static StreamSetting[] DeclareKept() =>
    [
        Kept("min.insync.replicas", SettingType.Int, "1", "Replicas that must have a record: this node is the one."),
        Kept("unclean.leader.election.enable", SettingType.Boolean, "false", "There are no elections."),
        Kept("leader.replication.throttled.replicas", SettingType.List, "", "There is no replication."),
        Kept("follower.replication.throttled.replicas", SettingType.List, "", "There is no replication."),
        Kept("remote.storage.enable", SettingType.Boolean, "false", "There is no remote storage."),
        Kept("remote.log.copy.disable", SettingType.Boolean, "false", "There is no remote storage."),
        Kept("remote.log.delete.on.disable", SettingType.Boolean, "false", "There is no remote storage."),
        Kept("remote.copy.lag.ms", SettingType.Long, "0", "There is no remote storage."),
        Kept("remote.copy.lag.bytes", SettingType.Long, "0", "There is no remote storage."),
        Kept("local.retention.ms", SettingType.Long, "-2", "There is no remote storage."),
        Kept("local.retention.bytes", SettingType.Long, "-2", "There is no remote storage."),
        Kept("errors.deadletterqueue.group.enable", SettingType.Boolean, "false", "Kept for clients."),
        Kept("message.format.version", SettingType.Text, "3.0-IV1", "There is one format."),
        Kept("message.downconversion.enable", SettingType.Boolean, "true", "Old clients are always served."),
    ];

    private string? CheckWord(string value) =>
        Words.Length == 0 || Words.Contains(value, StringComparer.Ordinal)
            ? null
            : $"{Name} must be one of {string.Join(", ", Words)}, not '{value}'";

    private string? CheckNumber(string text, bool isNumber, double value)
    {
        if (!isNumber)
        {
            return $"{Name} must be a number, not '{text}'";
        }

        return value < Min || value > Max
            ? string.Create(CultureInfo.InvariantCulture, $"{Name} must not be {text}: at least {Min}, at most {Max}")
            : null;
    }
}
