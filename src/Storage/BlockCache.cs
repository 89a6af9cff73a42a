namespace Pillarbox.Storage;

/// <summary>
/// Blocks in memory: the newest appends (tail), and what was read ahead from disk. Both are arrays in order of position
/// that are replaced at each change, so that readers take no lock. Over its limit it drops what was not used for
/// longest
/// and can be read from disk again.
/// </summary>
internal sealed class BlockCache(long bytesMax)
{
    // What was read ahead stays within this share, even while appends that no disk has yet take all of the rest:
    // else each record of a backlog would be read on its own.
    private const int ReadShare = 8;
    private readonly Lock _gate = new();
    private LogBlock[] _tail = [];
    private LogBlock[] _reads = [];
    private long _bytes;
    private long _readBytes;
    private long _clock;

    /// <summary>Memory of all blocks held by the cache.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Blocks of appends, oldest first.</summary>
    public LogBlock[] Tail => Volatile.Read(ref _tail);

    /// <summary>Holds the block that has the header of a record at a position; null when none is in memory.</summary>
    public LogBlock? Hold(long position) =>
        Hold(Volatile.Read(ref _tail), position) ?? Hold(Volatile.Read(ref _reads), position);

    /// <summary>True when a block read from disk ends at, or shortly before, a position: somebody reads in
    /// order.</summary>
    public bool IsReadInOrder(long position, int nearBytes)
    {
        LogBlock[] reads = Volatile.Read(ref _reads);
        int index = IndexOf(reads, position);
        return index >= 0 && position - reads[index].End < nearBytes;
    }

    /// <summary>Adds a block of appends; it is behind all others.</summary>
    public void AddTail(LogBlock block)
    {
        lock (_gate)
        {
            block.LastUse = ++_clock;
            Volatile.Write(ref _tail, [.. _tail, block]);
            _bytes += block.Data.Length;
        }
    }

    /// <summary>Adds a block read from disk, in the place of one that begins at the same position.</summary>
    public void AddRead(LogBlock block)
    {
        lock (_gate)
        {
            block.LastUse = ++_clock;
            int index = IndexOf(_reads, block.Start);
            if (index >= 0 && _reads[index].Start == block.Start)
            {
                DropRead(index);
                index--;
            }

            var reads = new LogBlock[_reads.Length + 1];
            _reads.AsSpan(0, index + 1).CopyTo(reads);
            reads[index + 1] = block;
            _reads.AsSpan(index + 1).CopyTo(reads.AsSpan(index + 2));
            Volatile.Write(ref _reads, reads);
            _bytes += block.Data.Length;
            _readBytes += block.Data.Length;
        }

        Trim();
    }

    /// <summary>Drops what is over the limit.</summary>
    public void Trim()
    {
        if (Bytes <= bytesMax)
        {
            return;
        }

        lock (_gate)
        {
            while (_bytes > bytesMax && DropOldest())
            {
            }
        }
    }

    /// <summary>Drops the blocks of segments that are gone, or of one block's worth of spilled bytes.</summary>
    public void DropWhere(Predicate<LogBlock> match)
    {
        lock (_gate)
        {
            DropWhere(ref _tail, match);
            _readBytes -= DropWhere(ref _reads, match);
        }
    }

    private long DropWhere(ref LogBlock[] blocks, Predicate<LogBlock> match)
    {
        long bytes = 0;
        LogBlock[] dropped = Array.FindAll(blocks, match);
        if (dropped.Length == 0)
        {
            return 0;
        }

        Volatile.Write(ref blocks, Array.FindAll(blocks, block => !match(block)));
        foreach (LogBlock block in dropped)
        {
            bytes += block.Data.Length;
            block.Release();
        }

        _bytes -= bytes;
        return bytes;
    }

    private bool DropOldest()
    {
        int tail = OldestOf(_tail);
        int read = _readBytes > bytesMax / ReadShare ? OldestOf(_reads) : -1;
        if (tail < 0 && read < 0)
        {
            return false;
        }

        if (read < 0 || (tail >= 0 && _tail[tail].LastUse < _reads[read].LastUse))
        {
            Drop(ref _tail, tail);
        }
        else
        {
            DropRead(read);
        }

        return true;
    }

    private void DropRead(int index)
    {
        _readBytes -= _reads[index].Data.Length;
        Drop(ref _reads, index);
    }

    private void Drop(ref LogBlock[] blocks, int index)
    {
        LogBlock block = blocks[index];
        Volatile.Write(ref blocks, [.. blocks.AsSpan(0, index), .. blocks.AsSpan(index + 1)]);
        _bytes -= block.Data.Length;
        block.Release();
    }

    private static int OldestOf(LogBlock[] blocks)
    {
        int oldest = -1;
        for (int i = 0; i < blocks.Length; i++)
        {
            if (blocks[i].IsOnDisk && (oldest < 0 || blocks[i].LastUse < blocks[oldest].LastUse))
            {
                oldest = i;
            }
        }

        return oldest;
    }

    private LogBlock? Hold(LogBlock[] blocks, long position)
    {
        int index = IndexOf(blocks, position);
        if (index < 0)
        {
            return null;
        }

        LogBlock block = blocks[index];
        if (position + RecordFormat.HeaderBytes > block.End || !block.TryHold())
        {
            return null;
        }

        long clock = Volatile.Read(ref _clock);
        if (block.LastUse != clock)
        {
            block.LastUse = clock;
        }

        return block;
    }

    /// <summary>Index of the last block that begins at or before a position; -1 if none does.</summary>
    private static int IndexOf(LogBlock[] blocks, long position)
    {
        int low = 0;
        int high = blocks.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            if (blocks[middle].Start <= position)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return high;
    }
}
