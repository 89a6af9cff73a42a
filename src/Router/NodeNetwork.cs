using System.Text;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Routed.Edges;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Brokers;
using Pillarbox.Router.Containers;
using Pillarbox.Router.Edges;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;
using Pillarbox.Router.Peers;

namespace Pillarbox.Router;

/// <summary>
/// A node's part in the network: it ties together the addresses in use, the other routers, edges, brokers and other
/// containers, each of which has its own state, and gives them one short lock. Any thread. Links and routers come and
/// go under the lock; a message on its way takes none.
/// </summary>
public sealed class NodeNetwork : INetwork, IDisposable
{
    private const int TickMs = 50;

    private readonly Lock _gate = new();
    private readonly NodeNetworkOptions _options;
    private readonly NodeNames _names;
    private readonly Neighbors _neighbors;
    private readonly AttachedEdges _edges;
    private readonly Uplinks _uplinks;
    private readonly RouteTable _routes;
    private readonly RouteSearch _search;
    private readonly BrokerMarks _marks;
    private readonly UplinkWishes _wishes;
    private readonly HeldSenders _held;
    private readonly LocalReceivers _receivers;
    private readonly BrokerAddresses _brokers;
    private readonly NetworkViews _views;
    private readonly RouterDesk _desk;
    private readonly ITimer _timer;

    public NodeNetwork(NodeNetworkOptions options)
    {
        _options = options;
        _names = new NodeNames(options.Id, IsEdge, options.Random);
        var rules = new AddressRuleOwner(options.Addresses, options.DefaultTreatment);
        var keys = new RouteKeys(options.Id);
        _neighbors = new Neighbors(options, OnChanged);
        _edges = new AttachedEdges(_neighbors);
        _uplinks = new Uplinks(keys);
        _routes = new RouteTable(keys, rules, _neighbors, _edges, IsEdge ? _uplinks : _neighbors);
        _search = new RouteSearch(_gate, _routes, _neighbors, _edges, IsEdge ? _uplinks : null);
        _marks = new BrokerMarks(_neighbors, _routes);
        _wishes = new UplinkWishes(_uplinks, _routes, _marks);
        _held = new HeldSenders(_uplinks, _routes);
        _receivers = new LocalReceivers(_routes, _neighbors, _wishes, OnMarked);
        _brokers = new BrokerAddresses(_marks, _routes, _receivers, _wishes);
        Containers = new ContainerLinks(_gate, options, _neighbors, _uplinks);
        _views = new NetworkViews(_gate, options, Owners, _neighbors, _routes, Containers)
        {
            Near = () => _uplinks.InUse is { } uplink ? [uplink.PeerId] : _edges.Ids,
        };
        _desk = new RouterDesk(_views, Owners, Containers);
        IEntityOwner[] owners =
        [
            rules, new AutoLinkOwner(Containers), new LinkRouteOwner(Containers), new ConnectionRoutes(Containers),
        ];
        foreach (IEntityOwner owner in owners)
        {
            Owners.Add(owner);
        }

        _desk.Serve(this, _routes);
        if (options.Mode == RouterMode.Interior)
        {
            new EdgeDesk(_gate, _routes, _brokers, Containers).Serve(this);
        }

        var period = TimeSpan.FromMilliseconds(TickMs);
        _timer = options.Time.CreateTimer(static self => ((NodeNetwork)self!).Tick(), this, period, period);
    }

    /// <inheritdoc/>
    public string NodeId => _options.Id;

    /// <inheritdoc/>
    public string StampId => IsEdge ? "" : NodeId;

    /// <inheritdoc/>
    public int LinkCapacity => _options.LinkCapacity;

    /// <summary>The network as this node sees it.</summary>
    public RouteSnapshot Snapshot => _neighbors.Snapshot;

    /// <inheritdoc/>
    public long Version => Snapshot.Version;

    /// <summary>Who has what is configured, and changes it while the node runs.</summary>
    public EntityOwners Owners { get; } = new();

    /// <summary>Brokers and other containers.</summary>
    internal ContainerLinks Containers { get; }

    private bool IsEdge => _options.Mode == RouterMode.Edge;

