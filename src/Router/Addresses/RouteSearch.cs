using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Router.Brokers;
using Pillarbox.Router.Edges;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Peers;

namespace Pillarbox.Router.Addresses;

/// <summary>
/// Where a message goes whose own address decides. Any thread: what is in use is found without a lock; only the first
/// message to an address takes the network's.
/// </summary>
/// <param name="gate">The network's lock.</param>
/// <param name="routes">The addresses in use.</param>
/// <param name="neighbors">The other routers.</param>
/// <param name="edges">The edges that are attached here.</param>
/// <param name="uplinks">At an edge: the way to whatever is not here; null: in the interior.</param>
internal sealed class RouteSearch(
    Lock gate, RouteTable routes, Neighbors neighbors, AttachedEdges edges, Uplinks? uplinks)
{
    /// <summary>The route to an address; null: nobody wants the message.</summary>
    /// <param name="address">As the message has it.</param>
    /// <param name="phase">The phase that a router before has given it; null: it comes from a client.</param>
    public Route? Find(string address, int? phase)
    {
        if (!RouteAddress.TryParse(address, out RouteAddress parsed))
        {
            return null;
        }

        AddressRule rule = routes.Rules.For(parsed.Name);
        if (rule.Treatment == AddressTreatment.Unavailable)
        {
            return null;
        }

        bool isForRouter = !routes.Keys.IsHere(parsed);
        string key = isForRouter
            ? RouteKeys.OfRouter(parsed)
            : routes.Keys.Of(parsed, phase ?? rule.IngressPhase);
        Route? route = routes.Find(key);
        if (uplinks is not null)
        {
            return route is { Targets.Any: true } ? route : ByUplink(uplinks) ?? route;
        }

        return route ?? (isForRouter
            ? OfRouter(key, parsed, rule)
            : OfMark(parsed, key) ?? WithFallback(parsed, rule, phase));
    }

    private Route? ByUplink(Uplinks ways)
    {
        if (routes.Find(Uplinks.AnyKey) is { } there)
        {
            return there;
        }

        lock (gate)
        {
            return ways.InUse is null ? null : routes.Open(
                Uplinks.AnyKey, new RouteAddress(RouteAddressClass.Mobile, Uplinks.AnyKey, null),
                routes.Rules.For(Uplinks.AnyKey));
        }
    }

    private Route? OfRouter(string key, RouteAddress parsed, AddressRule rule)
    {
        lock (gate)
        {
            string router = parsed.Router!;
            bool isThere = parsed.IsOfAll || (parsed.Class == RouteAddressClass.Edge
                ? edges.IsKnown(router)
                : neighbors.Snapshot.IndexOf(router) > 0);
            return isThere ? routes.Open(key, parsed, rule) : null;
        }
    }

    // There is a route to a mark only when somebody sends there.
    private Route? OfMark(RouteAddress address, string key)
    {
        if (!BrokerMark.Is(address.Name) || neighbors.Snapshot.RoutersOf(key) == UInt128.Zero)
        {
            return null;
        }

        lock (gate)
        {
            return routes.Open(address, routes.Rules.For(address.Name), phase: 0);
        }
    }

    // Nobody draws from the address itself, but somebody takes what nobody takes.
    private Route? WithFallback(RouteAddress address, AddressRule rule, int? phase)
    {
        if (!rule.HasFallback || (phase ?? rule.IngressPhase) != rule.IngressPhase
            || routes.Find(routes.Keys.Of(address, RoutePlace.Fallback)) is null)
        {
            return null;
        }

        lock (gate)
        {
            return routes.Open(address, rule, rule.IngressPhase);
        }
    }
}
