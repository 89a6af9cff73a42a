using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Addresses;

/// <summary>What routes are found by at a node: an address within its phase. Pure.</summary>
/// <param name="nodeId">The node's id, without an area.</param>
internal sealed class RouteKeys(string nodeId)
{
    /// <summary>Whether who draws from an address does so here, and not by way of another router.</summary>
    public bool IsHere(RouteAddress address) =>
        address.Class is RouteAddressClass.Mobile or RouteAddressClass.Local
        || (address.Class == RouteAddressClass.Topological && address.Router == nodeId)
        || (address.Class == RouteAddressClass.Edge && address.Router == nodeId);

    /// <summary>The key of an address within a phase.</summary>
    public string Of(RouteAddress address, int phase) => address.Class switch
    {
        RouteAddressClass.Mobile => AddressKey.Mobile(address.Name, (char)('0' + phase)),
        RouteAddressClass.Local => OfLocal(address.Name),
        _ when IsHere(address) => OfLocal(address.Name),
        RouteAddressClass.Topological => $"T{address.Router}/{address.Name}",
        _ => $"H{address.Router}/{address.Name}",
    };

    /// <summary>The key of what is for another router, whose messages carry their address themselves: one way for all
    /// of them.</summary>
    public static string OfRouter(RouteAddress address) => address.IsOfAll ? OfAll(address.Name)
        : address.Class == RouteAddressClass.Edge ? $"H{address.Router}" : $"R{address.Router}";

    /// <summary>The key of this node's address of a name.</summary>
    public static string OfLocal(string name) => $"L{name}";

    /// <summary>The key of every router's address of a name.</summary>
    public static string OfAll(string name) => $"T{RouteAddress.AllRouters}/{name}";
}
