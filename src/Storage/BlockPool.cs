namespace Pillarbox.Storage;

/// <summary>
/// Memory for blocks, kept for reuse in the two sizes that are asked for all the time: as many as are in use, so that
/// what a busy time needs is allocated once, and most of it is let go when that is over. Any thread.
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
                shelf.Used++;
                if (shelf.Kept.TryPop(out byte[]? found))
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
            shelf.Used--;
            shelf.Kept.Push(bytes);
            shelf.Trim();
        }
    }

    private Shelf? ShelfOf(int bytes) => bytes == blockBytes ? _blocks : bytes == readBytes ? _reads : null;

    /// <summary>Memory of one size.</summary>
    private sealed class Shelf
    {
        private const int KeptMin = 8;

        public Stack<byte[]> Kept { get; } = new();

        public int Used { get; set; }

        public void Trim()
        {
            while (Kept.Count > KeptMin && Kept.Count > Used)
            {
                Kept.Pop();
            }
        }
    }
}
