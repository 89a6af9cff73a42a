namespace Pillarbox.Broker.Queues;

/// <summary>Something due at a time, for the entry at a place.</summary>
internal readonly record struct TimedEntry(long DueMs, long Sequence, byte Priority);

/// <summary>A binary heap, earliest first. One owner.</summary>
internal sealed class TimeHeap
{
    private TimedEntry[] _items = [];

    public int Count { get; private set; }

    /// <summary>When the earliest is due; never when there is none.</summary>
    public long NextDueMs => Count == 0 ? long.MaxValue : _items[0].DueMs;

    /// <summary>All of them, in no order.</summary>
    public ReadOnlySpan<TimedEntry> Items => _items.AsSpan(0, Count);

    public void Add(in TimedEntry item)
    {
        if (Count == _items.Length)
        {
            Array.Resize(ref _items, Math.Max(16, Count * 2));
        }

        int at = Count++;
        while (at > 0 && Before(item, _items[(at - 1) / 2]))
        {
            _items[at] = _items[(at - 1) / 2];
            at = (at - 1) / 2;
        }

        _items[at] = item;
    }

    /// <summary>Takes the earliest when it is due.</summary>
    public bool TryTakeDue(long nowMs, out TimedEntry item)
    {
        item = default;
        if (Count == 0 || _items[0].DueMs > nowMs)
        {
            return false;
        }

        item = _items[0];
        TimedEntry last = _items[--Count];
        SinkFrom(0, last);
        return true;
    }

    /// <summary>Forgets all that do not pass; what stays is a heap again.</summary>
    public void Keep(Predicate<TimedEntry> alive)
    {
        TimedEntry[] old = _items;
        int count = Count;
        _items = [];
        Count = 0;
        for (int i = 0; i < count; i++)
        {
            if (alive(old[i]))
            {
                Add(old[i]);
            }
        }
    }

    public void Clear()
    {
        _items = [];
        Count = 0;
    }

    private static bool Before(in TimedEntry left, in TimedEntry right) =>
        left.DueMs != right.DueMs ? left.DueMs < right.DueMs : left.Sequence < right.Sequence;

    private void SinkFrom(int at, in TimedEntry item)
    {
        if (Count == 0)
        {
            return;
        }

        while ((at * 2) + 1 < Count)
        {
            int child = (at * 2) + 1;
            if (child + 1 < Count && Before(_items[child + 1], _items[child]))
            {
                child++;
            }

            if (!Before(_items[child], item))
            {
                break;
            }

            _items[at] = _items[child];
            at = child;
        }

        _items[at] = item;
    }
}
