namespace Pillarbox.Protocols.Stomp;

/// <summary>The named limits of the STOMP engine, with their defaults. Immutable.</summary>
public sealed record StompOptions
{
    /// <summary>What the node calls itself in <c>server</c>.</summary>
    public string Server { get; init; } =
        "pillarbox/" + (typeof(StompOptions).Assembly.GetName().Version?.ToString(3) ?? "0");

    /// <summary>Whether clients without a login are let in.</summary>
    public bool AllowAnonymous { get; init; } = true;

    /// <summary>Whether passwords are taken without TLS from peers on other machines.</summary>
    public bool AllowPlainWithoutTls { get; init; }

    /// <summary>Development mode: a peer on this machine may log in under any name with any password.</summary>
    public bool AllowAnyPassword { get; init; }

    /// <summary>Address spaces that <c>host</c> may select; any other host means the user's own.</summary>
    public IReadOnlyCollection<string> AddressSpaces { get; init; } = ["default"];

    /// <summary>Prefixes that make a destination a queue; they are cut off.</summary>
    public IReadOnlyList<string> AnycastPrefixes { get; init; } = ["/queue/", "queue://", "queue/"];

    /// <summary>Prefixes that make a destination a topic; they are cut off.</summary>
    public IReadOnlyList<string> MulticastPrefixes { get; init; } = ["/topic/", "topic://", "topic/"];

    /// <summary>Prefixes of queues and topics that live as long as the connection.</summary>
    public IReadOnlyList<string> TemporaryPrefixes { get; init; } =
        ["/temp-queue/", "temp-queue://", "/temp-topic/", "temp-topic://"];

    /// <summary>How long a peer has from the connect to its CONNECT frame.</summary>
    public int HandshakeTimeoutMs { get; init; } = 10_000;

    /// <summary>How long the node waits for a peer to take its last frame.</summary>
    public int CloseTimeoutMs { get; init; } = 5_000;

    /// <summary>How long a peer that has been told its last words may be silent, and not close, before the node closes.
    /// 0: not at all.</summary>
    public int LingerMs { get; init; } = 500;

    /// <summary>Bytes that are taken from it meanwhile, and thrown away.</summary>
    public long LingerBytesMax { get; init; } = 16 << 20;

    /// <summary>The most often that the node sends heart-beats, and wants them, in milliseconds between two.</summary>
    public int HeartbeatMsMin { get; init; } = 500;

    /// <summary>The most seldom that the node offers and asks for heart-beats, in milliseconds; 0: never.</summary>
    public int HeartbeatMs { get; init; } = 30_000;

    /// <summary>A peer is gone when nothing was heard for its heart-beat times this.</summary>
    public int HeartbeatGraceFactor { get; init; } = 2;

    /// <summary>Most bytes of a frame's command and headers.</summary>
    public int HeadBytesMax { get; init; } = 32 << 10;

    /// <summary>Most headers of a frame.</summary>
    public int HeadersMax { get; init; } = 256;

    /// <summary>Most bytes of a CONNECT frame: a peer that has not logged in holds no more.</summary>
    public int ConnectBytesMax { get; init; } = 8 << 10;

    /// <summary>Bytes of a body that are kept in memory; a larger one streams to disk.</summary>
    public int AssembleBytesMax { get; init; } = 256 << 10;

    /// <summary>The largest body taken, in bytes.</summary>
    public long BodyBytesMax { get; init; } = 16L << 30;

    /// <summary>Most subscriptions of one connection.</summary>
    public int SubscriptionsMax { get; init; } = 1024;

    /// <summary>Destinations that one connection sends to at a time; beyond, the one unused longest is forgotten.
    /// </summary>
    public int ProducersMax { get; init; } = 256;

    /// <summary>Destinations in one list that a message is sent to.</summary>
    public int CompositeMax { get; init; } = 64;

    /// <summary>Transactions that one connection may have open.</summary>
    public int TransactionsMax { get; init; } = 1024;

    /// <summary>Temporary destinations of one connection.</summary>
    public int TemporariesMax { get; init; } = 1024;

    /// <summary>Messages of a subscription that are out and neither acknowledged nor, in mode auto, written.</summary>
    public int WindowMessages { get; init; } = 1000;

    /// <summary>The largest window that a client may ask for, in messages.</summary>
    public int WindowMessagesMax { get; init; } = 65_536;

    /// <summary>Receipts that may be due at a time; beyond, the peer's input waits.</summary>
    public int ReceiptsMax { get; init; } = 65_536;

    /// <summary>Bytes written to the output per pass before it is flushed.</summary>
    public int OutputBytesPerPass { get; init; } = 256 << 10;

    /// <summary>Bytes of answers that may wait for a peer that does not read; beyond, its input waits.</summary>
    public int OutputBytesMax { get; init; } = 1 << 20;

    /// <summary>The longest text kept of a reason that a peer gives with a NACK.</summary>
    public int ReasonCharsMax { get; init; } = 1024;
}