    /// <inheritdoc/>
    public int IndexOf(ReadOnlySpan<byte> id) => Snapshot.IndexOf(Encoding.UTF8.GetString(id));

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    // ---- addresses

    /// <inheritdoc/>
    public string NameWithin(string tenant, string address) => NodeNames.Within(tenant, address);

    /// <inheritdoc/>
    public string NewDynamicAddress(bool forSender) => _names.NewDynamic(forSender);

    /// <inheritdoc/>
    public IRoute? Find(ReadOnlySpan<byte> address, int? phase) =>
        _search.Find(Encoding.UTF8.GetString(address), phase);

    /// <inheritdoc/>
    public bool HasDestinationAt(IRoute route, string router)
    {
        var own = (Route)route;
        RouteSnapshot network = Snapshot;
        return IsEdge ? own.Targets.Any
            : router == NodeId ? own.Targets.Locals.Length > 0
            : network.IndexOf(router) is var index and > 0
                && (network.RoutersOf(own.Key) & (UInt128.One << index)) != UInt128.Zero;
    }

    /// <inheritdoc/>
    public IRoute? OpenSender(string address, IDestinationWatch watch)
    {
        if (!RouteAddress.TryParse(address, out RouteAddress parsed) || !IsOpen(parsed, out AddressRule rule))
        {
            return null;
        }

        lock (_gate)
        {
            Route route = _routes.Open(parsed, rule, rule.IngressPhase);
            _held.HoldFirst(route, _neighbors.NowMs);
            route.AddWatch(watch);
            _wishes.Tell(route);
            return route;
        }
    }

    /// <inheritdoc/>
    public void CloseSender(IRoute route, IDestinationWatch watch)
    {
        var own = (Route)route;
        lock (_gate)
        {
            own.RemoveWatch(watch);
            if (own.SenderCount == 0 && _uplinks.RemoveOutlet(own.Key))
            {
                _routes.Refresh(own);
            }

            _wishes.Tell(own);
            _routes.RetireIfUnused(own);
        }
    }

    /// <inheritdoc/>
    public IRoute? OpenReceiver(string address, Outlet outlet)
    {
        if (!RouteAddress.TryParse(address, out RouteAddress parsed)
            || !_routes.Keys.IsHere(parsed.Here) || !IsOpen(parsed, out AddressRule rule))
        {
            return null;
        }

        lock (_gate)
        {
            Route route = _brokers.OpenDrawn(parsed.Here, rule);
            _receivers.Settle(route, outlet);
            _neighbors.Drain();
            return route;
        }
    }

    /// <inheritdoc/>
    public void CloseReceiver(IRoute route, Outlet outlet)
    {
        lock (_gate)
        {
            if (_receivers.Unsettle(outlet))
            {
                _neighbors.Drain();
            }
        }
    }

    // ---- other routers

    /// <inheritdoc/>
    public void OnPeerUp(PeerLink peer)
    {
        lock (_gate)
        {
            _neighbors.OnUp(peer);
        }
    }

    /// <inheritdoc/>
    public void OnPeerDown(PeerLink peer)
    {
        lock (_gate)
        {
            if (_neighbors.OnDown(peer))
            {
                _routes.RefreshAll();
            }
        }
    }

    /// <inheritdoc/>
    public void OnControl(PeerLink peer, ReadOnlySpan<byte> message)
    {
        byte[] copy = message.ToArray();
        lock (_gate)
        {
            _neighbors.OnControl(peer, copy);
        }
    }

    // ---- edges, and the interior as an edge sees it

    /// <inheritdoc/>
    public string HomeRouter
    {
        get
        {
            lock (_gate)
            {
                return _uplinks.InUse?.PeerId ?? NodeId;
            }
        }
    }

    /// <inheritdoc/>
    public void OpenEdge(string edgeId, Outlet outlet)
    {
        lock (_gate)
        {
            _edges.Open(edgeId, outlet);
            _routes.RefreshAll();
            _neighbors.Drain();
        }
    }

