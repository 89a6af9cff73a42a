namespace Pillarbox.Broker.Consumers;

/// <summary>
/// Deliveries that a protocol got from the broker for one consumer and has not written yet, in order. Bounded by the
/// credit that the consumer grants; grows to that bound and is kept for the consumer's life. One thread at a time.
/// </summary>
public sealed class DeliveryQueue
{
    private const int CapacityMin = 16;

    private Delivery[] _items = [];
    private int _head;

    /// <summary>How many wait.</summary>
    public int Count { get; private set; }

    /// <summary>The oldest; only while one waits.</summary>
    public ref readonly Delivery Head => ref _items[_head];

    /// <summary>The youngest from now on.</summary>
    public void Enqueue(in Delivery delivery)
    {
        if (Count == _items.Length)
        {
            Grow();
        }

        _items[(_head + Count) & (_items.Length - 1)] = delivery;
        Count++;
    }

    /// <summary>Takes the oldest out; only while one waits.</summary>
    public void Dequeue()
    {
        _items[_head] = default;
        _head = (_head + 1) & (_items.Length - 1);
        Count--;
    }

    /// <summary>Takes the youngest one back out; only while one waits.</summary>
    public Delivery TakeLast()
    {
        Count--;
        ref Delivery slot = ref _items[(_head + Count) & (_items.Length - 1)];
        Delivery last = slot;
        slot = default;
        return last;
    }

    /// <summary>Forgets them all, and its memory.</summary>
    public void Clear()
    {
        _items = [];
        _head = 0;
        Count = 0;
    }

    private void Grow()
    {
        var larger = new Delivery[Math.Max(CapacityMin, _items.Length * 2)];
        for (int i = 0; i < Count; i++)
        {
            larger[i] = _items[(_head + i) & (_items.Length - 1)];
        }

        _items = larger;
        _head = 0;
    }
}
