using System.Diagnostics.CodeAnalysis;

namespace Pillarbox.Broker.Shards;

/// <summary>An array that grows: items collected during one pass. One owner.</summary>
[SuppressMessage("Naming", "CA1721", Justification = "the span is the content")]
internal sealed class Buffer<T>
{
    private T[] _items = [];

    public int Count { get; private set; }

    public Span<T> Span => _items.AsSpan(0, Count);

    /// <summary>Room for one more item, to be filled in place.</summary>
    public ref T Add()
    {
        if (Count == _items.Length)
        {
            _items = Room<T>.Grow(_items, Count, Count + 1);
        }

        return ref _items[Count++];
    }

    public void Clear()
    {
        Array.Clear(_items, 0, Count);
        Room<T>.Return(_items);
        _items = [];
        Count = 0;
    }
}
