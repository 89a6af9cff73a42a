using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>Takes old segments away: below the start, too old, or too many bytes. Whole segments only; the one that
/// appends go to is closed first when it is due.</summary>
internal static class Retention
{
    public static void Apply(Partition partition, long nowMs)
    {
        StreamConfig config = partition.Stream.Config;
        PartitionLog log = partition.Log;
        RollByAge(log, config, nowMs);
        if (config.IsDeleting && !DeleteOld(log, config, nowMs) && config.RetentionBytes >= 0)
        {
            DeleteLarge(log, config.RetentionBytes);
        }

        log.DeleteBelow(partition.StartOffset);
        partition.SetStart(log.StartOffset);
    }

    private static void RollByAge(PartitionLog log, StreamConfig config, long nowMs)
    {
        long ageMs = config.IsCompacted ? Math.Min(config.SegmentMs, config.MaxCompactionLagMs) : config.SegmentMs;
        if (log.TryGetNewest(out SegmentMark newest) && newest.SizeBytes > 0 && newest.TimestampFirstMs >= 0
            && nowMs - newest.TimestampFirstMs > ageMs)
        {
            log.Roll();
        }
    }

    /// <summary>True when retention by time has taken everything there was.</summary>
    private static bool DeleteOld(PartitionLog log, StreamConfig config, long nowMs)
    {
        while (config.RetentionMs >= 0 && log.TryGetOldest(out SegmentMark oldest, out bool isLast))
        {
            if (oldest.SizeBytes == 0)
            {
                return isLast;
            }

            bool isOld = oldest.TimestampMaxMs >= 0 && nowMs - oldest.TimestampMaxMs > config.RetentionMs;
            if (!isOld || (isLast && !log.Roll()) || log.DeleteBelow(oldest.NextOffset) == 0)
            {
                return false;
            }
        }

        return false;
    }

    private static void DeleteLarge(PartitionLog log, long bytesMax)
    {
        while (log.TryGetOldest(out SegmentMark oldest, out bool isLast) && !isLast
            && log.SizeBytes - oldest.SizeBytes >= bytesMax)
        {
            if (log.DeleteBelow(oldest.NextOffset) == 0)
            {
                return;
            }
        }
    }
}
