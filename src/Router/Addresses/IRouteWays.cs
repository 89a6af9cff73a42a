using Pillarbox.Router.Forwarding;

namespace Pillarbox.Router.Addresses;

/// <summary>How a node reaches destinations that are not its own. Under the network's lock.</summary>
internal interface IRouteWays
{
    /// <summary>The ways to those who have an address elsewhere, the cheapest first.</summary>
    List<RouteHop> HopsTo(Route route);

    /// <summary>A way beside those, for messages that name their address themselves; null: there is none.</summary>
    RouteHop? AsideOf(Route route) => null;
}
