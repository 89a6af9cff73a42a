using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Routed;

namespace Pillarbox.Protocols.Amqp.Links;

/// <summary>What has become of a delivery that was sent and that the peer has not settled.</summary>
internal enum SentState : byte
{
    /// <summary>No such delivery (settled when it was sent, or settled since).</summary>
    None = 0,

    /// <summary>Sent; nothing heard.</summary>
    Unsettled,

    /// <summary>The peer stated its outcome inside a transaction that is still open.</summary>
    InTransaction,

    /// <summary>The peer's outcome is applied; the node settles when that is on disk.</summary>
    Settling,
}

/// <summary>A delivery that was sent and is not settled.</summary>
internal struct SentDelivery
{
    public Delivery Delivery;
    public OutgoingLink Link;
    public SentState State;

    /// <summary>What crossed from another connection of the node; null: a delivery of the broker.</summary>
    public RoutedDelivery? Routed;
}

/// <summary>
/// The unsettled deliveries of one session towards the peer, by delivery-id (part 2 section 2.6.12). Ids are
/// consecutive, so a ring holds them;
/// the few that stay unsettled while the ring has gone round live in a dictionary.
/// </summary>
internal sealed class UnsettledMap
{
    private const int CapacityMin = 64;
    private const int CapacityMax = 16_384;

    private SentDelivery[] _ring = [];
    private Dictionary<uint, SentDelivery>? _stragglers;
    private uint _first;

    /// <param name="firstId">The id that the first delivery of the session gets.</param>
    public UnsettledMap(uint firstId)
    {
        _first = firstId;
        NextId = firstId;
    }

    /// <summary>The id that the next delivery gets.</summary>
    public uint NextId { get; private set; }

    /// <summary>The oldest id that the ring may hold.</summary>
    public uint FirstId => _first;

    /// <summary>How many are unsettled.</summary>
    public int Count { get; private set; }

    /// <summary>The ids that are older than the ring, for walking over them; usually none.</summary>
    public IReadOnlyCollection<uint> StragglerIds => _stragglers?.Keys ?? (IReadOnlyCollection<uint>)[];

    /// <summary>Gives the next id to a delivery that is settled as it is sent.</summary>
    public uint TakeSettledId()
    {
        uint id = NextId;
        if (Count == 0)
        {
            NextId++;
            _first = NextId;
            return id;
        }

        MakeRoom();
        NextId++;
        return id;
    }

    /// <summary>Gives the next id to an unsettled delivery of the broker.</summary>
    public uint Add(in Delivery delivery, SendingLink link) => Add(new SentDelivery
    {
        Delivery = delivery,
        Link = link,
        State = SentState.Unsettled,
    });

    /// <summary>Gives the next id to an unsettled delivery that crosses the node.</summary>
    public uint Add(RoutedDelivery delivery, OutgoingLink link) => Add(new SentDelivery
    {
        Routed = delivery,
        Link = link,
        State = SentState.Unsettled,
    });

    /// <summary>The delivery with that id; a null reference when it is not unsettled.</summary>
    public ref SentDelivery Find(uint id)
    {
        if (SerialNumber.Distance(_first, id) >= 0 && SerialNumber.IsBefore(id, NextId))
        {
            ref SentDelivery slot = ref _ring[id & (uint)(_ring.Length - 1)];
            return ref slot.State == SentState.None ? ref Unsafe.NullRef<SentDelivery>() : ref slot;
        }

        return ref _stragglers is null
            ? ref Unsafe.NullRef<SentDelivery>()
            : ref CollectionsMarshal.GetValueRefOrNullRef(_stragglers, id);
    }

    /// <summary>Forgets a delivery that <see cref="Find"/> gave.</summary>
    public void Remove(uint id)
    {
        Count--;
        if (SerialNumber.IsBefore(id, _first))
        {
            _stragglers!.Remove(id);
            return;
        }

        _ring[id & (uint)(_ring.Length - 1)] = default;
        while (_first != NextId && _ring[_first & (uint)(_ring.Length - 1)].State == SentState.None)
        {
            _first++;
        }
    }

    private uint Add(in SentDelivery sent)
    {
        MakeRoom();
        uint id = NextId++;
        _ring[id & (uint)(_ring.Length - 1)] = sent;
        Count++;
        return id;
    }

    private void MakeRoom()
    {
        int span = SerialNumber.Distance(_first, NextId);
        Invariant.That(span >= 0 && span <= _ring.Length);
        if (span < _ring.Length)
        {
            return;
        }

        if (_ring.Length < CapacityMax)
        {
            Grow(span);
            return;
        }

        ref SentDelivery oldest = ref _ring[_first & (uint)(_ring.Length - 1)];
        if (oldest.State != SentState.None)
        {
            (_stragglers ??= []).Add(_first, oldest);
            oldest = default;
        }

        _first++;
    }

    private void Grow(int span)
    {
        var larger = new SentDelivery[Math.Max(CapacityMin, _ring.Length * 2)];
        for (uint i = 0; i < span; i++)
        {
            uint id = _first + i;
            larger[id & (uint)(larger.Length - 1)] = _ring[id & (uint)(_ring.Length - 1)];
        }

        _ring = larger;
    }
}
