using System.Collections.Immutable;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Management.Views;

/// <summary>What a router shows of itself at one moment. Immutable: any thread may read it.</summary>
public sealed record RouterView
{
    /// <summary>The network as the router sees it.</summary>
    public required RouteSnapshot Routes { get; init; }

    /// <summary>Routers at the edge that are attached here; at an edge the one of the interior that it uses.</summary>
    public IReadOnlyCollection<string> Near { get; init; } = [];

    /// <summary>standalone, interior or edge.</summary>
    public string Mode { get; init; } = "standalone";

    public string Version { get; init; } = "";

    public string HostName { get; init; } = "";

    /// <summary>When the router started, in seconds since the Unix epoch.</summary>
    public long Instance { get; init; }

    public long UptimeSeconds { get; init; }

    public int WorkerThreads { get; init; }

    /// <summary>Bytes resident.</summary>
    public long MemoryUsageBytes { get; init; }

    /// <summary>What to add to the engine's milliseconds to get those since the Unix epoch.</summary>
    public long EngineClockOffsetMs { get; init; }

    public DeliveryCounters Deliveries { get; init; } = new();

    /// <summary>Links whose receiver has given no credit for long.</summary>
    public long LinksBlocked { get; init; }

    public ImmutableArray<ConnectionView> Connections { get; init; } = [];

    public ImmutableArray<LinkView> Links { get; init; } = [];

    public ImmutableArray<AddressView> Addresses { get; init; } = [];

    /// <summary>Everything that was configured, of every type, and its state.</summary>
    public ImmutableArray<ConfiguredEntity> Configured { get; init; } = [];

    /// <summary>The latest lines of the log, oldest first.</summary>
    public ImmutableArray<LogLine> Log { get; init; } = [];

    public string Id => Routes.RouterId;

    /// <summary>How many entities of a type are configured.</summary>
    public int CountOf(string type) => Configured.Count(c => c.Type == type);
}

/// <summary>Deliveries since the start.</summary>
public sealed record DeliveryCounters
{
    public long Presettled { get; init; }

    public long DroppedPresettled { get; init; }

    public long Accepted { get; init; }

    public long Rejected { get; init; }

    public long Released { get; init; }

    public long Modified { get; init; }

    /// <summary>Settled after more than a second.</summary>
    public long Delayed1Sec { get; init; }

    /// <summary>Settled after more than ten seconds.</summary>
    public long Delayed10Sec { get; init; }

    /// <summary>Unsettled for more than ten seconds.</summary>
    public long Stuck { get; init; }

    public long RedirectedToFallback { get; init; }

    /// <summary>Came from a client here.</summary>
    public long Ingress { get; init; }

    /// <summary>Went to a client here.</summary>
    public long Egress { get; init; }

    /// <summary>Went to another router.</summary>
    public long Transit { get; init; }

    public long IngressRouteContainer { get; init; }

    public long EgressRouteContainer { get; init; }
}

/// <summary>One line of the log.</summary>
/// <param name="UnixSeconds">When.</param>
/// <param name="Module">What part of the router, e.g. ROUTER_LS.</param>
/// <param name="Level">E.g. info.</param>
/// <param name="Text">What it says.</param>
public sealed record LogLine(long UnixSeconds, string Module, string Level, string Text);
