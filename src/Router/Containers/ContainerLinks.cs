using Microsoft.Extensions.Logging;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Edges;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management.Views;
using Pillarbox.Router.Peers;

namespace Pillarbox.Router.Containers;

/// <summary>
/// Brokers and other containers: the links that the node keeps to them by itself, and those that go through to them as
/// a whole. Other routers, or the interior, hear which addresses those are. Any thread; it takes the network's lock
/// but where it says otherwise.
/// </summary>
internal sealed class ContainerLinks : IAutoLinkWatch
{
    private readonly Lock _gate;
    private readonly ILogger _logger;
    private readonly Neighbors _neighbors;
    private readonly Uplinks _uplinks;
    private readonly LinkRouteTable _linkRoutes = new();
    private readonly AutoLinkTable _autoLinks;
    private int _lastRule;
    private volatile bool _hasLinkRoutes;

    /// <param name="gate">The network's lock.</param>
    /// <param name="options">What the operator has configured.</param>
    /// <param name="neighbors">The other routers.</param>
    /// <param name="uplinks">The interior, at an edge.</param>
    public ContainerLinks(Lock gate, NodeNetworkOptions options, Neighbors neighbors, Uplinks uplinks)
    {
        (_gate, _neighbors, _uplinks) = (gate, neighbors, uplinks);
        _logger = options.Logs.CreateLogger("Pillarbox.Router");
        _autoLinks = new AutoLinkTable(this);
        foreach (AutoLinkRule rule in options.AutoLinks)
        {
            _autoLinks.Add(rule);
        }

        foreach (LinkRouteRule rule in options.LinkRoutes)
        {
            _linkRoutes.Add(rule);
        }

        _hasLinkRoutes = _linkRoutes.Any;
    }

    /// <summary>Whether any attach has to be looked at for a way to a container. Takes no lock.</summary>
    public bool HasLinkRoutes => _hasLinkRoutes;

    /// <summary>The links that are kept to containers, and their state.</summary>
    public IReadOnlyList<ConfiguredEntity> AutoLinkEntities
    {
        get
        {
            lock (_gate)
            {
                return [.. _autoLinks.Entries.Select(ContainerEntities.Of)];
            }
        }
    }

    /// <summary>The addresses whose links go to a container as a whole, and their state.</summary>
    public IReadOnlyList<ConfiguredEntity> LinkRouteEntities
    {
        get
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
    }

    /// <summary>The link routes that connections have made for themselves.</summary>
    public IReadOnlyList<LinkRouteRule> ConnectionRules
    {
        get
        {
            lock (_gate)
            {
                return [.. _linkRoutes.Rules.Where(rule => rule.For.Only is not null)];
            }
        }
    }

    /// <summary>A name for what has got none. Takes no lock.</summary>
    public string NewRuleName(string kind) => $"{kind}/{Interlocked.Increment(ref _lastRule)}";

    /// <summary>A link that the node is to keep to a container from now on.</summary>
    /// <returns>False: there is one of this name.</returns>
    public bool Add(AutoLinkRule rule)
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
    public bool Add(LinkRouteRule rule)
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

    /// <summary>A connection to a container is open.</summary>
    public void OnCarrier(LinkCarrier carrier)
    {
        lock (_gate)
        {
            RouterLog.ContainerUp(_logger, carrier.Name, carrier.ContainerId);
            Tell(_linkRoutes.OnCarrier(carrier));
            _autoLinks.OnCarrier(carrier);
        }
    }

    /// <summary>It is gone.</summary>
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
            _autoLinks.OnEnded(run, error, _neighbors.NowMs);
        }

        RouterLog.AutoLinkDown(_logger, run.Plan.Name, run.Carrier.Name, error ?? "ended");
    }

    /// <summary>Where a link to an address goes on as a whole; null: it does not, its messages go one by one.</summary>
    /// <param name="address">As the attach has it.</param>
    /// <param name="toSend">Whether the peer sends on the link.</param>
    /// <param name="from">The connection that it comes by, when it is one of another router or container: never back
    /// there.</param>
    public LinkRouteWay? Find(string address, bool toSend, LinkCarrier? from)
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

            int others = entry.Carriers.Count(carrier => carrier != from);
            if (others == 0)
            {
                return new LinkRouteWay(NextHopOf(entry, from));
            }

            LinkCarrier carrier = entry.Carriers.Where(carrier => carrier != from)
                .ElementAt(entry.NextTurn() % others);
            LinkRouteRule? rule = entry.Rules.Find(rule => rule.For.Matches(carrier));
            return new LinkRouteWay(carrier) { Removed = rule?.RemovedPrefix, Added = rule?.AddedPrefix };
        }
    }

    /// <summary>Whether a container takes an address's links; null: they do not go through as a whole.</summary>
    public bool? IsThere(string address, bool toSend, LinkCarrier? from) =>
        Find(address, toSend, from) is { } way ? way.Carrier is not null : null;

    // ---- under the lock

    /// <summary>Tries again what is due. Under the lock.</summary>
    public void Tick(long nowMs)
    {
        if (nowMs >= _autoLinks.DueMs)
        {
            _autoLinks.Tick(nowMs);
        }
    }

    /// <summary>Other routers have containers for addresses, or have them no longer. Under the lock.</summary>
    public void OnRemote(IEnumerable<AddressChange> changes)
    {
        foreach (AddressChange change in changes.Where(change => LinkRouteKey.Is(change.Key)))
        {
            _linkRoutes.OnRemote(change.Key, change.After != UInt128.Zero);
        }

        _hasLinkRoutes = _linkRoutes.Any;
    }

    /// <summary>Another connection to the interior hears of all addresses that containers of this edge have. Under the
    /// lock.</summary>
    public void TellUplink() => _uplinks.Tell(
        _linkRoutes.Entries.Where(entry => entry.Carriers.Count > 0).Select(entry => entry.Key), isThere: true);

    /// <summary>How they are shown among the addresses. Under the lock.</summary>
    public IEnumerable<AddressView> Views(RouteSnapshot network) =>
        _linkRoutes.Entries.Select(entry => new AddressView
        {
            Key = entry.Key,
            Treatment = AddressTreatment.LinkBalanced,
            Containers = entry.Carriers.Count,
            RemoteRouters = network.IdsOf(network.RoutersOf(entry.Key)),
        });

    // Each link goes towards the next of the routers that have a container.
    private LinkCarrier? NextHopOf(LinkRouteEntry entry, LinkCarrier? from)
    {
        List<LinkCarrier> ways = _neighbors.CarriersTo(entry.Key, from);
        return ways.Count == 0 ? null : ways[entry.NextTurn() % ways.Count];
    }

    private void Tell(IEnumerable<string> keys)
    {
        foreach (string key in keys)
        {
            _neighbors.AddLocal(key, AddressTreatment.LinkBalanced);
            _uplinks.Tell([key], isThere: true);
        }

        _neighbors.Drain();
    }

    private void Withdraw(IEnumerable<string> keys)
    {
        foreach (string key in keys)
        {
            _neighbors.RemoveLocal(key);
            _uplinks.Tell([key], isThere: false);
        }

        _neighbors.Drain();
    }
}
