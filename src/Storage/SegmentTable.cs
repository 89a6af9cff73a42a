namespace Pillarbox.Storage;

/// <summary>The segments in order, as an array that is replaced at each change: readers take no lock.</summary>
internal sealed class SegmentTable
{
    private readonly Lock _gate = new();
    private LogSegment[] _segments = [];

    /// <summary>The segments, oldest first. Never changed in place.</summary>
    public LogSegment[] All => Volatile.Read(ref _segments);

    /// <summary>The segment that holds a position; null if none does.</summary>
    public LogSegment? Find(long position)
    {
        LogSegment[] segments = All;
        int low = 0;
        int high = segments.Length - 1;
        if (high >= 0 && segments[high].BasePosition <= position)
        {
            low = high;
        }

        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (segments[middle].BasePosition <= position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return high >= 0 && position < segments[high].End ? segments[high] : null;
    }

    /// <summary>Adds a segment behind all others.</summary>
    public void Add(LogSegment segment)
    {
        lock (_gate)
        {
            Volatile.Write(ref _segments, [.. _segments, segment]);
        }
    }

    /// <summary>Takes out the segments that match, and returns them.</summary>
    public List<LogSegment> Remove(Predicate<LogSegment> match)
    {
        var removed = new List<LogSegment>();
        lock (_gate)
        {
            var kept = new List<LogSegment>(_segments.Length);
            foreach (LogSegment segment in _segments)
            {
                (match(segment) ? removed : kept).Add(segment);
            }

            if (removed.Count > 0)
            {
                Volatile.Write(ref _segments, kept.ToArray());
            }
        }

        return removed;
    }
}
