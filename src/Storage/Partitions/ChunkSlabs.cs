namespace Pillarbox.Storage.Partitions;

/// <summary>A stretch of a slab.</summary>
internal readonly record struct SlabPart(ChunkSlab Slab, int Offset);

/// <summary>One piece of memory that chunks share. A bit for each unit of it that is in use.</summary>
internal sealed class ChunkSlab
{
    /// <summary>The least part: one bit.</summary>
    public const int UnitBytes = 4 << 10;

    /// <summary>Bytes of a slab: as many units as there are bits.</summary>
    public const int SlabBytes = 64 * UnitBytes;

    private ulong _used;

    /// <summary>Pinned, for it goes to files and sockets, and lives long.</summary>
    public byte[] Bytes { get; } = GC.AllocateUninitializedArray<byte>(SlabBytes, pinned: true);

    public bool IsEmpty => _used == 0;

    public bool IsFull => _used == ulong.MaxValue;

    /// <summary>Whether it is among those that have some room.</summary>
    public bool IsPartial { get; set; }

    /// <summary>Takes so many units in a row, at a multiple of their number, which is a power of 2; -1 when there are
    /// none.</summary>
    public int Take(int units)
    {
        ulong mask = MaskOf(units);
        for (int at = 0; at < 64; at += units)
        {
            if ((_used & (mask << at)) == 0)
            {
                _used |= mask << at;
                return at * UnitBytes;
            }
        }

        return -1;
    }

    public void Give(int offset, int units)
    {
        ulong taken = MaskOf(units) << (offset / UnitBytes);
        Model.Invariant.That((_used & taken) == taken, "what comes back was taken");
        _used &= ~taken;
    }

    private static ulong MaskOf(int units) => units == 64 ? ulong.MaxValue : (1UL << units) - 1;
}

/// <summary>
/// Memory for chunks of all sizes up to a slab's, out of the same slabs, so that a size which is no longer asked for
/// leaves none behind. As many slabs are kept as were in use at once lately. One owner: under its caller's lock.
/// </summary>
internal sealed class ChunkSlabs
{
    /// <summary>Of the most that were in use, so much is forgotten with each slab that is given back: one part in 256.
    /// </summary>
    private const int ForgetShift = 8;

    private readonly List<ChunkSlab> _partial = [];
    private readonly Stack<ChunkSlab> _empty = new();
    private int _inUse;

    // The most in use, in parts of 65,536.
    private long _peak;

    /// <summary>Memory of slabs, used or not.</summary>
    public long Bytes => (long)(_inUse + _empty.Count) * ChunkSlab.SlabBytes;

    /// <summary>Takes so many bytes: a power of 2, from a unit's to a slab's.</summary>
    public SlabPart Rent(int bytes)
    {
        int units = bytes / ChunkSlab.UnitBytes;
        foreach (ChunkSlab slab in _partial)
        {
            int found = slab.Take(units);
            if (found >= 0)
            {
                Settle(slab);
                return new SlabPart(slab, found);
            }
        }

        if (!_empty.TryPop(out ChunkSlab? empty))
        {
            empty = new ChunkSlab();
        }

        _inUse++;
        _peak = Math.Max(_peak, (long)_inUse << 16);
        int offset = empty.Take(units);
        Settle(empty);
        return new SlabPart(empty, offset);
    }

    /// <summary>Gives memory back that nobody looks at any more.</summary>
    public void Return(SlabPart part, int bytes)
    {
        part.Slab.Give(part.Offset, bytes / ChunkSlab.UnitBytes);
        Settle(part.Slab);
        if (!part.Slab.IsEmpty)
        {
            return;
        }

        _inUse--;
        _peak -= _peak >> ForgetShift;
        _empty.Push(part.Slab);
        while (_empty.Count > 0 && _inUse + _empty.Count > (_peak >> 16) + 1)
        {
            _empty.Pop();
        }
    }

    // The list has what is neither full nor empty.
    private void Settle(ChunkSlab slab)
    {
        bool isPartial = slab is { IsEmpty: false, IsFull: false };
        if (isPartial == slab.IsPartial)
        {
            return;
        }

        slab.IsPartial = isPartial;
        if (isPartial)
        {
            _partial.Add(slab);
        }
        else
        {
            _partial.Remove(slab);
        }
    }
}
