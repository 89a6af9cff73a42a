namespace Pillarbox.Broker.Shards;

/// <summary>A first-in first-out of structs in one array that grows and is reused. One owner.</summary>
internal sealed class Ring<T>
{
    /// <summary>An array of so many items stays with the ring when it is empty.</summary>
    private const int OwnItemsMax = 256;

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
            if (_items.Length > OwnItemsMax)
            {
                Room<T>.Return(_items);
                _items = Room<T>.Rent(1);
            }
        }
    }

    private void Grow()
    {
        T[] larger = Room<T>.Rent(_items.Length * 2);
        int first = _items.Length - _head;
        _items.AsSpan(_head, first).CopyTo(larger);
        _items.AsSpan(0, _head).CopyTo(larger.AsSpan(first));
        Array.Clear(_items);
        Room<T>.Return(_items);
        _items = larger;
        _head = 0;
    }
}
