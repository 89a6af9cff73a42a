using Pillarbox.Protocols.Amqp.Routed.Containers;

namespace Pillarbox.Protocols.Amqp.Routed.Edges;

/// <summary>What the interior knows of an address that a client of an edge attaches to.</summary>
/// <param name="IsLinkRoute">Whether links to it go on as a whole.</param>
/// <param name="HasDestinations">Whether there is somebody to whom they go.</param>
/// <param name="Carrier">The connection that they go on by.</param>
public readonly record struct InteriorAnswer(bool IsLinkRoute, bool HasDestinations, LinkCarrier? Carrier)
{
    /// <summary>A broker elsewhere has the address as a queue.</summary>
    public const string Queue = "queue";

    /// <summary>A broker elsewhere has it as a topic, or as a stream.</summary>
    public const string Topic = "topic";

    /// <summary>The interior did not answer, or could not be asked: the edge's own knowledge counts.</summary>
    public static readonly InteriorAnswer None;

    /// <summary>Where the link goes on, when the edge itself knows no container for it.</summary>
    /// <param name="own">What the edge knows; null: nothing.</param>
    public LinkRouteWay? Or(LinkRouteWay? own) =>
        IsLinkRoute ? new LinkRouteWay(HasDestinations ? Carrier : null) : own;
}
