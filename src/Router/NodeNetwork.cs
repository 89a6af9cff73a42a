using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router;

/// <summary>
/// A node's part in the network: the addresses that its links send to and draw from, the other routers, and the
/// protocol
/// that tells them of each other. Any thread. Links and routers come and go under one short lock; a message on its way
/// takes none.
/// </summary>
public sealed partial class NodeNetwork : INetwork, IDisposable
{
    private const int DynamicNameBytes = 8;
    private const int TickMs = 50;

    private readonly Lock _gate = new();
    private readonly NodeNetworkOptions _options;
    private readonly ILogger _logger;
    private readonly AddressRuleOwner _addresses;
    private readonly RouterEngine _engine;
    private readonly RouterOutput _output = new();
    private readonly ConcurrentDictionary<string, Route> _routes = new(StringComparer.Ordinal);
    private readonly Dictionary<int, PeerLink> _links = [];
    private readonly Dictionary<Outlet, Route> _homes = [];
    private readonly ITimer _timer;
    private int _lastLink;

    public NodeNetwork(NodeNetworkOptions options)
    {
        _options = options;
        _logger = options.Logs.CreateLogger("Pillarbox.Router");
        _addresses = new AddressRuleOwner(options.Addresses, options.DefaultTreatment);
        Owners.Add(_addresses);
        _engine = new RouterEngine(options.Timers with
        {
            Id = options.Id,
            Instance = options.Time.GetUtcNow().ToUnixTimeSeconds(),
        });
        var period = TimeSpan.FromMilliseconds(TickMs);
        _instance = options.Time.GetUtcNow().ToUnixTimeSeconds();
        ServeManagement();
        ServeEdges();
        StartContainers();
        _timer = options.Time.CreateTimer(static self => ((NodeNetwork)self!).Tick(), this, period, period);
    }

    /// <inheritdoc/>
    public string NodeId => _options.Id;

    /// <inheritdoc/>
    public string StampId => IsEdge ? "" : NodeId;

    /// <inheritdoc/>
    public int LinkCapacity => _options.LinkCapacity;

    /// <summary>The network as this node sees it.</summary>
    public RouteSnapshot Snapshot => _engine.Snapshot;

    // As they are now; an address that is in use stays as it is.
    private AddressRules Rules => _addresses.Rules;

    private long NowMs => (long)(_options.Time.GetTimestamp() * (1000.0 / _options.Time.TimestampFrequency));

    /// <inheritdoc/>
    public long Version => _engine.Snapshot.Version;

    /// <inheritdoc/>
    public int IndexOf(ReadOnlySpan<byte> id) => _engine.Snapshot.IndexOf(Encoding.UTF8.GetString(id));

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    /// <inheritdoc/>
    public IRoute? OpenSender(string address, IDestinationWatch watch)
    {
        if (!RouteAddress.TryParse(address, out RouteAddress parsed))
        {
            return null;
        }

        AddressRule rule = Rules.For(parsed.Name);
        if (rule.Treatment == AddressTreatment.Unavailable)
        {
            return null;
        }

        lock (_gate)
        {
            Route route = Open(parsed, rule, rule.IngressPhase);
            route.AddWatch(watch);
            WantOf(route);
            return route;
        }
    }

    /// <inheritdoc/>
    public void CloseSender(IRoute route, IDestinationWatch watch)
    {
        lock (_gate)
        {
            ((Route)route).RemoveWatch(watch);
            WantOf((Route)route);
            RetireIfUnused((Route)route);
        }
    }

    /// <inheritdoc/>
    public IRoute? OpenReceiver(string address, Outlet outlet)
    {
        if (!RouteAddress.TryParse(address, out RouteAddress parsed) || !IsOfThisNode(parsed))
        {
            return null;
        }

        AddressRule rule = Rules.For(parsed.Name);
        if (rule.Treatment == AddressTreatment.Unavailable)
        {
            return null;
        }

        lock (_gate)
        {
            bool isBrokered = TryGetMark(parsed, out BrokerMark mark);
            Route route = isBrokered ? OpenBrokered(parsed, rule, mark) : Open(parsed, rule, rule.EgressPhase);
            _homes[outlet] = route;
            Enter(route, outlet);
            Drain();
            return route;
        }
    }

    /// <inheritdoc/>
    public void CloseReceiver(IRoute route, Outlet outlet)
    {
        lock (_gate)
        {
            // It may have moved since it was opened.
            if (_homes.Remove(outlet, out Route? home))
            {
                Leave(home, outlet);
                Drain();
            }
        }
    }

