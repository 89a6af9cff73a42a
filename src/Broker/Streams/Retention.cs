using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>Takes old segments away: below the start, too old, or too many bytes. Whole segments only; the one that
/// appends go to is closed first when it is due. Nothing goes that the last checkpoint does not know of: offsets and
/// producers' sequences are nowhere else then.</summary>
internal static class Retention
{
    /// <summary>False when something waits for a checkpoint.</summary>
    public static bool Apply(Partition partition, long nowMs)
    {
        StreamConfig config = partition.Stream.Config;
        PartitionLog log = partition.Log;
        RollByAge(log, config, nowMs);
        bool isDone = !config.IsDeleting || DeleteOld(partition, config, nowMs);
        if (isDone && config is { IsDeleting: true, RetentionBytes: >= 0 })
        {
            isDone = DeleteLarge(partition, config.RetentionBytes);
        }

        log.DeleteBelow(Math.Min(partition.StartOffset, partition.CheckpointedTo));
        isDone &= !log.TryGetOldest(out SegmentMark oldest, out bool isLast) || isLast
            || oldest.NextOffset > partition.StartOffset || oldest.NextOffset <= partition.CheckpointedTo;
        partition.SetStart(log.StartOffset);
        return isDone;
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

    private static bool DeleteOld(Partition partition, StreamConfig config, long nowMs)
    {
        PartitionLog log = partition.Log;
        while (config.RetentionMs >= 0 && log.TryGetOldest(out SegmentMark oldest, out bool isLast)
            && oldest.SizeBytes > 0 && oldest.TimestampMaxMs >= 0
            && nowMs - oldest.TimestampMaxMs > config.RetentionMs)
        {
            if (oldest.NextOffset > partition.CheckpointedTo)
            {
                return false;
            }

            if ((isLast && !log.Roll()) || log.DeleteBelow(oldest.NextOffset) == 0)
            {
                break;
            }
        }

        return true;
    }

    private static bool DeleteLarge(Partition partition, long bytesMax)
    {
        PartitionLog log = partition.Log;
        // Of the one that appends go to nothing is too much, unless nothing at all is to be kept.
        while (log.TryGetOldest(out SegmentMark oldest, out bool isLast) && oldest.SizeBytes > 0
            && log.SizeBytes - oldest.SizeBytes >= bytesMax)
        {
            if (oldest.NextOffset > partition.CheckpointedTo)
            {
                return false;
            }

            if ((isLast && !log.Roll()) || log.DeleteBelow(oldest.NextOffset) == 0)
            {
                break;
            }
        }

        return true;
    }
}
