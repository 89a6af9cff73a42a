using Pillarbox.Model;

namespace Pillarbox.Broker.Queues.Feeds;

/// <summary>
/// Which records of a partition are settled: all below a mark, and above it stretches without gaps, in order. Pure.
/// </summary>
internal sealed class PartitionProgress(long mark = 0)
{
    private readonly List<Range> _ranges = [];

    /// <summary>Everything below is settled.</summary>
    public long Mark { get; private set; } = mark;

    /// <summary>Stretches above the mark.</summary>
    public IReadOnlyList<Range> Ranges => _ranges;

    /// <summary>Settled records above the mark.</summary>
    public long SettledAbove { get; private set; }

    /// <summary>Whether a record is settled.</summary>
    public bool IsSettled(long offset)
    {
        if (offset < Mark)
        {
            return true;
        }

        int at = IndexBehind(offset) - 1;
        return at >= 0 && offset < _ranges[at].To;
    }

    /// <summary>Settles one record; again does no harm.</summary>
    public void Settle(long offset)
    {
        if (offset == Mark && _ranges.Count == 0)
        {
            Mark++;
            return;
        }

        Settle(offset, offset + 1);
    }

    /// <summary>Settles all from one offset up to before another.</summary>
    public void Settle(long from, long to)
    {
        Invariant.That(from >= 0);
        from = Math.Max(from, Mark);
        if (from >= to)
        {
            return;
        }

        int first = IndexBehind(from);
        if (first > 0 && _ranges[first - 1].To >= from)
        {
            first--;
            from = _ranges[first].From;
        }

        int last = first;
        while (last < _ranges.Count && _ranges[last].From <= to)
        {
            to = Math.Max(to, _ranges[last].To);
            SettledAbove -= _ranges[last].Length;
            last++;
        }

        _ranges.RemoveRange(first, last - first);
        if (from == Mark)
        {
            Mark = to;
            return;
        }

        _ranges.Insert(first, new Range(from, to));
        SettledAbove += to - from;
    }

    /// <summary>Where the mark would be if these records, in rising order, were settled too.</summary>
    public long MarkWith(IReadOnlyList<long> offsets)
    {
        long mark = Mark;
        for (int range = 0, at = 0; ;)
        {
            if (range < _ranges.Count && _ranges[range].From <= mark)
            {
                mark = Math.Max(mark, _ranges[range++].To);
            }
            else if (at < offsets.Count && offsets[at] <= mark)
            {
                mark = Math.Max(mark, offsets[at++] + 1);
            }
            else
            {
                return mark;
            }
        }
    }

    /// <summary>Forgets what was settled; everything from an offset on is to come.</summary>
    public void MoveTo(long offset)
    {
        Mark = offset;
        _ranges.Clear();
        SettledAbove = 0;
    }

    // The index of the first range that begins behind an offset.
    private int IndexBehind(long offset)
    {
        int low = 0;
        int high = _ranges.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_ranges[middle].From <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>A stretch of settled records.</summary>
    /// <param name="From">The first.</param>
    /// <param name="To">Behind the last.</param>
    internal readonly record struct Range(long From, long To)
    {
        public long Length => To - From;
    }
}
