using System.Text;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Forwarding;

/// <summary>
/// A copy to each destination of this node, and one to each neighbour on the way to others. No copy goes around in
/// circles: a router passes a message on only for destinations whose tree from the message's origin leads through it,
/// and never to a neighbour that has had it.
/// </summary>
internal static class Multicast
{
    public static void Choose(RouteTargets targets, in RouteQuery query, List<RouteChoice> into)
    {
        foreach (Outlet outlet in targets.Locals)
        {
            if (outlet.Owner != query.ExceptOwner)
            {
                into.Add(RouteTargets.Take(outlet));
            }
        }

        if (query.IsAnonymous && targets.Aside is { } aside
            && RouteTargets.Take(aside, query.Priority) is { Outlet: not null } others)
        {
            into.Add(others);
        }

        if (targets.Hops.Length == 0 || query.TraceCount > targets.Network!.Radius + 1)
        {
            return;
        }

        int origin = OriginOf(targets.Network, query.Ingress);
        for (int i = 0; i < targets.Hops.Length; i++)
        {
            RouteHop hop = targets.Hops[i];
            bool isValid = origin >= 0 && ((hop.ValidOrigins >> origin) & 1) != 0;
            if (isValid && hop.IsOpenTo(query) && !IsTaken(targets.Hops, i, origin)
                && RouteTargets.Take(hop, query.Priority) is { Outlet: not null } choice)
            {
                into.Add(choice);
            }
        }
    }

    private static int OriginOf(RouteSnapshot network, ReadOnlySpan<byte> ingress) =>
        ingress.IsEmpty ? 0 : network.IndexOf(Encoding.UTF8.GetString(ingress));

    // Whether a hop before this one leads to the same neighbour.
    private static bool IsTaken(RouteHop[] hops, int at, int origin)
    {
        for (int i = 0; i < at; i++)
        {
            if (hops[i].Peer == hops[at].Peer && ((hops[i].ValidOrigins >> origin) & 1) != 0)
            {
                return true;
            }
        }

        return false;
    }
}
