using System.Diagnostics.CodeAnalysis;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Client;

/// <summary>
/// Whose delivery an id is, from the oldest unsettled one to the newest. Ids are serial numbers (part 2 section 2.8.9);
/// the ring grows to the largest number of deliveries in flight and then stays.
/// </summary>
internal sealed class UnsettledRing
{
    private ClientSender?[] _owners = new ClientSender?[1024];
    private uint _oldest;
    private uint _next;

    /// <summary>Deliveries that are not settled.</summary>
    public int Count { get; private set; }

    /// <summary>Gives the next id to a delivery; no owner means that it is settled from the start.</summary>
    public uint Add(ClientSender? owner)
    {
        if (unchecked(_next - _oldest) == (uint)_owners.Length)
        {
            Grow();
        }
        uint id = _next++;
        Slot(id) = owner;
        if (owner is not null)
        {
            Count++;
        }
        else if (id == _oldest)
        {
            _oldest = _next;
        }
        return id;
    }

    /// <summary>
    /// Settles the next run of unsettled deliveries of one sender from <paramref name="next"/> to
    /// <paramref name="last"/>, and moves <paramref name="next"/> behind it. False when none is left.
    /// </summary>
    public bool TakeRun(ref uint next, uint last, [NotNullWhen(true)] out ClientSender? owner, out uint runFirst)
    {
        CheckRange(ref next, last);
        uint end = unchecked(last + 1);
        while (next != end && Slot(next) is null)
        {
            next++;
        }
        runFirst = next;
        owner = next == end ? null : Slot(next);
        if (owner is null)
        {
            return false;
        }
        for (; next != end && ReferenceEquals(Slot(next), owner); next++)
        {
            Slot(next) = null;
            Count--;
        }
        MoveOldest();
        return true;
    }

    private ref ClientSender? Slot(uint id) => ref _owners[id & (uint)(_owners.Length - 1)];

    // What was settled before is left out; what was never sent is a fault of the peer.
    private void CheckRange(ref uint next, uint last)
    {
        if (unchecked((int)(_next - 1 - last)) < 0)
        {
            throw new AmqpException(AmqpErrorCondition.NotAllowed, $"disposition of delivery {last}, never sent");
        }
        if (unchecked((int)(next - _oldest)) < 0)
        {
            next = unchecked((int)(last + 1 - _oldest)) < 0 ? unchecked(last + 1) : _oldest;
        }
    }

    private void MoveOldest()
    {
        while (_oldest != _next && Slot(_oldest) is null)
        {
            _oldest++;
        }
    }

    private void Grow()
    {
        var wider = new ClientSender?[_owners.Length * 2];
        for (uint id = _oldest; id != _next; id++)
        {
            wider[id & (uint)(wider.Length - 1)] = Slot(id);
        }
        _owners = wider;
    }
}
