using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Containers;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router;

/// <content>
/// Brokers and other containers: the links that the node keeps to them by itself, those that go through to them as a
/// whole, and places within an address that are not the operator's rule for it.
/// </content>
public sealed partial class NodeNetwork : IAutoLinkWatch
{
    private readonly LinkRouteTable _linkRoutes = new();
    private AutoLinkTable _autoLinks = null!;
    private int _lastRule;
    private volatile bool _hasLinkRoutes;

    /// <inheritdoc/>
    public bool HasLinkRoutes => _hasLinkRoutes;

    /// <summary>A link that the node is to keep to a container from now on.</summary>
    /// <returns>False: there is one of this name.</returns>
    public bool AddAutoLink(AutoLinkRule rule)
    {
        lock (_gate)
        {
            bool isNew = _autoLinks.Entries.All(entry => entry.Rule.Plan.Name != rule.Plan.Name);
            if (isNew)
            {
                _autoLinks.Add(rule);
            }

            return isNew;
        }
    }

    /// <summary>It is not to be kept any longer; false: there is none of this name.</summary>
    public bool RemoveAutoLink(string name)
    {
        lock (_gate)
        {
            return _autoLinks.Remove(name);
        }
    }

    /// <summary>Addresses whose links go to a container as a whole from now on.</summary>
    /// <returns>False: there is one of this name.</returns>
    public bool AddLinkRoute(LinkRouteRule rule)
    {
        lock (_gate)
        {
            if (_linkRoutes.Rules.Any(other => other.Name == rule.Name))
            {
                return false;
            }

            Tell(_linkRoutes.Add(rule));
            if (rule.For.Only is { IsOver: true })
            {
                // The connection has ended meanwhile, and nobody else would remove it.
                Withdraw(_linkRoutes.Remove(rule));
            }

            _hasLinkRoutes = _linkRoutes.Any;
            return true;
        }
    }

    /// <summary>They do so no longer; links that are there stay. False: there is none of this name.</summary>
    public bool RemoveLinkRoute(string name)
    {
        lock (_gate)
        {
            if (_linkRoutes.Rules.FirstOrDefault(rule => rule.Name == name) is not { } rule)
            {
                return false;
            }

            Withdraw(_linkRoutes.Remove(rule));
            _hasLinkRoutes = _linkRoutes.Any;
            return true;
        }
    }

    /// <summary>The links that are kept to containers, and their state.</summary>
    internal IReadOnlyList<ConfiguredEntity> AutoLinkEntities()
    {
        lock (_gate)
        {
            return [.. _autoLinks.Entries.Select(ContainerEntities.Of)];
        }
    }

    /// <summary>The addresses whose links go to a container as a whole, and their state.</summary>
    internal IReadOnlyList<ConfiguredEntity> LinkRouteEntities()
    {
        lock (_gate)
        {
            return
            [
                .. _linkRoutes.Rules.Where(rule => rule.For.Only is null).Select(
                    rule => ContainerEntities.Of(rule, _linkRoutes.IsActive(rule))),
            ];
        }
    }

    /// <summary>The link routes that connections have made for themselves.</summary>
    internal IReadOnlyList<LinkRouteRule> ConnectionRules()
    {
        lock (_gate)
        {
            return [.. _linkRoutes.Rules.Where(rule => rule.For.Only is not null)];
        }
    }

    /// <summary>A name for what has got none.</summary>
    internal string NewRuleName(string kind) => $"{kind}/{Interlocked.Increment(ref _lastRule)}";

    /// <inheritdoc/>
    public void OnCarrier(LinkCarrier carrier)
    {
        lock (_gate)
        {
            RouterLog.ContainerUp(_logger, carrier.Name, carrier.ContainerId);
            Tell(_linkRoutes.OnCarrier(carrier));
            _autoLinks.OnCarrier(carrier);
        }
    }

    /// <inheritdoc/>
    public void OnCarrierLost(LinkCarrier carrier)
    {
        lock (_gate)
        {
            Withdraw(_linkRoutes.OnCarrierLost(carrier));
            _hasLinkRoutes = _linkRoutes.Any;
            _autoLinks.OnCarrierLost(carrier);
        }
    }

    /// <inheritdoc/>
    void IAutoLinkWatch.OnAttached(AutoLinkRun run, long link)
    {
        lock (_gate)
        {
            _autoLinks.OnAttached(run, link);
        }

        RouterLog.AutoLinkUp(_logger, run.Plan.Name, run.Carrier.Name);
    }

    /// <inheritdoc/>
    void IAutoLinkWatch.OnEnded(AutoLinkRun run, string? error)
    {
        lock (_gate)
        {
            _autoLinks.OnEnded(run, error, NowMs);
        }

        RouterLog.AutoLinkDown(_logger, run.Plan.Name, run.Carrier.Name, error ?? "ended");
    }

    /// <inheritdoc/>
    public IRoute? OpenSenderAt(string address, RoutePlace place, IDestinationWatch watch)
    {
        if (!TryPlace(address, out RouteAddress parsed, out AddressRule rule))
        {
            return null;
        }

        lock (_gate)
        {
            Route route = OpenAt(parsed, rule, place.Phase);
            route.AddWatch(watch);
            WantOf(route);
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
            Route route = OpenAt(parsed, rule, place.Phase);
            Enter(route, outlet);
            Drain();
            return route;
        }
    }

