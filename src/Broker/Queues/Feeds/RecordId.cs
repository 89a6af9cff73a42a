using Pillarbox.Model;

namespace Pillarbox.Broker.Queues.Feeds;

/// <summary>The id of a queue entry that is a record of a stream: below zero, which no message of a log has; 17 bits of
/// partition, 46 of offset.</summary>
internal static class RecordId
{
    /// <summary>The highest offset that has an id: at a million records a second it is reached after two years.
    /// </summary>
    public const long OffsetMax = (1L << OffsetBits) - 1;

    private const int OffsetBits = 46;

    public static long Of(int partition, long offset)
    {
        Invariant.That(offset is >= 0 and <= OffsetMax && partition is >= 0 and < 1 << 17);
        return long.MinValue | ((long)partition << OffsetBits) | offset;
    }

    public static bool Is(long id) => id < 0;

    public static int Partition(long id) => (int)((id & long.MaxValue) >> OffsetBits);

    public static long Offset(long id) => id & OffsetMax;
}
