namespace Pillarbox.Protocols.Mqtt;

/// <summary>The named limits of the MQTT server engine, with their defaults. Immutable.</summary>
public sealed record MqttOptions
{
    /// <summary>Whether clients without a user name are let in.</summary>
    public bool AllowAnonymous { get; init; } = true;

    /// <summary>Whether passwords are taken without TLS from peers on other machines.</summary>
    public bool AllowPlainWithoutTls { get; init; }

    /// <summary>Development mode: a peer on this machine may log in under any name with any password.</summary>
    public bool AllowAnyPassword { get; init; }

    /// <summary>The largest packet taken, in bytes; told to clients of 5.0.</summary>
    public int PacketBytesMax { get; init; } = 16 << 20;

    /// <summary>The largest packet taken before the login, in bytes.</summary>
    public int PreAuthPacketBytesMax { get; init; } = 128 << 10;

    /// <summary>How long a peer has from the connect to the end of its login.</summary>
    public int HandshakeTimeoutMs { get; init; } = 10_000;

    /// <summary>How long a peer has to take the node's last words.</summary>
    public int CloseTimeoutMs { get; init; } = 5_000;

    /// <summary>How long a peer that has been told its last words may be silent, and not close, before the node closes.
    /// 0: not at all.</summary>
    public int LingerMs { get; init; } = 500;

    /// <summary>Bytes that are taken from it meanwhile, and thrown away.</summary>
    public long LingerBytesMax { get; init; } = 16 << 20;

    /// <summary>Most seconds of keep alive; a client that asks for more, or for none, gets these. 0 = as the client
    /// says.</summary>
    public int KeepAliveSecondsMax { get; init; } = 3600;

    /// <summary>Most seconds that a session outlives its connection; <see cref="uint.MaxValue"/> = for ever.</summary>
    public uint SessionExpirySecondsMax { get; init; } = uint.MaxValue;

    /// <summary>PUBLISH packets of QoS 1 and 2 that a client may send without an answer; told to clients of
    /// 5.0.</summary>
    public ushort ReceiveMaximum { get; init; } = 1024;

    /// <summary>PUBLISH packets of QoS 1 and 2 sent to a client without an answer, however many it takes.</summary>
    public ushort InFlightMax { get; init; } = 1024;

    /// <summary>The highest packet identifier that the node uses; lower in tests, where identifiers shall come again
    /// soon.</summary>
    internal ushort PacketIdMax { get; init; } = ushort.MaxValue;

    /// <summary>Topic aliases that a client may set; told to clients of 5.0.</summary>
    public ushort TopicAliasMaximum { get; init; } = 64;

    /// <summary>Topic aliases that the node sets, however many the client takes.</summary>
    public ushort TopicAliasesSentMax { get; init; } = 64;

    /// <summary>Messages handed to a connection ahead of its writing.</summary>
    public int PrefetchMax { get; init; } = 512;

    /// <summary>The same from a shared subscription, whose other members may be waiting.</summary>
    public int SharedPrefetchMax { get; init; } = 32;

    /// <summary>Messages waiting in a session beyond which those of QoS 0 are dropped, and counted.</summary>
    public int WaitingMessagesMax { get; init; } = 10_000;

    /// <summary>Subscriptions of one session.</summary>
    public int SubscriptionsMax { get; init; } = 20_000;

    /// <summary>Streams that one session, or the members of one shared subscription, read; of what else matches they
    /// get what is published to the node.</summary>
    public int StreamSubscriptionsMax { get; init; } = 256;

    /// <summary>Topics whose addresses a connection remembers.</summary>
    public int KnownTopicsMax { get; init; } = 256;

    /// <summary>Longest client identifier, in UTF-16 units.</summary>
    public int ClientIdCharsMax { get; init; } = 512;

    /// <summary>Messages longer than this go to a file of their own.</summary>
    public int LargeMessageBytesMin { get; init; } = 256 << 10;

    /// <summary>Retained messages of an address space.</summary>
    public int RetainedMessagesMax { get; init; } = 1_000_000;

    /// <summary>Bytes of memory that they take, roughly.</summary>
    public long RetainedBytesMax { get; init; } = 256L << 20;

    /// <summary>The stream in which the last message of each topic is kept too, made with compaction if it is not
    /// there; null: none.</summary>
    public string? RetainedStream { get; init; }

    /// <summary>Steps through the topics of retained messages that a connection takes before it does other
    /// things.</summary>
    public int RetainedStepsPerPass { get; init; } = 10_000;

    /// <summary>Wills whose delay runs; beyond, one is published at once.</summary>
    public int DelayedWillsMax { get; init; } = 100_000;

    /// <summary>How often the topics below <c>$SYS</c> are published, in milliseconds; 0 = never.</summary>
    public int SystemTopicsIntervalMs { get; init; } = 10_000;

    /// <summary>What clients that ask for it are told to begin response topics with; the client identifier
    /// follows.</summary>
    public string ResponseTopicPrefix { get; init; } = "response/";

    /// <summary>Another server that clients are sent to instead; null: they stay.</summary>
    public string? ServerReference { get; init; }

    /// <summary>Bytes written to the output per pass before it is flushed.</summary>
    public int OutputBytesPerPass { get; init; } = 256 << 10;

    /// <summary>Bytes of answers that may wait for a peer that does not read; beyond, its input is not read
    /// either.</summary>
    public int OutputBytesMax { get; init; } = 1 << 20;
}
