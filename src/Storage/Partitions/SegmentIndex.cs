namespace Pillarbox.Storage.Partitions;

/// <summary>A place in a segment: a border of batches.</summary>
/// <param name="RelativeOffset">Offset of the batch that begins there, relative to the segment's.</param>
/// <param name="Position">In the file.</param>
/// <param name="TimestampMaxBeforeMs">The largest timestamp of all batches of the segment before it.</param>
internal readonly record struct IndexEntry(int RelativeOffset, int Position, long TimestampMaxBeforeMs);

/// <summary>
/// Where in a segment an offset or a time is, sparsely. Kept small: when it is full, every second entry goes and the
/// distance between two doubles. Under the log's lock while its segment grows, unchanged after.
/// </summary>
internal sealed class SegmentIndex
{
    /// <summary>Most entries: 64 KiB of memory at 1 GiB, one entry every 256 KiB.</summary>
    public const int EntriesMax = 4096;

    private IndexEntry[] _entries = new IndexEntry[4];
    private int _intervalBytes;
    private int _nextPosition;

    public SegmentIndex(int intervalBytes) => _intervalBytes = Math.Max(1, intervalBytes);

    public int Count { get; private set; }

    public ReadOnlySpan<IndexEntry> Entries => _entries.AsSpan(0, Count);

    /// <summary>A batch begins here.</summary>
    public void Note(int relativeOffset, int position, long timestampMaxBeforeMs)
    {
        if (position < _nextPosition)
        {
            return;
        }

        if (Count == EntriesMax)
        {
            Thin();
        }

        if (Count == _entries.Length)
        {
            Array.Resize(ref _entries, Count * 2);
        }

        _entries[Count++] = new IndexEntry(relativeOffset, position, timestampMaxBeforeMs);
        _nextPosition = position + _intervalBytes;
    }

    /// <summary>The last known border at or before an offset; the segment's start when there is none.</summary>
    public IndexEntry FloorOffset(long relativeOffset) => Floor(entry => entry.RelativeOffset <= relativeOffset);

    /// <summary>The last known border at or before a position.</summary>
    public IndexEntry FloorPosition(int position) => Floor(entry => entry.Position <= position);

    /// <summary>The last known border before which everything is older than a time.</summary>
    public IndexEntry FloorTime(long timestampMs) => Floor(entry => entry.TimestampMaxBeforeMs < timestampMs);

    /// <summary>Adds the entries of what lies behind.</summary>
    public void Add(SegmentIndex behind)
    {
        foreach (IndexEntry entry in behind.Entries)
        {
            Note(entry.RelativeOffset, entry.Position, entry.TimestampMaxBeforeMs);
        }
    }

    private IndexEntry Floor(Func<IndexEntry, bool> isAtOrBefore)
    {
        int low = -1;
        int high = Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = isAtOrBefore(_entries[middle]) ? (middle, high) : (low, middle - 1);
        }

        return low < 0 ? new IndexEntry(0, 0, long.MinValue) : _entries[low];
    }

    private void Thin()
    {
        int kept = 0;
        for (int i = 0; i < Count; i += 2)
        {
            _entries[kept++] = _entries[i];
        }

        Count = kept;
        _intervalBytes *= 2;
    }
}
