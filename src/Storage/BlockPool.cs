namespace Pillarbox.Storage;

/// <summary>Memory for blocks, kept for reuse in the two sizes that are asked for all the time. Any thread.</summary>
internal sealed class BlockPool(int blockBytes, int readBytes)
{
    private const int KeptMax = 8;
    private readonly Lock _gate = new();
    private readonly Stack<byte[]> _blocks = new();
    private readonly Stack<byte[]> _reads = new();

    /// <summary>At least <paramref name="bytes"/> of memory with any content.</summary>
    public byte[] Rent(int bytes)
    {
        Stack<byte[]>? kept = KeptOf(bytes);
        if (kept is not null)
        {
            lock (_gate)
            {
                if (kept.TryPop(out byte[]? found))
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
        Stack<byte[]>? kept = KeptOf(bytes.Length);
        if (kept is null)
        {
            return;
        }

        lock (_gate)
        {
            if (kept.Count < KeptMax)
            {
                kept.Push(bytes);
            }
        }
    }

    private Stack<byte[]>? KeptOf(int bytes) => bytes == blockBytes ? _blocks : bytes == readBytes ? _reads : null;
}
