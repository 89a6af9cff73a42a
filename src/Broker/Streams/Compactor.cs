using Pillarbox.Storage;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>Compacts partitions: of the records of a key the last one stays. One at a time; works on closed segments
/// that
/// readers may be reading.</summary>
internal sealed class Compactor(StreamServices services)
{
    /// <summary>Compacts a partition if enough of it is new. False when it waits for a checkpoint: what goes must be
    /// known there.</summary>
    public bool Run(Partition partition, long nowMs)
    {
        StreamConfig config = partition.Stream.Config;
        List<SegmentMark> closed = CloseEnough(partition, config, nowMs);
        if (!IsDue(closed, partition.CleanedTo, config, nowMs))
        {
            return true;
        }

        if (closed[^1].NextOffset > partition.CheckpointedTo)
        {
            return false;
        }

        try
        {
            Compact(partition, closed, nowMs);
        }
        catch (StorageException error)
        {
            StreamLog.UpkeepFailed(services.Logger, error);
        }

        return true;
    }

    private void Compact(Partition partition, List<SegmentMark> closed, long nowMs)
    {
        using var rewriter = new BatchRewriter();
        var keys = new KeyMap(partition, rewriter, services.CompactionKeysMax);
        foreach (SegmentMark segment in closed)
        {
            if (segment.NextOffset > partition.CleanedTo && !keys.IsFull)
            {
                partition.Log.ReadSegment(segment.BaseOffset, keys);
                keys.EndSegment(segment.NextOffset);
            }
        }

        long end = keys.EndOffset;

        var cleaner = new SegmentCleaner(partition, keys, rewriter, nowMs);
        long before = 0;
        long lost = 0;
        foreach (SegmentMark segment in closed)
        {
            bool isWanted = segment.BaseOffset < end;
            using SegmentRewrite? rewrite = isWanted ? partition.Log.Rewrite(segment.BaseOffset) : null;
            if (rewrite is not null)
            {
                before += rewrite.SizeBefore;
                lost += cleaner.Clean(rewrite);
            }
        }

        partition.CleanedTo = end;
        StreamLog.Compacted(
            services.Logger, partition.Stream.Name, partition.Number, end, before, before - lost);
    }

    /// <summary>The segments that may be compacted: closed, decided, and old enough.</summary>
    private static List<SegmentMark> CloseEnough(Partition partition, StreamConfig config, long nowMs)
    {
        var found = new List<SegmentMark>();
        foreach (SegmentMark segment in partition.Log.ClosedBelow(partition.LastStableOffset))
        {
            if (config.MinCompactionLagMs > 0 && nowMs - segment.TimestampMaxMs < config.MinCompactionLagMs)
            {
                break;
            }

            found.Add(segment);
        }

        return found;
    }

    private static bool IsDue(List<SegmentMark> closed, long cleanedTo, StreamConfig config, long nowMs)
    {
        long dirty = 0;
        long all = 0;
        bool isLate = false;
        foreach (SegmentMark segment in closed)
        {
            all += segment.SizeBytes;
            if (segment.NextOffset > cleanedTo && segment.SizeBytes > 0)
            {
                dirty += segment.SizeBytes;
                isLate |= nowMs - segment.TimestampFirstMs > config.MaxCompactionLagMs;
            }
        }

        return dirty > 0 && (isLate || dirty >= all * config.MinCleanableDirtyRatio);
    }
}
