namespace Pillarbox.Protocols.OpenWire;

/// <summary>The named limits of the OpenWire engine, with their defaults. Immutable.</summary>
public sealed record OpenWireOptions
{
    /// <summary>The name that the node gives as broker.</summary>
    public string BrokerName { get; init; } = "pillarbox";

    /// <summary>The version that the node gives in WireFormatInfo.</summary>
    public string Version { get; init; } = typeof(OpenWireOptions).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>Whether clients without a login are let in.</summary>
    public bool AllowAnonymous { get; init; } = true;

    /// <summary>Whether passwords are taken without TLS from peers on other machines.</summary>
    public bool AllowPlainWithoutTls { get; init; }

    /// <summary>Development mode: a peer on this machine may log in under any name with any password.</summary>
    public bool AllowAnyPassword { get; init; }

    /// <summary>Address spaces that WireFormatInfo's host may select; any other host means <c>default</c>.</summary>
    public IReadOnlyCollection<string> AddressSpaces { get; init; } = ["default"];

    /// <summary>Where clients find the nodes, as <c>tcp://host:port</c>; told to clients that ask for it.</summary>
    public IReadOnlyList<string> NodeUris { get; init; } = [];

    /// <summary>The largest command taken from a peer, in bytes.</summary>
    public int FrameBytesMax { get; init; } = 100 << 20;

    /// <summary>The largest command taken before the login, in bytes.</summary>
    public int PreAuthFrameBytesMax { get; init; } = 16 << 10;

    /// <summary>
    /// How long a peer may be silent before it is taken for dead; the smaller of both sides counts. 0: for ever.
    /// </summary>
    public int InactivityMs { get; init; } = 30_000;

    /// <summary>How long a peer has from the connect to its login.</summary>
    public int HandshakeTimeoutMs { get; init; } = 10_000;

    /// <summary>How long the node's last words may take to go out.</summary>
    public int CloseTimeoutMs { get; init; } = 5_000;

    /// <summary>How long a peer that has been told its last words may be silent, and not close, before the node closes.
    /// 0: not at all.</summary>
    public int LingerMs { get; init; } = 500;

    /// <summary>Bytes that are taken from it meanwhile, and thrown away.</summary>
    public long LingerBytesMax { get; init; } = 16 << 20;

    /// <summary>Sessions of one connection.</summary>
    public int SessionsMax { get; init; } = 4096;

    /// <summary>Consumers of one connection.</summary>
    public int ConsumersMax { get; init; } = 4096;

    /// <summary>Producers of one connection.</summary>
    public int ProducersMax { get; init; } = 4096;

    /// <summary>Temporary destinations of one connection.</summary>
    public int TemporariesMax { get; init; } = 4096;

    /// <summary>Transactions that one connection may have open.</summary>
    public int TransactionsMax { get; init; } = 1024;

    /// <summary>Destinations in one composite name.</summary>
    public int CompositeMax { get; init; } = 64;

    /// <summary>Queues that one consumer on a wildcard takes from.</summary>
    public int WildcardQueuesMax { get; init; } = 4096;

    /// <summary>Most messages that the broker hands to one consumer ahead of what was written.</summary>
    public int ConsumerAheadMax { get; init; } = 1000;

    /// <summary>Most unacknowledged messages of one consumer, whatever prefetch it asks for.</summary>
    public int UnacknowledgedMax { get; init; } = 65_536;

    /// <summary>Bytes of deliveries written to the output per pass before it is flushed.</summary>
    public int OutputBytesPerPass { get; init; } = 256 << 10;

    /// <summary>
    /// Bytes of answers that may wait for a peer that does not read; beyond, its input is not read either.
    /// </summary>
    public int OutputBytesMax { get; init; } = 1 << 20;

    /// <summary>Messages above this are written through to a file of their own, in bytes.</summary>
    public int LargeMessageBytesMin { get; init; } = 256 << 10;

    /// <summary>Longest text kept of an error that a peer gives as a reason.</summary>
    public int ReasonCharsMax { get; init; } = 1024;
}
