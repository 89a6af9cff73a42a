using Pillarbox.Router.Addresses;
using Pillarbox.Router.Peers;

namespace Pillarbox.Router.Brokers;

/// <summary>Which addresses are a broker's: this node's, one of an edge that is attached here, one of another router,
/// or, at an edge, of somebody elsewhere. Under the network's lock.</summary>
internal sealed class BrokerMarks(Neighbors neighbors, RouteTable routes)
{
    private readonly Dictionary<string, BrokerMark> _own = new(StringComparer.Ordinal);
    private readonly HashSet<BrokerMark> _uplink = [];

    /// <summary>What the interior has said of others, at an edge.</summary>
    public IReadOnlyCollection<BrokerMark> OfUplink => _uplink;

    /// <summary>Whether this node's broker has an address.</summary>
    public bool IsOwn(string address) => _own.ContainsKey(address);

    /// <summary>This node's broker has it.</summary>
    public void AddOwn(BrokerMark mark) => _own[mark.Address] = mark;

    /// <summary>It has it no longer. False: it had not.</summary>
    public bool RemoveOwn(string address, out BrokerMark mark) => _own.Remove(address, out mark);

    /// <summary>The interior says whether somebody elsewhere has it. False: nothing new.</summary>
    public bool SetOfUplink(BrokerMark mark, bool isThere) => isThere ? _uplink.Add(mark) : _uplink.Remove(mark);

    /// <summary>What a broker has an address as; false: none has it.</summary>
    public bool TryGet(RouteAddress address, out BrokerMark mark)
    {
        mark = default;
        return address.Class == RouteAddressClass.Mobile
            && (_own.TryGetValue(address.Name, out mark)
                || IsElsewhere(mark = new BrokerMark(address.Name, IsMulticast: false))
                || IsElsewhere(mark = new BrokerMark(address.Name, IsMulticast: true)));
    }

    private bool IsElsewhere(in BrokerMark mark) =>
        neighbors.Snapshot.RoutersOf(mark.Key) != UInt128.Zero || _uplink.Contains(mark)
            || routes.Find(mark.Key) is { LocalCount: > 0 };
}
