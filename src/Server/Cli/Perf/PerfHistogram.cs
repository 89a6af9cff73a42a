using System.Numerics;

namespace Pillarbox.Server.Cli.Perf;

/// <summary>
/// Counts durations so that any quantile can be told within 0.8 %: buckets of equal width inside each power of two.
/// Recording touches one counter and allocates nothing. One thread at a time; <see cref="Add"/> merges several.
/// </summary>
internal sealed class PerfHistogram
{
    private const int SubBucketBits = 7;
    private const int SubBuckets = 1 << SubBucketBits;

    // 2^40 ns are 18 minutes: longer durations count as that.
    private const int ExponentMax = 40;
    private readonly long[] _counts = new long[(ExponentMax - SubBucketBits + 2) * SubBuckets];

    public long Count { get; private set; }

    /// <summary>The longest duration recorded, in nanoseconds, exactly.</summary>
    public long Max { get; private set; }

    /// <summary>Records a duration in nanoseconds; a negative one counts as zero.</summary>
    public void Record(long nanoseconds, long times = 1)
    {
        long value = Math.Max(0, nanoseconds);
        _counts[IndexOf(value)] += times;
        Count += times;
        Max = Math.Max(Max, value);
    }

    public void Add(PerfHistogram other)
    {
        for (int i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }
        Count += other.Count;
        Max = Math.Max(Max, other.Max);
    }

    public void Clear()
    {
        Array.Clear(_counts);
        (Count, Max) = (0, 0);
    }

    /// <summary>The duration, in nanoseconds, that a share (0 to 1) of all recorded ones does not exceed.</summary>
    public long Quantile(double share)
    {
        long wanted = Math.Max(1, (long)Math.Ceiling(share * Count));
        long seen = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= wanted)
            {
                return Math.Min(UpperBound(i), Max);
            }
        }
        return Max;
    }

    private static int IndexOf(long value)
    {
        if (value < SubBuckets)
        {
            return (int)value;
        }
        int exponent = Math.Min(BitOperations.Log2((ulong)value), ExponentMax);
        int shift = exponent - SubBucketBits;
        long within = Math.Min((value >> shift) - SubBuckets, SubBuckets - 1);
        return ((shift + 1) << SubBucketBits) + (int)within;
    }

    private static long UpperBound(int index)
    {
        int shift = (index >> SubBucketBits) - 1;
        long within = index & (SubBuckets - 1);
        return shift < 0 ? index : ((SubBuckets + within + 1) << shift) - 1;
    }
}
