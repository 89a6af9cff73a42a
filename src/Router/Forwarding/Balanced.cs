using Pillarbox.Protocols.Amqp.Routed;

namespace Pillarbox.Router.Forwarding;

/// <summary>
/// To the destination with the smallest value: of a link of this node what is on its way to it; of a router what is on
/// its way to the neighbour, and the cost of the way. Those whose value has not reached the capacity come first; equals
/// take turns.
/// </summary>
internal static class Balanced
{
    /// <summary>A value that large is a destination that is full.</summary>
    public const int Capacity = 250;

    public static RouteChoice Choose(RouteTargets targets, in RouteQuery query, int turn)
    {
        if (targets is { Locals: [var only], Hops: [] })
        {
            return RouteTargets.Take(only);
        }

        Outlet? local = null;
        RouteHop? hop = null;
        long best = long.MaxValue;
        for (int i = 0; i < targets.Locals.Length; i++)
        {
            Outlet outlet = targets.Locals[(int)(((uint)turn + (uint)i) % (uint)targets.Locals.Length)];
            if (outlet.Load.Value < best)
            {
                (best, local) = (outlet.Load.Value, outlet);
            }
        }

        for (int i = 0; i < targets.Hops.Length; i++)
        {
            RouteHop candidate = targets.Hops[(int)(((uint)turn + (uint)i) % (uint)targets.Hops.Length)];
            long value = candidate.Load.Value + candidate.Cost;
            if (value < best && candidate.IsOpenTo(query) && candidate.Peer.OutletFor(query.Priority) is not null)
            {
                (best, hop) = (value, candidate);
            }
        }

        return hop is not null ? RouteTargets.Take(hop, query.Priority)
            : local is not null ? RouteTargets.Take(local)
            : default;
    }
}
