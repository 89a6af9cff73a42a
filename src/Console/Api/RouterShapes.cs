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

    /// <summary>Deliveries since the start.</summary>
    public required RouterDeliveriesResource Deliveries { get; init; }

    /// <summary>Links whose receiver has given no credit for more than ten seconds.</summary>
    public long LinksBlocked { get; init; }
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

    /// <summary>Of the links between routers which one; of others 0.</summary>
    public int Priority { get; init; }

    public long Deliveries { get; init; }

    public long Undelivered { get; init; }

    public long Unsettled { get; init; }

    /// <summary>What became of the deliveries.</summary>
    public required RouterDeliveriesResource Outcomes { get; init; }

    /// <summary>Deliveries settled a second, lately.</summary>
    public long SettleRate { get; init; }

    /// <summary>For how long the receiver has given no credit.</summary>
    public long ZeroCreditSeconds { get; init; }
}

/// <summary>What became of deliveries.</summary>
public sealed record RouterDeliveriesResource
{
    /// <summary>Their sender had settled them.</summary>
    public long Presettled { get; init; }

    /// <summary>Their sender had settled them, and nobody wanted them.</summary>
    public long DroppedPresettled { get; init; }

    public long Accepted { get; init; }

    public long Rejected { get; init; }

    public long Released { get; init; }

    public long Modified { get; init; }

    /// <summary>Settled after more than one second, and at most ten.</summary>
    public long Delayed1Sec { get; init; }

    /// <summary>Settled after more than ten seconds.</summary>
    public long Delayed10Sec { get; init; }

    /// <summary>Found unsettled after more than ten seconds.</summary>
    public long Stuck { get; init; }

    /// <summary>Came from clients of this node.</summary>
    public long Ingress { get; init; }

    /// <summary>Went to destinations of this node.</summary>
    public long Egress { get; init; }

    /// <summary>Came from a router and went to another.</summary>
    public long Transit { get; init; }
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

    /// <summary>The priority that its messages go by between routers; -1: their own.</summary>
    public int Priority { get; init; }

    /// <summary>Deliveries from clients of this node.</summary>
    public long Ingress { get; init; }

    /// <summary>Deliveries to clients of this node.</summary>
    public long Egress { get; init; }

    /// <summary>Deliveries to other routers.</summary>
    public long Transit { get; init; }

    /// <summary>Deliveries to the node itself: its broker, its management.</summary>
    public long ToContainer { get; init; }

    /// <summary>Deliveries from the node itself.</summary>
    public long FromContainer { get; init; }

    /// <summary>Deliveries to the fallback destination.</summary>
    public long ToFallback { get; init; }
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
