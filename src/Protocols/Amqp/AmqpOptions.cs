namespace Pillarbox.Protocols.Amqp;

/// <summary>The named limits of the AMQP 1.0 server engine, with their defaults. Immutable.</summary>
public sealed record AmqpOptions
{
    /// <summary>The container id that the node gives in open.</summary>
    public string ContainerId { get; init; } = "pillarbox";

    /// <summary>The version that the node gives in open's properties.</summary>
    public string Version { get; init; } = typeof(AmqpOptions).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>Whether clients without a login are let in (SASL ANONYMOUS, or no SASL at all).</summary>
    public bool AllowAnonymous { get; init; } = true;

    /// <summary>Whether PLAIN is offered without TLS to peers on other machines.</summary>
    public bool AllowPlainWithoutTls { get; init; }

    /// <summary>Development mode: a peer on this machine may log in under any name with any password.</summary>
    public bool AllowAnyPassword { get; init; }

    /// <summary>Address spaces that open's hostname may select; any other hostname means <c>default</c>.</summary>
    public IReadOnlyCollection<string> AddressSpaces { get; init; } = ["default"];

    /// <summary>Prefixes that make an address anycast; they are cut off.</summary>
    public IReadOnlyList<string> AnycastPrefixes { get; init; } = ["queue://", "queue/"];

    /// <summary>Prefixes that make an address multicast; they are cut off.</summary>
    public IReadOnlyList<string> MulticastPrefixes { get; init; } = ["topic://", "topic/"];

    /// <summary>The largest frame taken from a peer, at least 512.</summary>
    public int MaxFrameBytes { get; init; } = 131072;

    /// <summary>The highest channel number (sessions per connection - 1).</summary>
    public ushort ChannelMax { get; init; } = 255;

    /// <summary>The same between nodes of a network, where each stream (such as a TCP connection of a service) has a
    /// session of its own; the larger of both counts.</summary>
    public ushort NodeChannelMax { get; init; } = 8191;

    public ushort ChannelMaxOf(ConnectionRole role) =>
        role == ConnectionRole.InterRouter ? Math.Max(ChannelMax, NodeChannelMax) : ChannelMax;

    /// <summary>The highest handle (links per session - 1).</summary>
    public uint HandleMax { get; init; } = 1023;

    /// <summary>
    /// How long a peer may be silent before it is taken for dead; half of it is what open asks for. 0 = for ever.
    /// </summary>
    public int IdleTimeoutMs { get; init; } = 60_000;

    /// <summary>The same between nodes of a network, where more depends on it; the smaller of both counts.</summary>
    public int NodeIdleTimeoutMs { get; init; } = 16_000;

    public int IdleTimeoutMsOf(ConnectionRole role) => role is ConnectionRole.InterRouter or ConnectionRole.Edge
        ? Math.Min(IdleTimeoutMs, NodeIdleTimeoutMs) : IdleTimeoutMs;

    /// <summary>How long a peer has from the connect to its open.</summary>
    public int HandshakeTimeoutMs { get; init; } = 10_000;

    /// <summary>How long the node waits for the answer to its own close.</summary>
    public int CloseTimeoutMs { get; init; } = 5_000;

    /// <summary>How long a peer that has been told its last words may be silent, and not close, before the node closes.
    /// 0: not at all.</summary>
    public int LingerMs { get; init; } = 500;

    /// <summary>Bytes that are taken from it meanwhile, and thrown away.</summary>
    public long LingerBytesMax { get; init; } = 16 << 20;

    /// <summary>Most bytes that a peer may send before its open.</summary>
    public int PreAuthBytesMax { get; init; } = 16 << 10;

    /// <summary>Transfer frames that a peer may send per session before the node opens the window again.</summary>
    public uint IncomingWindow { get; init; } = 2048;

    /// <summary>The outgoing window that the node names; a hint to the peer.</summary>
    public uint OutgoingWindow { get; init; } = 2048;

    /// <summary>The largest message taken, in bytes.</summary>
    public long MaxMessageBytes { get; init; } = 16L << 30;

    /// <summary>
    /// Bytes of a message that comes in several frames that are kept in memory; above it streams to disk.
    /// </summary>
    public int AssembleBytesMax { get; init; } = 256 << 10;

    /// <summary>Most messages that the broker hands to one sending link ahead of what was written.</summary>
    public int LinkPrefetchMax { get; init; } = 1000;

    /// <summary>Most unsettled deliveries of one session towards the peer; beyond, no transfers are sent.</summary>
    public int UnsettledMax { get; init; } = 65_536;

    /// <summary>Bytes written to the output per pass before it is flushed.</summary>
    public int OutputBytesPerPass { get; init; } = 256 << 10;

    /// <summary>
    /// Bytes of answers that may wait for a peer that does not read; beyond, its input is not read either.
    /// </summary>
    public int OutputBytesMax { get; init; } = 1 << 20;

    /// <summary>Transactions that one connection may have open.</summary>
    public int TransactionsMax { get; init; } = 1024;

    /// <summary>Accepted deliveries that are remembered of a link that can be resumed.</summary>
    public int RememberedDeliveriesMax { get; init; } = 2048;

    /// <summary>Links that can be resumed, attached or not; beyond, those that ended first are forgotten.</summary>
    public int SuspendedLinksMax { get; init; } = 1024;

    /// <summary>How long a link that was detached without being closed can be resumed.</summary>
    public int SuspendedLinkTimeoutMs { get; init; } = 600_000;

    /// <summary>Longest text kept of an error that a peer gives as a reason.</summary>
    public int ReasonCharsMax { get; init; } = 1024;
}
