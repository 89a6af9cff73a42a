using System.Buffers;
using System.Globalization;
using Pillarbox.Model.Records;

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
    /// <summary>Batches without a record for anybody, such as markers of transactions, that <see cref="Last"/> looks
    /// back over.</summary>
    private const int BatchesBackMax = 64;

    /// <summary>What is appended from now on.</summary>
    public static readonly StreamStart Next = new(StreamStartKind.Next);

    /// <summary>Everything that is there.</summary>
    public static readonly StreamStart First = new(StreamStartKind.First);

    /// <summary>From the newest record on.</summary>
    public static readonly StreamStart Last = new(StreamStartKind.Last);

    /// <summary>From an offset on; below the start that is the start, behind the end it is the end: of several
    /// partitions the shorter ones would lose records that are still to come.</summary>
    public static StreamStart AtOffset(long offset) => new(StreamStartKind.Offset, offset);

    /// <summary>From the first record on that is not older than so many milliseconds since the Unix epoch.</summary>
    public static StreamStart AtTime(long unixMs) => new(StreamStartKind.Time, unixMs);

    /// <summary>The offset of the first record wanted of a partition.</summary>
    public long OffsetIn(Partition partition) => Kind switch
    {
        StreamStartKind.First => partition.StartOffset,
        StreamStartKind.Last => Math.Max(partition.StartOffset, LastOf(partition)),
        StreamStartKind.Offset => Math.Max(partition.StartOffset, Math.Min(Value, partition.HighWatermark)),
        StreamStartKind.Time => FromTime(partition),
        _ => partition.HighWatermark,
    };

    /// <summary>Reads what people write: <c>first</c>, <c>last</c>, <c>next</c>, an offset, or a time as ISO 8601 has
    /// it (UTC when it names no zone). Null when it is none of these.</summary>
    public static StreamStart? Parse(string text)
    {
        switch (text)
        {
            case "first":
                return First;
            case "last":
                return Last;
            case "next":
                return Next;
        }

        CultureInfo culture = CultureInfo.InvariantCulture;
        if (long.TryParse(text, NumberStyles.None, culture, out long offset))
        {
            return AtOffset(offset);
        }

        return DateTimeOffset.TryParse(text, culture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? AtTime(time.ToUnixTimeMilliseconds())
            : null;
    }

    // The newest record is not at the last offset where that is the marker of a transaction, or was aborted.
    private static long LastOf(Partition partition)
    {
        long end = partition.LastStableOffset;
        var options = new ReadOptions { BytesMax = 0, AtLeastOneBatch = true, Isolation = Isolation.Committed };
        using var read = new StreamRead();
        var bytes = new ArrayBufferWriter<byte>();
        for (int looked = 0; looked < BatchesBackMax && end > partition.StartOffset; looked++)
        {
            if (partition.Read(end - 1, options, read) != StreamError.None || read.Bytes == 0)
            {
                break;
            }

            bytes.ResetWrittenCount();
            read.CopyTo(bytes);
            if (RecordBatch.TryRead(bytes.WrittenSpan, out RecordBatch batch) != RecordBatchFault.None
                || (!batch.IsControl && !partition.IsAborted(batch)))
            {
                break;
            }

            end = batch.BaseOffset;
        }

        return end - 1;
    }

    private long FromTime(Partition partition)
    {
        OffsetResult found = partition.ListOffset(Math.Max(0, Value), Isolation.Committed);
        return found.Offset < 0 ? partition.HighWatermark : found.Offset;
    }
}
