namespace Pillarbox.Broker.Shards;

/// <summary>A first-in first-out of structs in one array that grows and is reused. One owner.</summary>
internal sealed class Ring<T>
{
    private const int KeptItemsMax = 8192;
    private T[] _items = new T[1];
    private int _head;

    public int Count { get; private set; }

    /// <summary>The item at a distance from the oldest.</summary>
    public ref T this[int index]
    {
        get
        {
            T[] items = _items;
            return ref items[(_head + index) & (items.Length - 1)];
        }
    }

    /// <summary>Adds behind the newest.</summary>
    public ref T Add()
    {
        if (Count == _items.Length)
        {
            Grow();
        }

        return ref _items[(_head + Count++) & (_items.Length - 1)];
    }

    /// <summary>Forgets the oldest.</summary>
    public void RemoveOldest()
    {
        _items[_head] = default!;
        _head = (_head + 1) & (_items.Length - 1);
        Count--;
        if (Count == 0)
        {
            _head = 0;
            if (_items.Length > KeptItemsMax)
            {
                _items = new T[1];
            }
        }
    }

    private void Grow()
    {
        T[] larger = new T[Math.Max(16, _items.Length * 2)];
        for (int i = 0; i < Count; i++)
        {
            larger[i] = this[i];
        }

        _items = larger;
        _head = 0;
    }
}
