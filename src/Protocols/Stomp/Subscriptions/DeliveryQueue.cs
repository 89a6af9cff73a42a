using Pillarbox.Broker.Consumers;

namespace Pillarbox.Protocols.Stomp.Subscriptions;

/// <summary>
/// Deliveries that a subscription got from the broker and has not written yet, in order. Bounded by the credit that
/// the subscription grants; grows to that bound and is kept for the subscription's life.
/// </summary>
internal sealed class DeliveryQueue
{
    private const int CapacityMin = 16;

    private Delivery[] _items = [];
    private int _head;

    public int Count { get; private set; }

    public ref readonly Delivery Head => ref _items[_head];

    public void Enqueue(in Delivery delivery)
    {
        if (Count == _items.Length)
        {
            Grow();
        }

        _items[(_head + Count) & (_items.Length - 1)] = delivery;
        Count++;
    }

    public void Dequeue()
    {
        _items[_head] = default;
        _head = (_head + 1) & (_items.Length - 1);
        Count--;
    }

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
