namespace Pillarbox.Router.LinkState;

/// <summary>Who this router is, and its timers (defaults as the protocol's peers have them).</summary>
public sealed record RouterOptions
{
    /// <summary>The router's id: 1 to <see cref="RouterLimits.IdBytesMax"/> bytes, unique in its network.</summary>
    public required string Id { get; init; }

    /// <summary>
    /// When this router started, in seconds since the Unix epoch. Others tell by another number that it restarted.
    /// </summary>
    public required long Instance { get; init; }

    /// <summary>Between two HELLOs.</summary>
    public int HelloIntervalMs { get; init; } = 1000;

    /// <summary>A neighbour of whom nothing is heard for so long is none any more.</summary>
    public int HelloMaxAgeMs { get; init; } = 3000;

    /// <summary>Between two advertisements while nothing changes.</summary>
    public int RaIntervalMs { get; init; } = 30_000;

    /// <summary>The same until twice this time after a change of topology.</summary>
    public int RaIntervalFluxMs { get; init; } = 4000;

    /// <summary>The link state of a router that advertises nothing for so long is forgotten.</summary>
    public int RemoteLsMaxAgeMs { get; init; } = 60_000;

    /// <summary>At most one update of addresses is sent in this time.</summary>
    public int MobileIntervalMs { get; init; } = 1000;

    /// <summary>So long addresses are gathered before the first update after a quiet time.</summary>
    public int MobileGatherMs { get; init; } = 50;
}
