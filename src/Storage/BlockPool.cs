namespace Pillarbox.Storage;

/// <summary>
/// Memory for blocks, kept for reuse in the two sizes that are asked for all the time: with those in use as many as
/// were in use at once lately. Blocks come back in bursts, a whole segment's when it is reclaimed, and are wanted again
/// soon: so what a busy time needs is allocated once, and let go little by little when that is over. Any thread.
/// </summary>
internal sealed class BlockPool(int blockBytes, int readBytes)
{
    private readonly Lock _gate = new();
    private readonly Shelf _blocks = new();
    private readonly Shelf _reads = new();

    /// <summary>At least <paramref name="bytes"/> of memory with any content.</summary>
    public byte[] Rent(int bytes)
    {
        if (ShelfOf(bytes) is { } shelf)
        {
            lock (_gate)
            {
                if (shelf.Take() is { } found)
                {
                    return found;
                }
            }
        }

        return GC.AllocateUninitializedArray<byte>(bytes);
    }

    /// <summary>Gives memory back that nobody looks at any more.</summary>
    public void Return(byte[] bytes)
    {
        if (ShelfOf(bytes.Length) is not { } shelf)
        {
            return;
        }

        lock (_gate)
        {
            shelf.Put(bytes);
        }
    }

    private Shelf? ShelfOf(int bytes) => bytes == blockBytes ? _blocks : bytes == readBytes ? _reads : null;

    /// <summary>Memory of one size.</summary>
    private sealed class Shelf
    {
        private const int KeptMin = 8;

        /// <summary>Of the most that were in use, so much is forgotten with each return: one part in 8,192.</summary>
        private const int ForgetShift = 13;

        // The most in use, in parts of 65,536.
        private long _peak;

        public Stack<byte[]> Kept { get; } = new();

        public int Used { get; private set; }

        public byte[]? Take()
        {
            Used++;
            _peak = Math.Max(_peak, (long)Used << 16);
            return Kept.TryPop(out byte[]? found) ? found : null;
        }

        public void Put(byte[] bytes)
        {
            Used--;
            _peak -= _peak >> ForgetShift;
            Kept.Push(bytes);
            while (Kept.Count > KeptMin && Used + Kept.Count > (_peak >> 16) + 1)
            {
                Kept.Pop();
            }
        }
    }
}
