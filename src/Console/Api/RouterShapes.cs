namespace Pillarbox.ConsoleApi;

/// <summary>The node as a router.</summary>
public sealed record RouterResource
{
    public required string Id { get; init; }

    /// <summary>standalone, interior or edge.</summary>
    public required string Mode { get; init; }

    public required string Version { get; init; }

    public long UptimeSeconds { get; init; }

    /// <summary>Other routers that are known.</summary>
    public int Nodes { get; init; }

    public int Connections { get; init; }

    public int Links { get; init; }

    public int Addresses { get; init; }

    /// <summary>Hops to the farthest router.</summary>
    public int Radius { get; init; }
}

/// <summary>A router of the network.</summary>
public sealed record RouterNodeResource
{
    public required string Id { get; init; }

    /// <summary>The neighbour on the way; "(self)", or null: it cannot be reached.</summary>
    public string? NextHop { get; init; }

    /// <summary>Sum of the links' costs; null: it cannot be reached.</summary>
    public long? Cost { get; init; }

    /// <summary>Its neighbours, and the costs of the links to them.</summary>
    public required IReadOnlyDictionary<string, int> Neighbors { get; init; }

    /// <summary>Routers whose multicast messages for it pass through here.</summary>
    public required IReadOnlyList<string> ValidOrigins { get; init; }

    /// <summary>When it started; null: not known.</summary>
    public DateTimeOffset? StartedAt { get; init; }
}

/// <summary>A link through the network.</summary>
public sealed record RouterLinkResource
{
    public required string Id { get; init; }

    public required string Type { get; init; }

    /// <summary>in or out.</summary>
    public required string Direction { get; init; }

    public required string ConnectionId { get; init; }

    public required string Name { get; init; }

    /// <summary>The address key; null: each message has its own.</summary>
    public string? Address { get; init; }

    public int Capacity { get; init; }

    public long Credit { get; init; }

    public long Deliveries { get; init; }

    public long Undelivered { get; init; }

    public long Unsettled { get; init; }
}

/// <summary>An address of the network.</summary>
public sealed record RouterAddressResource
{
    /// <summary>The key: class, phase and address.</summary>
    public required string Key { get; init; }

    public required string Distribution { get; init; }

    /// <summary>Destinations in the node itself.</summary>
    public int InProcess { get; init; }

    /// <summary>Consumers at this node.</summary>
    public int Subscribers { get; init; }

    /// <summary>Routers with consumers.</summary>
    public required IReadOnlyList<string> Routers { get; init; }
}

/// <summary>A connection of the router.</summary>
public sealed record RouterConnectionResource
{
    public required string Id { get; init; }

    public required string Host { get; init; }

    public required string Container { get; init; }

    public required string Role { get; init; }

    /// <summary>in or out.</summary>
    public required string Direction { get; init; }

    public bool Encrypted { get; init; }

    public string? User { get; init; }

    public string? Mechanism { get; init; }

    public long UptimeSeconds { get; init; }
}

/// <summary>One router on a way.</summary>
public sealed record RouterHopResource(string Router, long Cost);

/// <summary>Where messages to an address go from this node.</summary>
public sealed record RouterTraceResource
{
    public required string Address { get; init; }

    public required string Distribution { get; init; }

    public required IReadOnlyList<RouterDestinationResource> Destinations { get; init; }
}

/// <summary>A router with consumers, and the way to it.</summary>
public sealed record RouterDestinationResource(string Router, long Cost, IReadOnlyList<string> Path);