    /// <inheritdoc/>
    public void CloseReceiverAt(IRoute route, Outlet outlet)
    {
        lock (_gate)
        {
            Leave((Route)route, outlet);
            Drain();
        }
    }

    /// <inheritdoc/>
    public LinkRouteWay? FindLinkRoute(string address, bool toSend, LinkCarrier? from)
    {
        if (!RouteAddress.TryParse(address, out RouteAddress parsed) || parsed.Class != RouteAddressClass.Mobile)
        {
            return null;
        }

        lock (_gate)
        {
            if (_linkRoutes.Find(parsed.Name, toSend) is not { } entry)
            {
                return null;
            }

            // Never back to where it came from.
            int others = entry.Carriers.Count(carrier => carrier != from);
            if (others > 0)
            {
                LinkCarrier carrier = entry.Carriers.Where(carrier => carrier != from)
                    .ElementAt(entry.NextTurn() % others);
                LinkRouteRule? rule = entry.Rules.Find(rule => rule.For.Matches(carrier));
                return new LinkRouteWay(carrier) { Removed = rule?.RemovedPrefix, Added = rule?.AddedPrefix };
            }

            return new LinkRouteWay(NextHopOf(entry, from));
        }
    }

    private bool? HasContainer(string address, bool toSend, LinkCarrier? from) =>
        FindLinkRoute(address, toSend, from) is { } way ? way.Carrier is not null : null;

    // Each link goes towards the next of the routers that have a container.
    private LinkCarrier? NextHopOf(LinkRouteEntry entry, LinkCarrier? from)
    {
        RouteSnapshot network = _engine.Snapshot;
        List<LinkCarrier> ways = [];
        foreach (int index in new RouterBits(network.RoutersOf(entry.Key) & network.Reachable))
        {
            if (network.ByIndex(index)?.NextHopLink is { } link && _links.TryGetValue(link, out PeerLink? peer)
                && peer.Carrier is { } carrier && carrier != from)
            {
                ways.Add(carrier);
            }
        }

        return ways.Count == 0 ? null : ways[entry.NextTurn() % ways.Count];
    }

    // Nobody draws from the address itself, but somebody takes what nobody takes.
    private Route? FindFallback(RouteAddress address, AddressRule rule, int? phase)
    {
        if (!rule.HasFallback || (phase ?? rule.IngressPhase) != rule.IngressPhase
            || !_routes.ContainsKey(KeyOf(address, RoutePlace.Fallback)))
        {
            return null;
        }

        lock (_gate)
        {
            return Open(address, rule, rule.IngressPhase);
        }
    }

    // ---- under the lock

    private void StartContainers()
    {
        _autoLinks = new AutoLinkTable(this);
        foreach (AutoLinkRule rule in _options.AutoLinks)
        {
            _autoLinks.Add(rule);
        }

        foreach (LinkRouteRule rule in _options.LinkRoutes)
        {
            _linkRoutes.Add(rule);
        }

        _hasLinkRoutes = _linkRoutes.Any;
        Owners.Add(new AutoLinkOwner(this));
        Owners.Add(new LinkRouteOwner(this));
        Owners.Add(new ConnectionRoutes(this));
    }

    private void TickContainers(long nowMs)
    {
        if (nowMs >= _autoLinks.DueMs)
        {
            _autoLinks.Tick(nowMs);
        }
    }

    private void OnLinkRoutesChanged(IEnumerable<AddressChange> changes)
    {
        foreach (AddressChange change in changes.Where(change => LinkRouteKey.Is(change.Key)))
        {
            _linkRoutes.OnRemote(change.Key, change.After != UInt128.Zero);
        }

        _hasLinkRoutes = _linkRoutes.Any;
    }

    private void Tell(IEnumerable<string> keys)
    {
        foreach (string key in keys)
        {
            _engine.AddLocal(NowMs, key, AddressTreatment.LinkBalanced);
            TellUplink([key], isThere: true);
        }

        Drain();
    }

    private void Withdraw(IEnumerable<string> keys)
    {
        foreach (string key in keys)
        {
            _engine.RemoveLocal(NowMs, key);
            TellUplink([key], isThere: false);
        }

        Drain();
    }

    // What a broker gives back is distributed as it says.
    private Route OpenAt(RouteAddress parsed, AddressRule rule, int phase) =>
        phase == BrokerMark.Phase && TryGetMark(parsed, out BrokerMark mark)
            ? OpenBrokered(parsed, rule, mark)
            : Open(parsed, rule, phase);

    // What the operator has closed to clients is still open to the node's own links.
    private bool TryPlace(string address, out RouteAddress parsed, out AddressRule rule)
    {
        bool isGood = RouteAddress.TryParse(address, out parsed) && IsOfThisNode(parsed);
        rule = Rules.For(parsed.Name ?? "");
        if (rule.Treatment == AddressTreatment.Unavailable)
        {
            rule = rule with { Treatment = AddressTreatment.Balanced };
        }

        return isGood;
    }

    private IEnumerable<AddressView> LinkRouteViews(RouteSnapshot network) =>
        _linkRoutes.Entries.Select(entry => new AddressView
        {
            Key = entry.Key,
            Treatment = AddressTreatment.LinkBalanced,
            Containers = entry.Carriers.Count,
            RemoteRouters = network.IdsOf(network.RoutersOf(entry.Key)),
        });

}
