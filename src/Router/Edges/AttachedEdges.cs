using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Peers;

namespace Pillarbox.Router.Edges;

/// <summary>In the interior: the edges that are attached here, which other routers hear of. Under the network's
/// lock.</summary>
internal sealed class AttachedEdges(Neighbors neighbors)
{
    private readonly Dictionary<string, List<Outlet>> _edges = new(StringComparer.Ordinal);

    /// <summary>The ids of all.</summary>
    public IEnumerable<string> Ids => _edges.Keys;

    /// <summary>What leads to an edge; null: it is not attached here.</summary>
    public List<Outlet>? OutletsOf(string edgeId) => _edges.GetValueOrDefault(edgeId);

    /// <summary>Whether an edge can be reached: here, or by another router.</summary>
    public bool IsKnown(string edgeId) => _edges.ContainsKey(edgeId)
        || neighbors.Snapshot.Addresses.ContainsKey(AddressKey.Edge(edgeId));

    /// <summary>A connection of an edge has come.</summary>
    public void Open(string edgeId, Outlet outlet)
    {
        if (!_edges.TryGetValue(edgeId, out List<Outlet>? outlets))
        {
            _edges.Add(edgeId, outlets = []);
            neighbors.AddLocal(AddressKey.Edge(edgeId), AddressTreatment.Closest);
        }

        outlets.Add(outlet);
    }

    /// <summary>One has gone.</summary>
    public void Close(string edgeId, Outlet outlet)
    {
        if (_edges.TryGetValue(edgeId, out List<Outlet>? outlets) && outlets.Remove(outlet) && outlets.Count == 0)
        {
            _edges.Remove(edgeId);
            neighbors.RemoveLocal(AddressKey.Edge(edgeId));
        }
    }
}