    /// <inheritdoc/>
    public string NewDynamicAddress(bool forSender)
    {
        Span<byte> bytes = stackalloc byte[DynamicNameBytes];
        _options.Random.Fill(bytes);
        string name = Convert.ToHexStringLower(bytes)[..15];
        return forSender ? $"amqp:/_$temp.{name}"
            : IsEdge ? $"amqp:/_edge/{NodeId}/temp.{name}"
            : $"amqp:/_topo/0/{NodeId}/temp.{name}";
    }

    /// <inheritdoc/>
    public IRoute? Find(ReadOnlySpan<byte> address, int? phase)
    {
        if (!RouteAddress.TryParse(Encoding.UTF8.GetString(address), out RouteAddress parsed))
        {
            return null;
        }

        AddressRule rule = Rules.For(parsed.Name);
        if (rule.Treatment == AddressTreatment.Unavailable)
        {
            return null;
        }

        // Messages for another router carry their address themselves: one way for all of them.
        bool isForRouter = !IsOfThisNode(parsed);
        string key = isForRouter ? KeyOfRouter(parsed) : KeyOf(parsed, phase ?? rule.IngressPhase);
        if (_routes.TryGetValue(key, out Route? route) && (!IsEdge || route.Targets.Any))
        {
            return route;
        }

        return IsEdge ? FindUplink() ?? route
            : isForRouter ? OpenRouter(key, parsed, rule)
            : FindMark(parsed, key) ?? FindFallback(parsed, rule, phase);
    }

    /// <inheritdoc/>
    public void OnPeerUp(PeerLink peer)
    {
        lock (_gate)
        {
            int link = ++_lastLink;
            peer.Tag = link;
            _links.Add(link, peer);
            _engine.OnLinkUp(NowMs, link, Math.Min(peer.Cost, RouterLimits.LinkCostMax));
            Drain();
        }
    }

    /// <inheritdoc/>
    public void OnPeerDown(PeerLink peer)
    {
        lock (_gate)
        {
            if (peer.Tag is int link && _links.Remove(link))
            {
                _engine.OnLinkDown(NowMs, link);
                Drain();
                RefreshAll();
            }
        }
    }

    /// <inheritdoc/>
    public void OnControl(PeerLink peer, ReadOnlySpan<byte> message)
    {
        byte[] copy = message.ToArray();
        lock (_gate)
        {
            if (peer.Tag is int link)
            {
                _engine.OnControl(NowMs, link, copy);
                Drain();
            }
        }
    }

    private void Tick()
    {
        lock (_gate)
        {
            long now = NowMs;
            if (now >= _engine.DueMs)
            {
                _engine.Tick(now);
                Drain();
            }

            TickContainers(now);
        }
    }

    // ---- under the lock

    private void Drain()
    {
        _engine.Drain(_output);
        foreach (ControlSend send in _output.Sends)
        {
            if (_links.TryGetValue(send.LinkId, out PeerLink? peer))
            {
                peer.SendControl(send.Message.ToArray());
            }
        }

        foreach (RouterEvent happened in _output.Events)
        {
            RouterLog.Happened(_logger, happened.Kind, happened.Router, happened.Detail);
            Note(happened);
            GiveUpIfLost(happened);
        }

        if (_output.SnapshotChanged)
        {
            OnChanged(_output.Changes);
        }
    }

    // A neighbour fell silent while its connection seems to stand: nothing on its way there would be heard of.
    private void GiveUpIfLost(in RouterEvent happened)
    {
        if (happened.Kind == RouterEventKind.NeighborLost)
        {
            string lost = happened.Router;
            foreach (PeerLink peer in _links.Values.Where(peer => peer.PeerId == lost))
            {
                peer.GiveUp();
            }
        }
    }

    private void OnChanged(List<AddressChange> changes)
    {
        OnLinkRoutesChanged(changes);
        foreach (AddressChange change in changes.Where(change => change.Key[0] == 'M' && change.Key.Length > 2))
        {
            string name = change.Key[2..];
            if (BrokerMark.TryParse(change.Key, out BrokerMark mark))
            {
                OnMarked(mark);
                continue;
            }

            bool isPhase = char.IsAsciiDigit(change.Key[1]);
            if (isPhase && RouteAddress.TryParse(name, out RouteAddress parsed)
                && _engine.Snapshot.Addresses.TryGetValue(change.Key, out RemoteAddress remote))
            {
                Open(parsed, Rules.For(parsed.Name), change.Key[1] - '0').Hint(remote.Treatment);
            }
        }

        RefreshAll();
    }

