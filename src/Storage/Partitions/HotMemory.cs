using System.Numerics;

namespace Pillarbox.Storage.Partitions;

/// <summary>
/// Memory for the newest bytes of all partitions: chunks in sizes of powers of two, given back oldest first when
/// together
/// they are more than the cache may have. A partition with little traffic has small chunks. What slow readers still
/// hold of chunks that were given back counts too: there is less for the others then, down to nothing, and what is read
/// comes from files, which hold no memory. Any thread.
/// </summary>
internal sealed class HotMemory(long cacheBytes, long pendingBytesMax)
{
    private const int ChunkBytesMin = 4 << 10;
    private const int ChunkBytesMax = 256 << 10;
    private const int SizesKept = 12;

    private readonly Lock _gate = new();
    private readonly Stack<HotChunk>[] _free = [.. Enumerable.Range(0, SizesKept).Select(_ => new Stack<HotChunk>())];
    private readonly Queue<HotChunk> _inUse = new();
    private long _usedBytes;
    private long _heldBytes;
    private long _freeBytes;

    /// <summary>Memory that chunks take, also those that only readers hold.</summary>
    public long UsedBytes => Volatile.Read(ref _usedBytes) + HeldBytes;

    /// <summary>Memory of chunks that only readers hold: it is no use to anybody else.</summary>
    public long HeldBytes => Volatile.Read(ref _heldBytes);

    /// <summary>A chunk with room for a batch; larger than the one before it, for what has filled one will fill more.
    /// </summary>
    public HotChunk Rent(int batchBytes, int previousBytes)
    {
        int bytes;
        lock (_gate)
        {
            // Many chunks share the memory: then each is small, so that it is full before its time is over.
            int share = (int)Math.Clamp(cacheBytes / (2L * (_inUse.Count + 1)), ChunkBytesMin, ChunkBytesMax);
            int wanted = Math.Max(batchBytes, Math.Clamp(previousBytes * 2, ChunkBytesMin, share));
            bytes = wanted > 1 << 30 ? wanted : (int)BitOperations.RoundUpToPowerOf2((uint)wanted);
            _usedBytes += bytes;
            if (FreeOf(bytes) is { Count: > 0 } free)
            {
                _freeBytes -= bytes;
                return free.Pop();
            }
        }

        return new HotChunk(GC.AllocateUninitializedArray<byte>(bytes), this);
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
                _usedBytes -= oldest.Data.Length;
                _heldBytes += oldest.Data.Length;
            }

            oldest.Release();
        }
    }

    /// <summary>Nobody looks at a chunk any more; the cache gave it back before.</summary>
    public void Return(HotChunk chunk)
    {
        lock (_gate)
        {
            _heldBytes -= chunk.Data.Length;
            if (FreeOf(chunk.Data.Length) is not { } free)
            {
                return;
            }

            _freeBytes += chunk.Data.Length;
            free.Push(chunk);
            while (_freeBytes > 0 && _usedBytes + _heldBytes + _freeBytes > cacheBytes + pendingBytesMax)
            {
                DropOne();
            }
        }
    }

    /// <summary>Leaves one chunk to the garbage collector: of the size that lies about most, for what is asked for now
    /// may
    /// be another one.</summary>
    private void DropOne()
    {
        int most = 0;
        for (int size = 1; size < SizesKept; size++)
        {
            if ((long)_free[size].Count << size > (long)_free[most].Count << most)
            {
                most = size;
            }
        }

        _freeBytes -= _free[most].Pop().Data.Length;
    }

    private Stack<HotChunk>? FreeOf(int bytes)
    {
        int size = BitOperations.Log2((uint)(bytes / ChunkBytesMin));
        return size < SizesKept && bytes == ChunkBytesMin << size ? _free[size] : null;
    }
}
