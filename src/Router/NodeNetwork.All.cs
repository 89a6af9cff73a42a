using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router;

/// <content>
/// Addresses of every router (<c>amqp:/_topo/0/all/NAME</c>): a message goes to whoever draws from the local address of
/// that name, at this router and at each other. Everything under the lock.
/// </content>
public sealed partial class NodeNetwork
{
    private static bool IsOfAll(RouteAddress address) =>
        address is { Class: RouteAddressClass.Topological, Router: RouteAddress.AllRouters };

    // Who draws from every router's address draws from this one's.
    private static RouteAddress HereOf(RouteAddress address) =>
        IsOfAll(address) ? new RouteAddress(RouteAddressClass.Local, address.Name, null) : address;

    // Whatever the operator's rules are: each router gets it.
    private static AddressRule RuleFor(RouteAddress address, AddressRule rule) =>
        IsOfAll(address) ? rule with { Treatment = AddressTreatment.Multicast } : rule;

    private IEnumerable<Outlet>? LocalsOfAll(Route route) => !IsOfAll(route.Parsed) ? null
        : _routes.TryGetValue($"L{route.Parsed.Name}", out Route? local) ? local.Targets.Locals : [];

    // Who comes to a local address draws from every router's too.
    private void RefreshAllOf(Route local)
    {
        if (local.Key[0] == 'L'
            && _routes.TryGetValue($"T{RouteAddress.AllRouters}/{local.Parsed.Name}", out Route? all))
        {
            Refresh(all);
        }
    }
}
