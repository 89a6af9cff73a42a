using System.Numerics;

namespace Pillarbox.Storage.Partitions;

/// <summary>
/// Memory for the newest bytes of all partitions: chunks in sizes of powers of two, given back oldest first when
/// together they are more than the cache may have. A partition with little traffic has small chunks. What slow readers
/// still hold of chunks that were given back counts too: there is less for the others then, down to nothing, and what
/// is read comes from files, which hold no memory. Any thread.
/// </summary>
internal sealed class HotMemory(long cacheBytes)
{
    private const int ChunkBytesMin = ChunkSlab.UnitBytes;
    private const int ChunkBytesMax = ChunkSlab.SlabBytes;

    // What is kept to be used again: objects without memory, of each size, and arrays of batches that fill more than a
    // slab.
    private const int ShellsMax = 256;
    private const int LargeShift = 3;

    private readonly Lock _gate = new();
    private readonly ChunkSlabs _slabs = new();
    private readonly Stack<HotChunk>[] _shells =
        [.. Enumerable.Range(0, OrderOf(ChunkBytesMax) + 1).Select(_ => new Stack<HotChunk>())];
    private readonly Queue<HotChunk> _large = new();
    private readonly Queue<HotChunk> _inUse = new();
    private long _usedBytes;
    private long _heldBytes;
    private long _largeBytes;

    /// <summary>Memory that chunks take, also those that only readers hold.</summary>
    public long UsedBytes => Volatile.Read(ref _usedBytes) + HeldBytes;

    /// <summary>Memory of chunks that only readers hold: it is no use to anybody else.</summary>
    public long HeldBytes => Volatile.Read(ref _heldBytes);

    /// <summary>Memory that is there for chunks, used or not.</summary>
    public long TotalBytes
    {
        get
        {
            lock (_gate)
            {
                return _slabs.Bytes + _largeBytes;
            }
        }
    }

    /// <summary>A chunk with room for a batch; larger than the one before it, for what has filled one will fill more.
    /// </summary>
    public HotChunk Rent(int batchBytes, int previousBytes)
    {
        lock (_gate)
        {
            // Many chunks share the memory: then each is small, so that it is full before its time is over.
            int share = (int)Math.Clamp(cacheBytes / (2L * (_inUse.Count + 1)), ChunkBytesMin, ChunkBytesMax);
            int wanted = Math.Max(batchBytes, (int)Math.Clamp(previousBytes * 2L, ChunkBytesMin, share));
            int bytes = wanted > 1 << 30 ? wanted : (int)BitOperations.RoundUpToPowerOf2((uint)wanted);
            _usedBytes += bytes;
            return bytes <= ChunkBytesMax ? Small(bytes) : Large(bytes);
        }
    }

    /// <summary>A chunk holds batches now; it will be given back in its turn.</summary>
    public void Enlist(HotChunk chunk)
    {
        lock (_gate)
        {
            _inUse.Enqueue(chunk);
        }
    }

    /// <summary>Gives back the oldest chunks that are on disk until the cache fits. One thread at a time.</summary>
    public void Trim()
    {
        while (UsedBytes > cacheBytes)
        {
            HotChunk? oldest;
            lock (_gate)
            {
                if (!_inUse.TryPeek(out oldest))
                {
                    return;
                }
            }

            // The log's lock is taken inside, so never under this one's.
            if (!oldest.Log.TryEvict(oldest))
            {
                return;
            }

            lock (_gate)
            {
                _inUse.Dequeue();
                _usedBytes -= oldest.Bytes;
                _heldBytes += oldest.Bytes;
            }

            oldest.Release();
        }
    }

    /// <summary>Nobody looks at a chunk any more; the cache gave it back before.</summary>
    public void Return(HotChunk chunk)
    {
        lock (_gate)
        {
            _heldBytes -= chunk.Bytes;
            if (chunk.Slab is { } slab)
            {
                _slabs.Return(new SlabPart(slab, chunk.Data.Offset), chunk.Bytes);
                chunk.Place(null, default);
                Stack<HotChunk> shells = _shells[OrderOf(chunk.Bytes)];
                if (shells.Count < ShellsMax)
                {
                    shells.Push(chunk);
                }

                return;
            }

            _large.Enqueue(chunk);
            long kept = _large.Sum(each => (long)each.Bytes);
            while (kept > cacheBytes >> LargeShift && _large.TryDequeue(out HotChunk? oldest))
            {
                kept -= oldest.Bytes;
                _largeBytes -= oldest.Bytes;
            }
        }
    }

    private HotChunk Small(int bytes)
    {
        if (!_shells[OrderOf(bytes)].TryPop(out HotChunk? chunk))
        {
            chunk = new HotChunk(bytes, this);
        }

        SlabPart part = _slabs.Rent(bytes);
        chunk.Place(part.Slab, new ArraySegment<byte>(part.Slab.Bytes, part.Offset, bytes));
        return chunk;
    }

    // A batch that does not fit into a slab has an array of its own, which the next of its size gets.
    private HotChunk Large(int bytes)
    {
        for (int left = _large.Count; left > 0; left--)
        {
            HotChunk kept = _large.Dequeue();
            if (kept.Bytes == bytes)
            {
                return kept;
            }

            _large.Enqueue(kept);
        }

        var chunk = new HotChunk(bytes, this);
        chunk.Place(null, GC.AllocateUninitializedArray<byte>(bytes));
        _largeBytes += bytes;
        return chunk;
    }

    private static int OrderOf(int bytes) => BitOperations.Log2((uint)(bytes / ChunkBytesMin));
}
