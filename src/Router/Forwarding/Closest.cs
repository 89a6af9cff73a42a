using Pillarbox.Protocols.Amqp.Routed;

namespace Pillarbox.Router.Forwarding;

/// <summary>To a destination of this node if there is one, each in turn; else to the routers of the lowest cost,
/// each in
/// turn.</summary>
internal static class Closest
{
    public static RouteChoice Choose(RouteTargets targets, in RouteQuery query, int turn)
    {
        for (int i = 0; i < targets.Locals.Length; i++)
        {
            Outlet outlet = targets.Locals[(int)(((uint)turn + (uint)i) % (uint)targets.Locals.Length)];
            if (outlet.Owner != query.ExceptOwner)
            {
                return RouteTargets.Take(outlet);
            }
        }

        for (int from = 0; from < targets.Hops.Length;)
        {
            int to = EndOfCost(targets.Hops, from);
            for (int i = 0; i < to - from; i++)
            {
                RouteHop hop = targets.Hops[from + (int)(((uint)turn + (uint)i) % (uint)(to - from))];
                if (hop.IsOpenTo(query) && RouteTargets.Take(hop, query.Priority) is { Outlet: not null } choice)
                {
                    return choice;
                }
            }

            from = to;
        }

        return default;
    }

    private static int EndOfCost(RouteHop[] hops, int from)
    {
        int to = from + 1;
        while (to < hops.Length && hops[to].Cost == hops[from].Cost)
        {
            to++;
        }

        return to;
    }
}
