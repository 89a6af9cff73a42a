using Pillarbox.Protocols.Amqp.Routed;

namespace Pillarbox.Router.Forwarding;

/// <summary>
/// To the destination with the smallest value: of a link of this node what is on its way to it; of a router what is on
/// its way to the neighbour, and the cost of the way. Equals take turns.
/// </summary>
internal static class Balanced
{
    public static RouteChoice Choose(RouteTargets targets, in RouteQuery query, int turn)
    {
        if (targets is { Locals: [var only], Hops: [] } && query.ExceptOwner is null)
        {
            return RouteTargets.Take(only);
        }

        Outlet? local = null;
        RouteHop? hop = null;
        long best = long.MaxValue;
        for (int i = 0; i < targets.Locals.Length; i++)
        {
            Outlet outlet = targets.Locals[(int)(((uint)turn + (uint)i) % (uint)targets.Locals.Length)];
            if (outlet.Load.Value < best && outlet.Owner != query.ExceptOwner)
            {
                (best, local) = (outlet.Load.Value, outlet);
            }
        }

        for (int i = 0; i < targets.Hops.Length; i++)
        {
            RouteHop candidate = targets.Hops[(int)(((uint)turn + (uint)i) % (uint)targets.Hops.Length)];
            long value = candidate.Load.Value + candidate.Cost;
            if (value < best && candidate.IsOpenTo(query) && candidate.OutletFor(query.Priority) is not null)
            {
                (best, hop) = (value, candidate);
            }
        }

        return hop is not null ? RouteTargets.Take(hop, query.Priority)
            : local is not null ? RouteTargets.Take(local)
            : default;
    }
}
