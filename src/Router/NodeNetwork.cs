using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router;

/// <summary>
/// A node's part in the network: the addresses that its links send to and draw from, the other routers, and the protocol
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
    private readonly AddressRules _rules;
    private readonly RouterEngine _engine;
    private readonly RouterOutput _output = new();
    private readonly ConcurrentDictionary<string, Route> _routes = new(StringComparer.Ordinal);
    private readonly Dictionary<int, PeerLink> _links = [];
    private readonly ITimer _timer;
    private int _lastLink;

    public NodeNetwork(NodeNetworkOptions options)
    {
        _options = options;
        _logger = options.Logs.CreateLogger("Pillarbox.Router");
        _rules = new AddressRules(options.Addresses, options.DefaultTreatment);
        _engine = new RouterEngine(new RouterOptions
        {
            Id = options.Id,
            Instance = options.Time.GetUtcNow().ToUnixTimeSeconds(),
        });
        var period = TimeSpan.FromMilliseconds(TickMs);
        _instance = options.Time.GetUtcNow().ToUnixTimeSeconds();
        ServeManagement();
        _timer = options.Time.CreateTimer(static self => ((NodeNetwork)self!).Tick(), this, period, period);
    }

    /// <inheritdoc/>
    public string NodeId => _options.Id;

    /// <inheritdoc/>
    public int LinkCapacity => _options.LinkCapacity;

    /// <summary>The network as this node sees it.</summary>
    public RouteSnapshot Snapshot => _engine.Snapshot;

    private long NowMs => (long)(_options.Time.GetTimestamp() * (1000.0 / _options.Time.TimestampFrequency));

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    /// <inheritdoc/>
    public IRoute? OpenSender(string address, IDestinationWatch watch)
    {
        if (!RouteAddress.TryParse(address, out RouteAddress parsed))
        {
            return null;
        }

        AddressRule rule = _rules.For(parsed.Name);
        if (rule.Treatment == AddressTreatment.Unavailable)
        {
            return null;
        }

        lock (_gate)
        {
            Route route = Open(parsed, rule, rule.IngressPhase);
            route.AddWatch(watch);
            return route;
        }
    }

    /// <inheritdoc/>
    public void CloseSender(IRoute route, IDestinationWatch watch)
    {
        lock (_gate)
        {
            ((Route)route).RemoveWatch(watch);
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

        AddressRule rule = _rules.For(parsed.Name);
        if (rule.Treatment == AddressTreatment.Unavailable)
        {
            return null;
        }

        lock (_gate)
        {
            Route route = Open(parsed, rule, rule.EgressPhase);
            route.AddLocal(outlet);
            if (route.LocalCount == 1 && AddressKey.IsMobile(route.Key))
            {
                _engine.AddLocal(NowMs, route.Key, route.Treatment);
            }

            Refresh(route);
            Drain();
            return route;
        }
    }

    /// <inheritdoc/>
    public void CloseReceiver(IRoute route, Outlet outlet)
    {
        var own = (Route)route;
        lock (_gate)
        {
            if (!own.RemoveLocal(outlet))
            {
                return;
            }

            if (own.LocalCount == 0 && AddressKey.IsMobile(own.Key))
            {
                _engine.RemoveLocal(NowMs, own.Key);
            }

            Refresh(own);
            RetireIfUnused(own);
            Drain();
        }
    }

    /// <inheritdoc/>
    public string NewDynamicAddress(bool forSender)
    {
        Span<byte> bytes = stackalloc byte[DynamicNameBytes];
        _options.Random.Fill(bytes);
        string name = Convert.ToHexStringLower(bytes)[..15];
        return forSender ? $"amqp:/_$temp.{name}" : $"amqp:/_topo/0/{NodeId}/temp.{name}";
    }

    /// <inheritdoc/>
    public IRoute? Find(ReadOnlySpan<byte> address, int? phase)
    {
        if (!RouteAddress.TryParse(Encoding.UTF8.GetString(address), out RouteAddress parsed))
        {
            return null;
        }

        AddressRule rule = _rules.For(parsed.Name);
        if (rule.Treatment == AddressTreatment.Unavailable)
        {
            return null;
        }

        // Messages for another router carry their address themselves: one way for all of them.
        bool isForRouter = parsed.Class == RouteAddressClass.Topological && !IsOfThisNode(parsed);
        string key = isForRouter ? KeyOfRouter(parsed) : KeyOf(parsed, phase ?? rule.IngressPhase);
        if (_routes.TryGetValue(key, out Route? route))
        {
            return route;
        }

        return isForRouter ? OpenRouter(key, parsed, rule) : null;
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
        }

        if (_output.SnapshotChanged)
        {
            OnChanged(_output.Changes);
        }
    }

    private void OnChanged(List<AddressChange> changes)
    {
        foreach (AddressChange change in changes.Where(change => change.Key[0] == 'M' && change.Key.Length > 2))
        {
            string name = change.Key[2..];
            if (!_routes.ContainsKey(change.Key) && RouteAddress.TryParse(name, out RouteAddress parsed))
            {
                Open(parsed, _rules.For(parsed.Name), change.Key[1] - '0');
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
        RouteSnapshot network = _engine.Snapshot;
        route.Refresh(RoutersOf(route, network), network, _links);
    }

    private static UInt128 RoutersOf(Route route, RouteSnapshot network) => route.Parsed.Class switch
    {
        RouteAddressClass.Mobile => network.RoutersOf(route.Key),
        RouteAddressClass.Topological when route.Parsed.Router == RouteAddress.AllRouters => network.Reachable,
        RouteAddressClass.Topological => network.IndexOf(route.Parsed.Router!) is var index and > 0
            ? UInt128.One << index : UInt128.Zero,
        _ => UInt128.Zero,
    };

    private Route Open(RouteAddress parsed, AddressRule rule, int phase)
    {
        string key = KeyOf(parsed, phase);
        if (_routes.TryGetValue(key, out Route? route))
        {
            return route;
        }

        return Add(new Route(key, parsed, rule) { Phase = phase });
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
            return _engine.Snapshot.IndexOf(parsed.Router!) <= 0 ? null
                : _routes.TryGetValue(key, out Route? there) ? there
                : Add(new Route(key, parsed, rule));
        }
    }

    private void RetireIfUnused(Route route)
    {
        if (route.IsUnused && _routes.TryRemove(KeyValuePair.Create(route.Key, route)))
        {
            route.Retire();
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

    private static string KeyOfRouter(RouteAddress address) => $"R{address.Router}";
}
