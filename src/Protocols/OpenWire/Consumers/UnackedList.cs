using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Consumers;

/// <summary>A message that a client has and has not finished with.</summary>
internal struct Unacked
{
    /// <summary>The node's number for it on this connection; rising.</summary>
    public long Sequence;
    public Delivery Delivery;
    public ProducerId? Producer;
    public long ProducerSequence;

    /// <summary>The transaction that holds its acknowledgement; null: none.</summary>
    public object? Transaction;

    /// <summary>The client was given room for another one in its place.</summary>
    public bool IsRoomGiven;

    /// <summary>Settled; only its place is still here.</summary>
    public bool IsDone;
}

/// <summary>
/// What a consumer was sent and has not acknowledged, oldest first: found by the node's number, taken out anywhere. One
/// per consumer.
/// </summary>
internal sealed class UnackedList
{
    private Unacked[] _items = new Unacked[16];
    private int _first;

    /// <summary>Places in use, also of those that are done in the middle.</summary>
    public int Count { get; private set; }

    public ref Unacked this[int index] => ref _items[(_first + index) & (_items.Length - 1)];

    public void Add(in Unacked item)
    {
        if (Count == _items.Length)
        {
            Grow();
        }

        Count++;
        this[Count - 1] = item;
    }

    /// <summary>The index of the message that a client names; -1: it is not here.</summary>
    public int Find(MessageId id)
    {
        int low = 0;
        int high = Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            long sequence = this[middle].Sequence;
            if (sequence == id.BrokerSequence)
            {
                return Names(id, middle) ? middle : -1;
            }

            (low, high) = sequence < id.BrokerSequence ? (middle + 1, high) : (low, middle - 1);
        }

        return FindByProducer(id);
    }

    /// <summary>The message is settled.</summary>
    public void Finish(int index)
    {
        ref Unacked item = ref this[index];
        item = new Unacked { Sequence = item.Sequence, IsDone = true };
        while (Count > 0 && this[0].IsDone)
        {
            this[0] = default;
            _first = (_first + 1) & (_items.Length - 1);
            Count--;
        }
    }

    /// <summary>A transaction has ended: what it held is done, or is as before.</summary>
    public void EndTransaction(object transaction, bool isCommitted)
    {
        for (int i = Count - 1; i >= 0; i--)
        {
            // Finishing the first one shortens the list from its front, which is where this ends.
            if (this[i].Transaction == transaction)
            {
                if (isCommitted)
                {
                    Finish(i);
                }
                else
                {
                    this[i].Transaction = null;
                }
            }
        }
    }

    // Clients that do not send the node's number back are found the long way.
    private int FindByProducer(MessageId id)
    {
        for (int i = 0; id.BrokerSequence == 0 && i < Count; i++)
        {
            if (Names(id, i))
            {
                return i;
            }
        }

        return -1;
    }

    private bool Names(MessageId id, int index)
    {
        ref Unacked item = ref this[index];
        return !item.IsDone && item.ProducerSequence == id.ProducerSequence && item.Producer == id.Producer;
    }

    private void Grow()
    {
        var items = new Unacked[_items.Length * 2];
        for (int i = 0; i < Count; i++)
        {
            items[i] = this[i];
        }

        _items = items;
        _first = 0;
    }
}
