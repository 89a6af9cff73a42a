using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Forwarding;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router;

/// <content>
/// Edge routers. In the interior: the edges that are attached here. At the edge: the connection to the interior that is
/// in use; the others wait for its loss. Everything under the lock.
/// </content>
public sealed partial class NodeNetwork
{
    private const string UplinkKey = "U";

    private readonly Dictionary<string, List<Outlet>> _edges = new(StringComparer.Ordinal);
    private readonly List<PeerLink> _uplinks = [];
    private readonly Dictionary<string, Outlet> _uplinkOutlets = new(StringComparer.Ordinal);

    private bool IsEdge => _options.Mode == RouterMode.Edge;

    private PeerLink? Uplink => _uplinks.Count > 0 ? _uplinks[0] : null;

    /// <inheritdoc/>
    public void OpenEdge(string edgeId, Outlet outlet)
    {
        lock (_gate)
        {
            if (!_edges.TryGetValue(edgeId, out List<Outlet>? outlets))
            {
                _edges.Add(edgeId, outlets = []);
                _engine.AddLocal(NowMs, AddressKey.Edge(edgeId), AddressTreatment.Closest);
            }

            outlets.Add(outlet);
            RefreshAll();
            Drain();
        }
    }

    /// <inheritdoc/>
    public void CloseEdge(string edgeId, Outlet outlet)
    {
        lock (_gate)
        {
            if (_edges.TryGetValue(edgeId, out List<Outlet>? outlets) && outlets.Remove(outlet) && outlets.Count == 0)
            {
                _edges.Remove(edgeId);
                _engine.RemoveLocal(NowMs, AddressKey.Edge(edgeId));
            }

            RefreshAll();
            Drain();
        }
    }

    /// <inheritdoc/>
    public void OnUplink(PeerLink uplink)
    {
        lock (_gate)
        {
            _uplinks.Add(uplink);
            if (_uplinks.Count == 1)
            {
                UseUplink();
            }
        }
    }

    /// <inheritdoc/>
    public void OnUplinkLost(PeerLink uplink)
    {
        lock (_gate)
        {
            bool wasUsed = uplink == Uplink;
            _uplinks.Remove(uplink);
            if (wasUsed)
            {
                UseUplink();
            }
        }
    }

    /// <inheritdoc/>
    public void OnUplinkOutlet(PeerLink uplink, string address, Outlet? outlet)
    {
        lock (_gate)
        {
            if (uplink != Uplink)
            {
                return;
            }

            if (outlet is null)
            {
                _uplinkOutlets.Remove(address);
            }
            else
            {
                _uplinkOutlets[address] = outlet;
            }

            RefreshAll();
        }
    }

    // Another connection to the interior is in use now, or none: it learns what the edge's clients want.
    private void UseUplink()
    {
        _uplinkOutlets.Clear();
        foreach ((_, Route route) in _routes)
        {
            WantOf(route);
        }

        RefreshAll();
    }

    private void WantOf(Route route)
    {
        if (IsEdge && Uplink is { } uplink && route.Parsed.Class == RouteAddressClass.Mobile && route.Key != UplinkKey)
        {
            uplink.Want(route.Parsed.Name, toSend: true, route.SenderCount > 0);
            uplink.Want(route.Parsed.Name, toSend: false, route.LocalCount > 0);
        }
    }

    // The way to whatever is not here.
    private Route? FindUplink()
    {
        if (_routes.TryGetValue(UplinkKey, out Route? there))
        {
            return there;
        }

        lock (_gate)
        {
            return Uplink is null ? null
                : _routes.TryGetValue(UplinkKey, out there) ? there
                : Add(new Route(
                    UplinkKey, new RouteAddress(RouteAddressClass.Mobile, UplinkKey, null), Rules.For(UplinkKey)));
        }
    }

    private List<RouteHop> HopsOf(Route route) =>
        IsEdge ? UplinkHopsOf(route) : NetworkHopsOf(route, _engine.Snapshot);

    private List<RouteHop> UplinkHopsOf(Route route)
    {
        Outlet? own = _uplinkOutlets.GetValueOrDefault(route.Parsed.Name);
        bool isRelayed = route.Key == UplinkKey || !IsOfThisNode(route.Parsed);
        bool isMobile = route.Parsed.Class == RouteAddressClass.Mobile;
        return Uplink is { } uplink && (isRelayed || (isMobile && own is not null))
            ? [route.HopTo(uplink, cost: 1, UInt128.MaxValue, isRelayed ? null : own)]
            : [];
    }

    private List<RouteHop> NetworkHopsOf(Route route, RouteSnapshot network)
    {
        var hops = new List<RouteHop>();
        foreach (int index in new RouterBits(RoutersOf(route, network) & network.Reachable))
        {
            RouterRoute way = network.ByIndex(index)!;
            if (way.NextHopLink is { } link && _links.TryGetValue(link, out PeerLink? peer))
            {
                hops.Add(route.HopTo(peer, way.Cost, way.ValidOrigins, null));
            }
        }

        hops.Sort((one, other) => one.Cost.CompareTo(other.Cost));
        return hops;
    }
}
