using System.Collections.Concurrent;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Router.Edges;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Peers;

namespace Pillarbox.Router.Addresses;

/// <summary>
/// The addresses that are in use at this node, each as a <see cref="Route"/> with its destinations. A route is made
/// when it is first asked for, and forgotten when nothing holds it any more. Any thread looks up; everything else is
/// under the network's lock.
/// </summary>
internal sealed class RouteTable(
    RouteKeys keys, AddressRuleOwner rules, Neighbors neighbors, AttachedEdges edges, IRouteWays ways)
{
    private readonly ConcurrentDictionary<string, Route> _routes = new(StringComparer.Ordinal);

    /// <summary>All of them; they may come and go meanwhile. Any thread.</summary>
    public IEnumerable<Route> All => _routes.Select(entry => entry.Value);

    /// <summary>What routes are found by.</summary>
    public RouteKeys Keys => keys;

    /// <summary>The operator's rules as they are now; an address that is in use stays as it is.</summary>
    public AddressRules Rules => rules.Rules;

    /// <summary>The route of a key; null: it is not in use. Any thread.</summary>
    public Route? Find(string key) => _routes.TryGetValue(key, out Route? route) ? route : null;

    /// <summary>Whether an address is in use, and has destinations. Any thread.</summary>
    public bool HasDestinations(string address) =>
        RouteAddress.TryParse(address, out RouteAddress parsed)
        && Find(keys.Of(parsed, Rules.For(parsed.Name).IngressPhase)) is { } route && route.Targets.Any;

    /// <summary>The route of an address within a phase, with the one that its messages fall back to.</summary>
    public Route Open(RouteAddress parsed, AddressRule rule, int phase)
    {
        string key = keys.Of(parsed, phase);
        if (Find(key) is { } route)
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

    /// <summary>The route of a key of its own, which stands for more than one address.</summary>
    public Route Open(string key, RouteAddress parsed, AddressRule rule) =>
        Find(key) ?? Add(new Route(key, parsed, RuleFor(parsed, rule)));

    /// <summary>An address that each node has of its own, with a service of this one behind it.</summary>
    public void Serve(string address, NetworkService service)
    {
        if (RouteAddress.TryParse(address, out RouteAddress parsed))
        {
            var rule = new AddressRule { Pattern = parsed.Name, Treatment = AddressTreatment.Closest };
            Route route = Open(parsed, rule, phase: 0);
            route.IsOfNode = true;
            route.AddLocal(service);
            Refresh(route);
        }
    }

    /// <summary>Other routers say how they treat an address.</summary>
    public void Hint(AddressChange change)
    {
        string name = change.Key[2..];
        bool isPhase = char.IsAsciiDigit(change.Key[1]);
        if (isPhase && RouteAddress.TryParse(name, out RouteAddress parsed)
            && neighbors.Snapshot.Addresses.TryGetValue(change.Key, out RemoteAddress remote))
        {
            Open(parsed, Rules.For(parsed.Name), change.Key[1] - '0').Hint(remote.Treatment);
        }
    }

    /// <summary>The destinations of a route may have changed.</summary>
    public void Refresh(Route route)
    {
        IEnumerable<Outlet>? locals = LocalsOfEdge(route.Parsed) ?? LocalsOfAll(route.Parsed);
        route.Refresh(ways.HopsTo(route), locals, neighbors.Snapshot, ways.AsideOf(route));

        // Who comes to a local address draws from every router's too.
        if (route.Key[0] == 'L' && Find(RouteKeys.OfAll(route.Parsed.Name)) is { } all)
        {
            Refresh(all);
        }
    }

    /// <summary>Those of all routes may have.</summary>
    public void RefreshAll()
    {
        foreach ((_, Route route) in _routes)
        {
            Refresh(route);
            RetireIfUnused(route);
        }
    }

    /// <summary>Forgets a route that nothing holds any more.</summary>
    public void RetireIfUnused(Route route)
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

    private Route Add(Route route)
    {
        _routes[route.Key] = route;
        Refresh(route);
        return route;
    }

    private List<Outlet>? LocalsOfEdge(RouteAddress address) =>
        address.Class == RouteAddressClass.Edge && !keys.IsHere(address) ? edges.OutletsOf(address.Router!) : null;

    private IEnumerable<Outlet>? LocalsOfAll(RouteAddress address) => !address.IsOfAll ? null
        : Find(RouteKeys.OfLocal(address.Name)) is { } local ? local.Targets.Locals : [];

    // Whatever the operator's rules are: each router gets it.
    private static AddressRule RuleFor(RouteAddress address, AddressRule rule) =>
        address.IsOfAll ? rule with { Treatment = AddressTreatment.Multicast } : rule;
}
