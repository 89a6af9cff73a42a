using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Routed.Edges;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Containers;
using Pillarbox.Router.Forwarding;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management;

namespace Pillarbox.Router;

/// <content>
/// Edge routers. In the interior: the edges that are attached here. At the edge: the connection to the interior that is
/// in use; the others wait for its loss. Everything under the lock.
/// </content>
public sealed partial class NodeNetwork
{
    private const string UplinkKey = "U";

    // How long who comes to send to everybody waits at most for word of others who want it.
    private const int WordMsMax = 500;

    private readonly Dictionary<string, List<Outlet>> _edges = new(StringComparer.Ordinal);
    private readonly List<PeerLink> _uplinks = [];
    private readonly Dictionary<string, Outlet> _uplinkOutlets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _held = new(StringComparer.Ordinal);

    private bool IsEdge => _options.Mode == RouterMode.Edge;

    private PeerLink? Uplink => _uplinks.Count > 0 ? _uplinks[0] : null;

    /// <inheritdoc/>
    public string HomeRouter
    {
        get
        {
            lock (_gate)
            {
                return Uplink?.PeerId ?? NodeId;
            }
        }
    }

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
    public void OnUplinkOutlet(PeerLink uplink, string key, Outlet? outlet)
    {
        lock (_gate)
        {
            if (uplink != Uplink)
            {
                return;
            }

            if (outlet is null)
            {
                _uplinkOutlets.Remove(key);
            }
            else
            {
                _uplinkOutlets[key] = outlet;
                _held.Remove(key);
            }

            if (_routes.TryGetValue(key, out Route? route))
            {
                route.IsHeld &= outlet is null;
                Refresh(route);
                RetireIfUnused(route);
            }
        }
    }

    /// <inheritdoc/>
    public void OnUplinkWord(PeerLink uplink, string key, bool any)
    {
        lock (_gate)
        {
            if (uplink == Uplink && !any)
            {
                LetGo(key);
            }
        }
    }

    /// <inheritdoc/>
    public Task<InteriorAnswer>? LookUp(string address, bool toSend)
    {
        // What nodes say to each other, and what every node has, is no matter of link routes.
        if (!IsEdge || !RouteAddress.TryParse(address, out RouteAddress parsed)
            || parsed.Class != RouteAddressClass.Mobile || parsed.Name[0] == '_'
            || parsed.Name == ManagementAgent.Address)
        {
            return null;
        }

        PeerLink? uplink;
        lock (_gate)
        {
            uplink = Uplink;
        }

        return uplink?.LookUp(parsed.Name, toSend);
    }

    // Another connection to the interior is in use now, or none: it learns what the edge's clients want.
    private void UseUplink()
    {
        _uplinkOutlets.Clear();
        foreach ((_, Route route) in _routes)
        {
            WantOf(route);
        }

        if (Uplink is { } uplink)
        {
            AskForBrokers(uplink);
        }
        else
        {
            foreach (string key in _held.Keys.ToArray())
            {
                LetGo(key);
            }
        }

        TellUplink(_linkRoutes.Entries.Where(entry => entry.Carriers.Count > 0).Select(entry => entry.Key), true);
        RefreshAll();
    }

    private void WantOf(Route route)
    {
        if (IsEdge && Uplink is { } uplink && route is { Parsed.Class: RouteAddressClass.Mobile, IsOfNode: false }
            && route.Key != UplinkKey)
        {
            uplink.Want(WishOf(route, toSend: true), route.SenderCount > 0);
            uplink.Want(WishOf(route, toSend: false), route.LocalCount > 0);
        }
    }

    // What is sent to everybody before the interior has a link for it would reach only those who are here: the first
    // who comes to send waits until that link has credit, or nobody else wants anything.
    private void HoldFirst(Route route)
    {
        if (Uplink is not null && route is { IsMulticast: true, SenderCount: 0, IsOfNode: false }
            && route.Parsed.Class == RouteAddressClass.Mobile && !_uplinkOutlets.ContainsKey(route.Key))
        {
            route.IsHeld = true;
            _held[route.Key] = NowMs + WordMsMax;
        }
    }

    private void LetGo(string key)
    {
        if (_held.Remove(key) && _routes.TryGetValue(key, out Route? route))
        {
            route.IsHeld = false;
            Refresh(route);
        }
    }

    // A router of others that has nobody says nothing of it.
    private void TickHeld(long nowMs)
    {
        if (_held.Count > 0)
        {
            foreach ((string key, _) in _held.Where(held => held.Value <= nowMs).ToArray())
            {
                LetGo(key);
            }
        }
    }

    // The last who sent is gone, and with it the link's wish: whoever comes next waits for a link again.
    private void LeaveUplink(Route route)
    {
        if (route.SenderCount == 0 && _uplinkOutlets.Remove(route.Key))
        {
            Refresh(route);
        }
    }

    // Who names each message's address has no link for it: others than those who are here get it by the link for all.
    private RouteHop? AsideOf(Route route) =>
        IsEdge && Uplink is { } uplink && route.IsMulticast && route.Key != UplinkKey
            && route.Parsed.Class == RouteAddressClass.Mobile && !_uplinkOutlets.ContainsKey(route.Key)
            ? route.HopTo(uplink, cost: 1, UInt128.MaxValue, null)
            : null;

    // A link whose phase is not that of a client's says so, as one of a waypoint does.
    private UplinkWish WishOf(Route route, bool toSend)
    {
        string name = route.Parsed.Name;
        AddressRule rule = Rules.For(name);
        bool isClients = toSend
            ? route.Phase == rule.IngressPhase
            : route.Phase == rule.EgressPhase && !_marks.ContainsKey(name);
        int ordinal = toSend ? route.Phase : route.Phase + 1;
        string? capability = route.Phase == RoutePlace.Fallback ? RoutePlace.FallbackCapability
            : isClients || ordinal == 0 ? null
            : RoutePlace.Waypoint(ordinal);
        return new UplinkWish(route.Key, name, toSend, route.Phase, capability);
    }

    // The interior hears which addresses' links go to containers of this edge.
    private void TellUplink(IEnumerable<string> keys, bool isThere)
    {
        if (IsEdge && Uplink is { } uplink)
        {
            foreach (string key in keys)
            {
                var route = new UplinkLinkRoute(key, LinkRouteKey.TextOf(key), LinkRouteKey.IsForSenders(key));
                uplink.Tell(route, isThere);
            }
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
        Outlet? own = _uplinkOutlets.GetValueOrDefault(route.Key);
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
