namespace Pillarbox.Protocols.Amqp.Routed.Edges;

/// <summary>A link for an address that an edge may want on its connection to the interior.</summary>
/// <param name="Key">The address's key, with its phase: there is at most one link a direction for it.</param>
/// <param name="Address">The address as the interior knows it.</param>
/// <param name="ToSend">Whether the edge sends on it.</param>
/// <param name="Phase">The phase of what comes by it, see <see cref="Containers.RoutePlace"/>.</param>
/// <param name="Capability">What its terminus bears, when its phase is not that of a client's link; null:
/// nothing.</param>
public readonly record struct UplinkWish(string Key, string Address, bool ToSend, int Phase, string? Capability);

/// <summary>Addresses of an edge whose links go on as a whole to a container there.</summary>
/// <param name="Key">As routers of the interior tell it each other.</param>
/// <param name="Pattern">The addresses.</param>
/// <param name="IsForSenders">Whether it is for links on which clients send.</param>
public readonly record struct UplinkLinkRoute(string Key, string Pattern, bool IsForSenders);
