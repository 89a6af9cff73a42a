using System.Runtime.CompilerServices;
using Pillarbox.Model;

namespace Pillarbox.Broker.Queues;

/// <summary>
/// The entries of one priority, in order. An entry's sequence is its index and never changes; chunks are freed when all
/// their
/// entries are removed. One owner: the shard.
/// </summary>
internal sealed class EntryList(ChunkPool pool)
{
    internal const int ChunkEntries = 1024;
    private const int ChunkBits = 10;
    private EntryChunk?[] _ring = [];
    private int _ringHead;
    private int _chunks;
    private long _firstChunk;

    /// <summary>Entries that are not removed.</summary>
    public int Count { get; private set; }

    /// <summary>Below it everything is removed.</summary>
    public long First => _firstChunk << ChunkBits;

    /// <summary>The sequence that the next entry gets.</summary>
    public long End { get; private set; }

    /// <summary>Adds behind all others; returns its sequence.</summary>
    public long Add(in QueueEntry entry)
    {
        Invariant.That(entry.State != EntryState.Removed);
        long chunkIndex = End >> ChunkBits;
        EntryChunk chunk = _chunks == 0 || chunkIndex >= _firstChunk + _chunks ? AddChunk(chunkIndex)
            : Tail(chunkIndex);
        chunk.Reserve((int)(End & (ChunkEntries - 1)));
        chunk.Entries[End & (ChunkEntries - 1)] = entry;
        chunk.Live++;
        Count++;
        return End++;
    }

    /// <summary>The entry, or a null reference when its chunk is gone (all of it removed).</summary>
    public ref QueueEntry Find(long sequence)
    {
        if ((ulong)sequence >= (ulong)End)
        {
            return ref Unsafe.NullRef<QueueEntry>();
        }

        long index = (sequence >> ChunkBits) - _firstChunk;
        EntryChunk? chunk = index >= 0 && index < _chunks ? _ring[(_ringHead + (int)index) & (_ring.Length - 1)] : null;
        if (chunk is null)
        {
            return ref Unsafe.NullRef<QueueEntry>();
        }

        return ref chunk.Entries[sequence & (ChunkEntries - 1)];
    }

    /// <summary>The group of an entry that is there.</summary>
    public MessageGroup GroupOf(long sequence)
    {
        long index = (sequence >> ChunkBits) - _firstChunk;
        EntryChunk? chunk = index >= 0 && index < _chunks ? _ring[(_ringHead + (int)index) & (_ring.Length - 1)] : null;
        return chunk?.Groups is { } groups ? groups[sequence & (ChunkEntries - 1)] : default;
    }

    /// <summary>Notes the group of an entry that is there.</summary>
    public void SetGroup(long sequence, MessageGroup group)
    {
        EntryChunk chunk = _ring[SlotOf(sequence >> ChunkBits)]!;
        (chunk.Groups ??= new MessageGroup[ChunkEntries])[sequence & (ChunkEntries - 1)] = group;
    }

    /// <summary>The first sequence at or after <paramref name="sequence"/> whose chunk is there, or <see
    /// cref="End"/>.</summary>
    public long SkipGone(long sequence)
    {
        sequence = Math.Max(sequence, First);
        while (sequence < End && Unsafe.IsNullRef(ref Find(sequence)))
        {
            sequence = ((sequence >> ChunkBits) + 1) << ChunkBits;
        }

        return Math.Min(sequence, End);
    }

    /// <summary>Removes an entry that is there.</summary>
    public void Remove(long sequence)
    {
        ref QueueEntry entry = ref Find(sequence);
        Invariant.That(!Unsafe.IsNullRef(ref entry) && entry.State != EntryState.Removed);
        entry.State = EntryState.Removed;
        Count--;
        int slot = SlotOf(sequence >> ChunkBits);
        EntryChunk chunk = _ring[slot]!;
        bool full = End >= ((sequence >> ChunkBits) + 1) << ChunkBits;
        if (--chunk.Live == 0 && full)
        {
            _ring[slot] = null;
            pool.Return(chunk);
            TrimHead();
        }
    }

    /// <summary>The sequence of a message in a list that is sorted by id, or -1.</summary>
    public long FindId(long id)
    {
        long low = First;
        long high = End - 1;
        while (low <= high)
        {
            long middle = low + ((high - low) / 2);
            long probe = SkipGone(middle);
            if (probe > high)
            {
                high = middle - 1;
                continue;
            }

            long found = Find(probe).Id;
            if (found == id)
            {
                return Find(probe).State == EntryState.Removed ? -1 : probe;
            }

            if (found < id)
            {
                low = probe + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return -1;
    }

    /// <summary>The first entry that is there, or -1.</summary>
    public long FirstPresent()
    {
        for (long at = SkipGone(0); at < End; at = SkipGone(at + 1))
        {
            if (Find(at).State != EntryState.Removed)
            {
                return at;
            }
        }

        return -1;
    }

    private EntryChunk Tail(long chunkIndex)
    {
        int slot = SlotOf(chunkIndex);
        return _ring[slot] ??= pool.Rent();
    }

    private int SlotOf(long chunkIndex) => (_ringHead + (int)(chunkIndex - _firstChunk)) & (_ring.Length - 1);

    private EntryChunk AddChunk(long chunkIndex)
    {
        if (_chunks == 0)
        {
            _firstChunk = chunkIndex;
        }

        if (_chunks == _ring.Length)
        {
            EntryChunk?[] larger = new EntryChunk?[Math.Max(4, _ring.Length * 2)];
            for (int i = 0; i < _chunks; i++)
            {
                larger[i] = _ring[(_ringHead + i) & (_ring.Length - 1)];
            }

            _ring = larger;
            _ringHead = 0;
        }

        EntryChunk chunk = pool.Rent();
        _ring[(_ringHead + _chunks++) & (_ring.Length - 1)] = chunk;
        return chunk;
    }

    private void TrimHead()
    {
        while (_chunks > 0 && _ring[_ringHead] is null)
        {
            _ringHead = (_ringHead + 1) & (_ring.Length - 1);
            _firstChunk++;
            _chunks--;
        }
    }
}

/// <summary>Up to 1,024 entries; small at first, so that a short queue costs little.</summary>
internal sealed class EntryChunk
{
    public QueueEntry[] Entries = new QueueEntry[16];

    /// <summary>Entries that are not removed.</summary>
    public int Live;

    /// <summary>Their groups; null: none is in any.</summary>
    public MessageGroup[]? Groups;

    public void Reserve(int index)
    {
        if (index >= Entries.Length)
        {
            Array.Resize(ref Entries, Entries.Length * 4);
        }
    }
}

/// <summary>Whole chunks for reuse, as many as are in use: a backlog that comes and goes is allocated once, and most of
/// its memory is let go when it is over. One per shard.</summary>
internal sealed class ChunkPool
{
    private const int KeptMin = 32;
    private readonly Stack<EntryChunk> _kept = new();
    private int _used;

    public EntryChunk Rent()
    {
        _used++;
        return _kept.TryPop(out EntryChunk? chunk) ? chunk : new EntryChunk();
    }

    public void Return(EntryChunk chunk)
    {
        _used--;
        if (chunk.Entries.Length == EntryList.ChunkEntries)
        {
            chunk.Live = 0;
            chunk.Groups = null;
            _kept.Push(chunk);
        }

        while (_kept.Count > KeptMin && _kept.Count > _used)
        {
            _kept.Pop();
        }
    }
}
