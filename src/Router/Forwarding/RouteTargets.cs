using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Forwarding;

/// <summary>A router that has the address, by way of a neighbour.</summary>
/// <param name="Peer">The neighbour on the way.</param>
/// <param name="Cost">What the whole way costs.</param>
/// <param name="Load">What is on its way to that neighbour for the address.</param>
/// <param name="ValidOrigins">Routers whose messages for it pass here.</param>
/// <param name="TraceMark">The neighbour as it stands in a trace: length and text.</param>
internal sealed record RouteHop(PeerLink Peer, long Cost, LoadCounter Load, UInt128 ValidOrigins, byte[] TraceMark)
{
    /// <summary>The link of its own that the address has there; null: that of the message's priority.</summary>
    public Outlet? Link { get; init; }

    /// <summary>The link that a message would go by; null: there is none yet.</summary>
    public Outlet? OutletFor(int priority) => Link ?? Peer.OutletFor(priority);

    /// <summary>Whether a message may go there: not back to where it was.</summary>
    public bool IsOpenTo(in RouteQuery query) =>
        Peer != query.From && (query.Trace.IsEmpty || query.Trace.IndexOf(TraceMark) < 0);
}

/// <summary>The destinations of an address at one moment: links of this node, and routers, the nearest first.
/// Immutable.</summary>
internal sealed record RouteTargets(Outlet[] Locals, RouteHop[] Hops, RouteSnapshot? Network)
{
    public static readonly RouteTargets None = new([], [], null);

    /// <summary>At an edge: the way to the interior of messages that everybody is to get and that name their address
    /// themselves, as long as the address has no link of its own there; null: there is none, or it has. It is no
    /// destination of a link's own address.</summary>
    public RouteHop? Aside { get; init; }

    /// <summary>Whether there are any.</summary>
    public bool Any => Locals.Length + Hops.Length > 0;

    /// <summary>Whether there are any besides those of an owner.</summary>
    public bool AnyExcept(object? owner)
    {
        if (owner is null || Hops.Length > 0)
        {
            return Any;
        }

        foreach (Outlet outlet in Locals)
        {
            if (outlet.Owner != owner)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Counts a delivery for a local destination.</summary>
    public static RouteChoice Take(Outlet outlet)
    {
        outlet.Load.Add();
        return new RouteChoice(outlet, outlet.Load);
    }

    /// <summary>Counts a delivery for a neighbour; none when it has no link for messages yet.</summary>
    public static RouteChoice Take(RouteHop hop, int priority)
    {
        if (hop.OutletFor(priority) is not { } outlet)
        {
            return default;
        }

        hop.Load.Add();
        return new RouteChoice(outlet, hop.Load);
    }
}
