using System.Diagnostics.CodeAnalysis;

namespace Pillarbox.Broker.Shards;

/// <summary>A reused array that grows: items collected during one pass. One owner.</summary>
[SuppressMessage("Naming", "CA1721", Justification = "the span is the content")]
internal sealed class Buffer<T>
{
    private const int KeptItemsMax = 8192;

    // Thousands of clients do hardly anything, and have one of these for each shard.
    private const int ItemsMin = 4;
    private T[] _items = [];

    public int Count { get; private set; }

    public Span<T> Span => _items.AsSpan(0, Count);

    /// <summary>Room for one more item, to be filled in place.</summary>
    public ref T Add()
    {
        if (Count == _items.Length)
        {
            Array.Resize(ref _items, Math.Max(ItemsMin, Count * 2));
        }

        return ref _items[Count++];
    }

    public void Clear()
    {
        if (_items.Length > KeptItemsMax)
        {
            _items = [];
        }
        else
        {
            Array.Clear(_items, 0, Count);
        }

        Count = 0;
    }
}
