using Pillarbox.Broker.Streams;

namespace Pillarbox.Broker.Queues.Feeds;

/// <summary>Where a queue is in one partition of its stream. The shard's; the figures may be read by any
/// thread.</summary>
internal sealed class FeedCursor(int number, long at)
{
    public int Number { get; } = number;

    /// <summary>The partition; null until the stream is there.</summary>
    public Partition? Partition { get; set; }

    /// <summary>The next record to be loaded.</summary>
    public long At { get; set; } = at;

    /// <summary>What is settled.</summary>
    public PartitionProgress Progress { get; } = new(at);

    /// <summary>The end of what could be read when it was looked for last.</summary>
    public long SeenEnd { get; set; }

    /// <summary>Whether its stream was there and is deleted.</summary>
    public bool IsGone => Partition?.Stream.IsDeleted == true;

    /// <summary>Records that are not settled; none of a stream that is gone.</summary>
    public long Backlog
    {
        get
        {
            if (Partition is not { Stream.IsDeleted: false } partition)
            {
                return 0;
            }

            long from = Math.Max(Progress.Mark, partition.StartOffset);
            return Math.Max(0, partition.LastStableOffset - from - Progress.SettledAbove);
        }
    }

    /// <summary>Everything from an offset on is to come again.</summary>
    public void MoveTo(long offset)
    {
        At = offset;
        Progress.MoveTo(offset);
    }

    /// <summary>Passes over what is settled, and what retention has taken below the partition's start.</summary>
    public void SkipGone()
    {
        long start = Partition!.StartOffset;
        At = Math.Max(At, Math.Max(start, Progress.Mark));

        if (Progress.Mark < start)
        {
            Progress.Settle(Progress.Mark, start);
        }
    }
}
