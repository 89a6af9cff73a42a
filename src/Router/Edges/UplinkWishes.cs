using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Protocols.Amqp.Routed.Edges;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Brokers;

namespace Pillarbox.Router.Edges;

/// <summary>At an edge: which links to the interior the addresses want that are in use here. Under the network's
/// lock.</summary>
internal sealed class UplinkWishes(Uplinks uplinks, RouteTable routes, BrokerMarks marks)
{
    /// <summary>Says what an address wants now, if there is somebody to tell.</summary>
    public void Tell(Route route)
    {
        if (uplinks.InUse is { } uplink && route is { Parsed.Class: RouteAddressClass.Mobile, IsOfNode: false }
            && route.Key != Uplinks.AnyKey)
        {
            uplink.Want(WishOf(route, toSend: true), route.SenderCount > 0);
            uplink.Want(WishOf(route, toSend: false), route.LocalCount > 0);
        }
    }

    /// <summary>Says what all want.</summary>
    public void TellAll()
    {
        foreach (Route route in routes.All)
        {
            Tell(route);
        }
    }

    // A link whose phase is not that of a client's says so, as one of a waypoint does.
    private UplinkWish WishOf(Route route, bool toSend)
    {
        string name = route.Parsed.Name;
        AddressRule rule = routes.Rules.For(name);
        bool isClients = toSend
            ? route.Phase == rule.IngressPhase
            : route.Phase == rule.EgressPhase && !marks.IsOwn(name);
        int ordinal = toSend ? route.Phase : route.Phase + 1;
        string? capability = route.Phase == RoutePlace.Fallback ? RoutePlace.FallbackCapability
            : isClients || ordinal == 0 ? null
            : RoutePlace.Waypoint(ordinal);
        return new UplinkWish(route.Key, name, toSend, route.Phase, capability);
    }
}
