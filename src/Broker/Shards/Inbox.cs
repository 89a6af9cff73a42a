namespace Pillarbox.Broker.Shards;

/// <summary>
/// What others hand to an owner, in batches: any thread adds, the one owner takes everything at once. With claims it
/// also decides
/// who the owner is: whoever adds to an inbox that nobody drains becomes its drainer.
/// </summary>
internal sealed class Inbox<T>
{
    private readonly Lock _gate = new();
    private T[] _items = [];
    private int _count;
    private bool _claimed;

    /// <summary>Whether something waits; a hint when asked without owning the inbox.</summary>
    public bool HasItems => Volatile.Read(ref _count) > 0;

    /// <summary>Adds without claiming.</summary>
    public void Add(ReadOnlySpan<T> items)
    {
        lock (_gate)
        {
            Append(items);
        }
    }

    /// <summary>Adds; true when the caller is the drainer from now on and must call <see cref="TryTake"/> until it is
    /// false.</summary>
    public bool AddAndClaim(ReadOnlySpan<T> items)
    {
        lock (_gate)
        {
            Append(items);
            bool mine = !_claimed;
            _claimed = true;
            return mine;
        }
    }

    /// <summary>Becomes the drainer of what is there; false when somebody else is, or nothing waits.</summary>
    public bool TryClaim()
    {
        lock (_gate)
        {
            bool mine = !_claimed && _count > 0;
            _claimed |= mine;
            return mine;
        }
    }

    /// <summary>Takes all items in exchange for the buffer of the last time, which the caller has cleared. False when
    /// there are none: the claim is over, and the buffer is gone.</summary>
    public bool TryTake(ref T[] buffer, out int count)
    {
        T[] used = buffer;
        lock (_gate)
        {
            count = _count;
            buffer = count == 0 ? [] : _items;
            _items = count == 0 ? _items : [];
            _claimed &= count > 0;
            Volatile.Write(ref _count, 0);
        }

        Room<T>.Return(used);
        return count > 0;
    }

    /// <summary>Nothing is to be taken: the buffer of the last time, which the caller has cleared, is not needed.
    /// </summary>
    public static void GiveBack(ref T[] buffer)
    {
        T[] used = buffer;
        buffer = [];
        Room<T>.Return(used);
    }

    /// <summary>Gives the claim back although items may wait: somebody else goes on.</summary>
    public void Unclaim()
    {
        lock (_gate)
        {
            _claimed = false;
        }
    }

    private void Append(ReadOnlySpan<T> items)
    {
        int needed = _count + items.Length;
        if (needed > _items.Length)
        {
            _items = Room<T>.Grow(_items, _count, needed);
        }

        items.CopyTo(_items.AsSpan(_count));
        Volatile.Write(ref _count, needed);
    }
}
