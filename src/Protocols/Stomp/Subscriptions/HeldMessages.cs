using System.Globalization;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Stomp.Subscriptions;

/// <summary>
/// Deliveries of a subscription that are written and not settled, by the number under which they were: a ring, so the
/// oldest is at the front. Bounded by the subscription's window. Not thread-safe.
/// </summary>
internal sealed class HeldMessages
{
    private const int CapacityMin = 16;

    private Slot[] _slots = new Slot[CapacityMin];

    private enum SlotState : byte
    {
        Free,
        Held,
        Staged,
    }

    /// <summary>The number of the oldest that may still be held.</summary>
    public long First { get; private set; } = 1;

    /// <summary>The number that the next one gets.</summary>
    public long Next { get; private set; } = 1;

    /// <summary>How many are held or staged.</summary>
    public int Count { get; private set; }

    /// <summary>The bytes of those, as the log counts them.</summary>
    public long Bytes { get; private set; }

    /// <summary>The id of a message of a subscription: what ACK and NACK name.</summary>
    public static void WriteId(ref Wire.ByteBuilder output, int subscription, long number)
    {
        output.Append(subscription);
        output.Append((byte)'-');
        output.Append(number);
    }

    /// <summary>Reads an id; false: it was none of this node's.</summary>
    public static bool TryReadId(string id, out int subscription, out long number)
    {
        int dash = id.IndexOf('-', StringComparison.Ordinal);
        number = 0;
        subscription = 0;
        return dash > 0
            && int.TryParse(id.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out subscription)
            && long.TryParse(id.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>Holds a delivery under <see cref="Next"/>.</summary>
    public void Add(in Delivery delivery)
    {
        if (Next - First == _slots.Length)
        {
            Grow();
        }

        ref Slot slot = ref At(Next++);
        slot.Delivery = delivery;
        slot.State = SlotState.Held;
        Count++;
        Bytes += delivery.RecordBytes;
    }

    /// <summary>The delivery of that number, if it is held and in no transaction.</summary>
    public bool TryGet(long number, out Delivery delivery)
    {
        bool held = number >= First && number < Next && At(number).State == SlotState.Held;
        delivery = held ? At(number).Delivery : default;
        return held;
    }

    /// <summary>It is settled.</summary>
    public void Remove(long number)
    {
        ref Slot slot = ref At(number);
        Invariant.That(slot.State != SlotState.Free);
        Count--;
        Bytes -= slot.Delivery.RecordBytes;
        slot = default;
        while (First < Next && At(First).State == SlotState.Free)
        {
            First++;
        }
    }

    /// <summary>Its settlement waits for a transaction.</summary>
    public void Stage(long number, Transaction transaction)
    {
        ref Slot slot = ref At(number);
        slot.State = SlotState.Staged;
        slot.Transaction = transaction;
    }

    /// <summary>A transaction has ended: what it settled is gone, or held again.</summary>
    public void End(Transaction transaction, bool committed)
    {
        long next = Next;
        for (long number = First; number < next; number++)
        {
            if (At(number).Transaction != transaction)
            {
                continue;
            }

            At(number).Transaction = null;
            if (committed)
            {
                Remove(number);
            }
            else
            {
                At(number).State = SlotState.Held;
            }
        }
    }

    private ref Slot At(long number) => ref _slots[number & (_slots.Length - 1)];

    private void Grow()
    {
        var larger = new Slot[_slots.Length * 2];
        for (long number = First; number < Next; number++)
        {
            larger[number & (larger.Length - 1)] = At(number);
        }

        _slots = larger;
    }

    private struct Slot
    {
        public Delivery Delivery;
        public SlotState State;
        public Transaction? Transaction;
    }
}
