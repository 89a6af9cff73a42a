using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Router.Brokers;
using Pillarbox.Router.Edges;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Peers;

namespace Pillarbox.Router.Addresses;

/// <summary>
/// Who draws from addresses at this node. The first of an address, and the loss of the last, is told to the other
/// routers, or to the interior. Under the network's lock.
/// </summary>
/// <param name="routes">The addresses in use.</param>
/// <param name="neighbors">The other routers.</param>
/// <param name="wishes">The interior, at an edge.</param>
/// <param name="marked">Told when a broker of this node, or of an edge that is attached here, has an address, or has it
/// no longer.</param>
internal sealed class LocalReceivers(
    RouteTable routes, Neighbors neighbors, UplinkWishes wishes, Action<BrokerMark> marked)
{
    private readonly Dictionary<Outlet, Route> _homes = [];

    /// <summary>A client wants what is sent to an address; it may be moved while it is there.</summary>
    public void Settle(Route route, Outlet outlet)
    {
        _homes[outlet] = route;
        Enter(route, outlet);
    }

    /// <summary>The client is gone, from wherever it was. False: it was so before.</summary>
    public bool Unsettle(Outlet outlet)
    {
        bool wasThere = _homes.Remove(outlet, out Route? home);
        if (wasThere)
        {
            Leave(home!, outlet);
        }

        return wasThere;
    }

    /// <summary>All clients that draw from an address do so from another of its routes from now on.</summary>
    public void Move(RouteAddress address, Func<Route> open)
    {
        (Outlet Outlet, Route Home)[] clients =
            [.. _homes.Where(home => home.Value.Parsed == address).Select(home => (home.Key, home.Value))];
        Route? to = clients.Length > 0 ? open() : null;
        foreach ((Outlet outlet, Route from) in clients)
        {
            if (from != to)
            {
                Leave(from, outlet);
                Settle(to!, outlet);
            }
        }
    }

    /// <summary>Somebody draws from a route who stays there.</summary>
    public void Enter(Route route, Outlet outlet)
    {
        route.AddLocal(outlet);
        if (route.LocalCount == 1 && AddressKey.IsMobile(route.Key))
        {
            neighbors.AddLocal(route.Key, route.Treatment);
            TellMark(route);
        }

        wishes.Tell(route);
        routes.Refresh(route);
    }

    /// <summary>They do so no longer.</summary>
    public void Leave(Route route, Outlet outlet)
    {
        if (!route.RemoveLocal(outlet))
        {
            return;
        }

        if (route.LocalCount == 0 && AddressKey.IsMobile(route.Key))
        {
            neighbors.RemoveLocal(route.Key);
            TellMark(route);
        }

        wishes.Tell(route);
        routes.Refresh(route);
        routes.RetireIfUnused(route);
    }

    private void TellMark(Route route)
    {
        if (BrokerMark.TryParse(route.Key, out BrokerMark mark))
        {
            marked(mark);
        }
    }
}
