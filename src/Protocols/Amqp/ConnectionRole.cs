namespace Pillarbox.Protocols.Amqp;

/// <summary>What the peer of a connection is to the node. The listener or connector says so, never the wire.</summary>
public enum ConnectionRole
{
    /// <summary>A client.</summary>
    Normal,

    /// <summary>Another router of the network.</summary>
    InterRouter,

    /// <summary>The uplink of an edge router.</summary>
    Edge,

    /// <summary>A broker, or another container, that the node sends to and draws from.</summary>
    RouteContainer,
}

/// <summary>What is known of a connection before its first byte. Immutable.</summary>
/// <param name="Role">What the peer is.</param>
/// <param name="IsInitiator">Whether the node made the connection: it opens first, and begins sessions and
/// links.</param>
public sealed record ConnectionPlan(ConnectionRole Role, bool IsInitiator)
{
    /// <summary>A client's.</summary>
    public static readonly ConnectionPlan Client = new(ConnectionRole.Normal, IsInitiator: false);

    /// <summary>What a path over the connection costs, at least 1.</summary>
    public int Cost { get; init; } = 1;

    /// <summary>The name of the listener or connector, for views and logs.</summary>
    public string Name { get; init; } = "";

    /// <summary>Other places, <c>host:port</c>, that the node's open names for when it is not reached; null: it says
    /// nothing of that.</summary>
    public IReadOnlyList<string>? Failover { get; init; }

    /// <summary>The host that open names; null: none.</summary>
    public string? Hostname { get; init; }
}
