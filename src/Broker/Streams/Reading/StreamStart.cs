namespace Pillarbox.Broker.Streams.Reading;

/// <summary>What a reader's first record is.</summary>
public enum StreamStartKind : byte
{
    /// <summary>What is appended from now on.</summary>
    Next = 0,

    /// <summary>The oldest record that is there.</summary>
    First,

    /// <summary>The newest record that is there.</summary>
    Last,

    /// <summary>The record at an offset.</summary>
    Offset,

    /// <summary>The first record that is not older than a time.</summary>
    Time,
}

/// <summary>Where in each partition a reader begins.</summary>
/// <param name="Kind">What is meant.</param>
/// <param name="Value">The offset, or milliseconds since the Unix epoch; else 0.</param>
public readonly record struct StreamStart(StreamStartKind Kind, long Value = 0)
{
    /// <summary>What is appended from now on.</summary>
    public static readonly StreamStart Next = new(StreamStartKind.Next);

    /// <summary>Everything that is there.</summary>
    public static readonly StreamStart First = new(StreamStartKind.First);

    /// <summary>From the newest record on.</summary>
    public static readonly StreamStart Last = new(StreamStartKind.Last);

    /// <summary>From an offset on; below the start that is the start, behind the end it is waited for.</summary>
    public static StreamStart AtOffset(long offset) => new(StreamStartKind.Offset, offset);

    /// <summary>From the first record on that is not older than so many milliseconds since the Unix epoch.</summary>
    public static StreamStart AtTime(long unixMs) => new(StreamStartKind.Time, unixMs);

    /// <summary>The offset of the first record wanted of a partition.</summary>
    public long OffsetIn(Partition partition) => Kind switch
    {
        StreamStartKind.First => partition.StartOffset,
        StreamStartKind.Last => Math.Max(partition.StartOffset, partition.LastStableOffset - 1),
        StreamStartKind.Offset => Math.Max(partition.StartOffset, Value),
        StreamStartKind.Time => FromTime(partition),
        _ => partition.HighWatermark,
    };

    private long FromTime(Partition partition)
    {
        OffsetResult found = partition.ListOffset(Math.Max(0, Value), Isolation.Committed);
        return found.Offset < 0 ? partition.HighWatermark : found.Offset;
    }
}
