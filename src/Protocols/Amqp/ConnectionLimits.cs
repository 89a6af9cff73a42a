namespace Pillarbox.Protocols.Amqp;

/// <summary>What a listener or a connector wants otherwise than the node for its connections: of limits the narrower
/// one counts. Null: as the node has it. Immutable.</summary>
public sealed record ConnectionLimits
{
    /// <summary>Whether peers must log in.</summary>
    public bool? RequiresLogin { get; init; }

    /// <summary>The SASL mechanisms that may be used, of those that the node has; empty: all.</summary>
    public IReadOnlyList<string> Mechanisms { get; init; } = [];

    /// <summary>The largest frame taken, at least 512 bytes.</summary>
    public int? FrameBytesMax { get; init; }

    /// <summary>Sessions of one connection, at least 1.</summary>
    public int? SessionsMax { get; init; }

    /// <summary>Transfer frames that a peer may send per session before it hears of more room, at least 1.</summary>
    public int? SessionFramesMax { get; init; }

    /// <summary>How long a peer may be silent, in milliseconds; 0: for ever. It counts as it is.</summary>
    public int? IdleTimeoutMs { get; init; }

    /// <summary>How long a peer has from the connect to its open, in milliseconds.</summary>
    public int? HandshakeTimeoutMs { get; init; }

    /// <summary>Deliveries that a link of a router's network may have on their way, at least 1.</summary>
    public int? LinkCapacity { get; init; }

    /// <summary>Whether clients get the annotations of routers (<c>x-opt-qd.*</c>) with their messages.</summary>
    public bool ShowsRouterNotes { get; init; }

    /// <summary>The node's limits with these.</summary>
    public AmqpOptions Apply(AmqpOptions options) => options with
    {
        AllowAnonymous = RequiresLogin is { } mustLogIn ? !mustLogIn : options.AllowAnonymous,
        MaxFrameBytes = Math.Min(FrameBytesMax ?? int.MaxValue, options.MaxFrameBytes),
        ChannelMax = (ushort)Math.Min((SessionsMax ?? int.MaxValue) - 1, options.ChannelMax),
        NodeChannelMax = (ushort)Math.Min((SessionsMax ?? int.MaxValue) - 1, options.NodeChannelMax),
        IncomingWindow = Math.Min((uint?)SessionFramesMax ?? uint.MaxValue, options.IncomingWindow),
        IdleTimeoutMs = IdleTimeoutMs ?? options.IdleTimeoutMs,
        NodeIdleTimeoutMs = IdleTimeoutMs ?? options.NodeIdleTimeoutMs,
        HandshakeTimeoutMs = Math.Min(HandshakeTimeoutMs ?? int.MaxValue, options.HandshakeTimeoutMs),
    };

    /// <summary>Whether a mechanism may be used.</summary>
    public bool Allows(string mechanism) => Mechanisms.Count == 0 || Mechanisms.Contains(mechanism);
}
