using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.LinkRoutes;

/// <summary>Why a link that goes through the node as a whole ends without either end's wish.</summary>
internal static class LinkRouteErrors
{
    /// <summary>Nobody who could take it is connected.</summary>
    public static readonly AmqpError NoRoute = new()
    {
        Condition = "qd:no-route-to-dest",
        Description = "No route to the destination node",
    };

    /// <summary>The session or connection of its other half is gone.</summary>
    public static readonly AmqpError Lost = new()
    {
        Condition = "qd:routed-link-lost",
        Description = "Connectivity to the peer container was lost",
    };

    /// <summary>The connection that it would go on by has no room for it.</summary>
    public static readonly AmqpError Full = new()
    {
        Condition = AmqpErrorCondition.ResourceLimitExceeded,
        Description = "too many links go on to the destination node",
    };
}