    /// <inheritdoc/>
    public void CloseEdge(string edgeId, Outlet outlet)
    {
        lock (_gate)
        {
            _edges.Close(edgeId, outlet);
            _routes.RefreshAll();
            _neighbors.Drain();
        }
    }

    /// <inheritdoc/>
    public void OnUplink(PeerLink uplink)
    {
        lock (_gate)
        {
            if (_uplinks.Add(uplink))
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
            if (_uplinks.Remove(uplink))
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
            if (_uplinks.SetOutlet(uplink, key, outlet))
            {
                _held.OnOutlet(key, outlet is not null);
            }
        }
    }

    /// <inheritdoc/>
    public void OnUplinkWord(PeerLink uplink, string key, bool any)
    {
        lock (_gate)
        {
            if (uplink == _uplinks.InUse && !any)
            {
                _held.LetGo(key);
            }
        }
    }

    /// <inheritdoc/>
    public void OnUplinkBroker(PeerLink uplink, string address, bool isMulticast, bool isThere)
    {
        var mark = new BrokerMark(address, isMulticast);
        lock (_gate)
        {
            if (uplink == _uplinks.InUse && _marks.SetOfUplink(mark, isThere))
            {
                _brokers.OnMarked(mark);
            }
        }
    }

    /// <inheritdoc/>
    public Task<InteriorAnswer>? LookUp(string address, bool toSend)
    {
        if (!IsEdge || !Uplinks.IsAskedFor(address, out string name))
        {
            return null;
        }

        PeerLink? uplink;
        lock (_gate)
        {
            uplink = _uplinks.InUse;
        }

        return uplink?.LookUp(name, toSend);
    }

    // ---- brokers

    /// <inheritdoc/>
    public IRoute? OpenBroker(
        string address, bool isMulticast, Outlet outlet, Outlet door, IDestinationWatch watch)
    {
        if (!TryMobile(address, out RouteAddress parsed) || !IsOpen(parsed, out _))
        {
            return null;
        }

        lock (_gate)
        {
            Route given = _brokers.Open(
                new BrokerMark(parsed.Name, isMulticast), new BrokerPlace(outlet, door, watch));
            _neighbors.Drain();
            return given;
        }
    }

    /// <inheritdoc/>
    public void CloseBroker(string address, Outlet outlet, Outlet door, IDestinationWatch watch)
    {
        if (RouteAddress.TryParse(address, out RouteAddress parsed))
        {
            lock (_gate)
            {
                _brokers.Close(parsed, new BrokerPlace(outlet, door, watch));
                _neighbors.Drain();
            }
        }
    }

    /// <inheritdoc/>
    public void WatchBroker(string address, IBrokerWatch watch)
    {
        if (TryMobile(address, out RouteAddress parsed))
        {
            lock (_gate)
            {
                _brokers.Watch(parsed, watch);
            }
        }
    }