    private void RefreshAll()
    {
        foreach ((_, Route route) in _routes)
        {
            Refresh(route);
            RetireIfUnused(route);
        }
    }

    private void Refresh(Route route)
    {
        IEnumerable<Outlet>? edge = route.Parsed is { Class: RouteAddressClass.Edge } && !IsOfThisNode(route.Parsed)
            ? _edges.GetValueOrDefault(route.Parsed.Router!)
            : null;
        route.Refresh(HopsOf(route), edge ?? LocalsOfAll(route), _engine.Snapshot);
        RefreshAllOf(route);
    }

    private static UInt128 RoutersOf(Route route, RouteSnapshot network) => route.Parsed.Class switch
    {
        RouteAddressClass.Mobile => network.RoutersOf(route.Key),
        RouteAddressClass.Edge => network.RoutersOf(AddressKey.Edge(route.Parsed.Router!)),
        RouteAddressClass.Topological when route.Parsed.Router == RouteAddress.AllRouters => network.Reachable,
        RouteAddressClass.Topological => network.IndexOf(route.Parsed.Router!) is var index and > 0
            ? UInt128.One << index : UInt128.Zero,
        _ => UInt128.Zero,
    };

    // ---- who draws here

    private void Enter(Route route, Outlet outlet)
    {
        route.AddLocal(outlet);
        if (route.LocalCount == 1 && AddressKey.IsMobile(route.Key))
        {
            _engine.AddLocal(NowMs, route.Key, route.Treatment);
            TellMark(route);
        }

        WantOf(route);
        Refresh(route);
    }

    private void Leave(Route route, Outlet outlet)
    {
        if (!route.RemoveLocal(outlet))
        {
            return;
        }

        if (route.LocalCount == 0 && AddressKey.IsMobile(route.Key))
        {
            _engine.RemoveLocal(NowMs, route.Key);
            TellMark(route);
        }

        WantOf(route);
        Refresh(route);
        RetireIfUnused(route);
    }

    // ---- routes

    private Route Open(RouteAddress parsed, AddressRule rule, int phase)
    {
        string key = KeyOf(parsed, phase);
        if (_routes.TryGetValue(key, out Route? route))
        {
            return route;
        }

        AddressRule own = RuleFor(parsed, rule);
        route = Add(new Route(key, parsed, own) { Phase = phase, TakesHints = Rules.IsDefault(own) });
        if (rule.HasFallback && phase == rule.IngressPhase && parsed.Class == RouteAddressClass.Mobile)
        {
            route.FallBackTo(Open(parsed, rule, RoutePlace.Fallback));
        }

        return route;
    }

    private Route Add(Route route)
    {
        _routes[route.Key] = route;
        Refresh(route);
        return route;
    }

    private Route? OpenRouter(string key, RouteAddress parsed, AddressRule rule)
    {
        lock (_gate)
        {
            string router = parsed.Router!;
            bool isThere = IsOfAll(parsed) || (parsed.Class == RouteAddressClass.Edge
                ? _edges.ContainsKey(router) || _engine.Snapshot.Addresses.ContainsKey(AddressKey.Edge(router))
                : _engine.Snapshot.IndexOf(router) > 0);
            return !isThere ? null
                : _routes.TryGetValue(key, out Route? there) ? there
                : Add(new Route(key, parsed, RuleFor(parsed, rule)));
        }
    }

    private void RetireIfUnused(Route route)
    {
        if (route.IsUnused && _routes.TryRemove(KeyValuePair.Create(route.Key, route)))
        {
            route.Retire();
            if (route.LeaveFallback() is { } fallback)
            {
                RetireIfUnused(fallback);
            }
        }
    }

    private bool IsOfThisNode(RouteAddress address) =>
        address.Class is RouteAddressClass.Mobile or RouteAddressClass.Local
        || (address.Class == RouteAddressClass.Topological && address.Router == NodeId)
        || (address.Class == RouteAddressClass.Edge && address.Router == NodeId);

    private string KeyOf(RouteAddress address, int phase) => address.Class switch
    {
        RouteAddressClass.Mobile => AddressKey.Mobile(address.Name, (char)('0' + phase)),
        RouteAddressClass.Local => $"L{address.Name}",
        _ when IsOfThisNode(address) => $"L{address.Name}",
        RouteAddressClass.Topological => $"T{address.Router}/{address.Name}",
        _ => $"H{address.Router}/{address.Name}",
    };

    private static string KeyOfRouter(RouteAddress address) => IsOfAll(address) ? $"T{address.Router}/{address.Name}"
        : address.Class == RouteAddressClass.Edge ? $"H{address.Router}" : $"R{address.Router}";
}