    /// <inheritdoc/>
    public void UnwatchBroker(string address, IBrokerWatch watch)
    {
        if (RouteAddress.TryParse(address, out RouteAddress parsed))
        {
            lock (_gate)
            {
                _brokers.Unwatch(parsed, watch);
            }
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> DoorsOf(string address)
    {
        if (!TryMobile(address, out RouteAddress parsed))
        {
            return [];
        }

        string[] both = [new BrokerMark(parsed.Name, false).Name, new BrokerMark(parsed.Name, true).Name];
        lock (_gate)
        {
            return IsEdge ? _uplinks.InUse is null ? [] : both
                : _marks.TryGet(parsed, out BrokerMark mark) ? [mark.Name]
                : [];
        }
    }

    // ---- containers

    /// <inheritdoc/>
    public bool HasLinkRoutes => Containers.HasLinkRoutes;

    /// <inheritdoc/>
    public void OnCarrier(LinkCarrier carrier) => Containers.OnCarrier(carrier);

    /// <inheritdoc/>
    public void OnCarrierLost(LinkCarrier carrier) => Containers.OnCarrierLost(carrier);

    /// <inheritdoc/>
    public LinkRouteWay? FindLinkRoute(string address, bool toSend, LinkCarrier? from) =>
        Containers.Find(address, toSend, from);

    /// <inheritdoc/>
    public IRoute? OpenSenderAt(string address, RoutePlace place, IDestinationWatch watch)
    {
        if (!TryPlace(address, out RouteAddress parsed, out AddressRule rule))
        {
            return null;
        }

        lock (_gate)
        {
            Route route = _brokers.OpenAt(parsed, rule, place.Phase);
            route.AddWatch(watch);
            _wishes.Tell(route);
            return route;
        }
    }

    /// <inheritdoc/>
    public IRoute? OpenReceiverAt(string address, RoutePlace place, Outlet outlet)
    {
        if (!TryPlace(address, out RouteAddress parsed, out AddressRule rule))
        {
            return null;
        }

        lock (_gate)
        {
            Route route = _brokers.OpenAt(parsed, rule, place.Phase);
            _receivers.Enter(route, outlet);
            _neighbors.Drain();
            return route;
        }
    }

    /// <inheritdoc/>
    public void CloseReceiverAt(IRoute route, Outlet outlet)
    {
        lock (_gate)
        {
            _receivers.Leave((Route)route, outlet);
            _neighbors.Drain();
        }
    }

    // ---- management

    /// <summary>
    /// Where the view gets the node's connections and links from, and who closes a connection; said before the first
    /// connection.
    /// </summary>
    public void Observe(Func<TrafficFacts> traffic, Func<long, bool> close) =>
        (_views.Traffic, _desk.Close) = (traffic, close);

    /// <summary>Where the view gets the latest lines of the node's log from, the oldest first; otherwise it has only
    /// what the router noticed of others. Said before the first connection.</summary>
    public void ObserveLog(Func<IReadOnlyList<LogLine>> latest) => _views.Log = latest;

    /// <summary>The router at this moment. Any thread.</summary>
    public RouterView View() => _views.View();

    /// <summary>Answers a request, and carries out what it asks for. Any thread.</summary>
    /// <param name="request">The request.</param>
    /// <param name="caller">Who asks.</param>
    public ValueTask<ManagementReply> ManageAsync(ManagementRequest request, ServiceCaller caller) =>
        _desk.ManageAsync(request, caller);

    private void Tick()
    {
        lock (_gate)
        {
            long now = _neighbors.NowMs;
            _neighbors.Tick(now);
            Containers.Tick(now);
            _held.Tick(now);
        }
    }

    private static bool TryMobile(string address, out RouteAddress parsed) =>
        RouteAddress.TryParse(address, out parsed) && parsed.Class == RouteAddressClass.Mobile;

    private bool IsOpen(RouteAddress address, out AddressRule rule)
    {
        rule = _routes.Rules.For(address.Name);
        return rule.Treatment != AddressTreatment.Unavailable;
    }

    // What the operator has closed to clients is still open to the node's own links.
    private bool TryPlace(string address, out RouteAddress parsed, out AddressRule rule)
    {
        bool isGood = RouteAddress.TryParse(address, out parsed) && _routes.Keys.IsHere(parsed);
        rule = _routes.Rules.For(parsed.Name ?? "");
        if (rule.Treatment == AddressTreatment.Unavailable)
        {
            rule = rule with { Treatment = AddressTreatment.Balanced };
        }

        return isGood;
    }

    // ---- under the lock

    private void OnMarked(BrokerMark mark) => _brokers.OnMarked(mark);

    private void OnChanged(List<AddressChange> changes)
    {
        Containers.OnRemote(changes);
        foreach (AddressChange change in changes.Where(change => change.Key[0] == 'M' && change.Key.Length > 2))
        {
            if (BrokerMark.TryParse(change.Key, out BrokerMark mark))
            {
                _brokers.OnMarked(mark);
            }
            else
            {
                _routes.Hint(change);
            }
        }

        _routes.RefreshAll();
    }

    // Another connection to the interior is in use now, or none: it learns what the edge's clients want.
    private void UseUplink()
    {
        _wishes.TellAll();
        if (_uplinks.InUse is { } uplink)
        {
            _brokers.AskAgain(uplink);
        }
        else
        {
            _held.LetAllGo();
        }

        Containers.TellUplink();
        _routes.RefreshAll();
    }
}
