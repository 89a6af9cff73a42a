using System.ComponentModel;

namespace Pillarbox.Hosting.Configuration;

/// <summary>What the operator sets of single protocols.</summary>
public sealed record ProtocolsConfig
{
    /// <summary>MQTT.</summary>
    [Description("MQTT.")]
    public MqttConfig Mqtt { get; init; } = new();

    /// <summary>STOMP.</summary>
    [Description("STOMP.")]
    public StompConfig Stomp { get; init; } = new();

    /// <summary>OpenWire.</summary>
    [Description("OpenWire, the protocol of ActiveMQ's clients.")]
    public OpenWireConfig OpenWire { get; init; } = new();
}

/// <summary>What the operator sets of MQTT.</summary>
public sealed record MqttConfig
{
    /// <summary>Largest packet that is taken, in bytes; clients of 5.0 are told.</summary>
    [Description("Largest packet that is taken, in bytes; clients of 5.0 are told.")]
    public int PacketBytesMax { get; init; } = 16 << 20;

    /// <summary>
    /// Most seconds of keep alive: a client that asks for more, or for none, gets these; 0: as the client says.
    /// </summary>
    [Description(
        "Most seconds of keep alive: a client that asks for more, or for none, gets these; 0: as the "
        + "client says.")]
    public int KeepAliveSecondsMax { get; init; } = 3600;

    /// <summary>Most seconds that a session outlives its connection; 4294967295: for ever.</summary>
    [Description("Most seconds that a session outlives its connection; 4294967295: for ever.")]
    public long SessionExpirySecondsMax { get; init; } = uint.MaxValue;

    /// <summary>Messages of QoS 1 and 2 that a client may send without an answer.</summary>
    [Description("Messages of QoS 1 and 2 that a client may send without an answer.")]
    public int ReceiveMaximum { get; init; } = 1024;

    /// <summary>Messages of QoS 1 and 2 that are sent to a client without an answer.</summary>
    [Description("Messages of QoS 1 and 2 that are sent to a client without an answer.")]
    public int InFlightMax { get; init; } = 1024;

    /// <summary>Topic aliases that a client may set.</summary>
    [Description("Topic aliases that a client may set.")]
    public int TopicAliasMaximum { get; init; } = 64;

    /// <summary>Messages that wait for a client beyond which those of QoS 0 are dropped.</summary>
    [Description("Messages that wait for a client beyond which those of QoS 0 are dropped.")]
    public int WaitingMessagesMax { get; init; } = 10_000;

    /// <summary>Subscriptions of one session.</summary>
    [Description("Subscriptions of one session.")]
    public int SubscriptionsMax { get; init; } = 20_000;

    /// <summary>Streams that one session, or one shared subscription, reads.</summary>
    [Description("Streams that one session, or one shared subscription, reads.")]
    public int StreamSubscriptionsMax { get; init; } = 256;

    /// <summary>Retained messages of an address space.</summary>
    [Description("Retained messages of an address space.")]
    public int RetainedMessagesMax { get; init; } = 1_000_000;

    /// <summary>Bytes of memory that retained messages take, roughly.</summary>
    [Description("Bytes of memory that retained messages take, roughly.")]
    public long RetainedBytesMax { get; init; } = 256L << 20;

    /// <summary>A stream that holds the last message of each topic too, made with compaction if it is not there; none:
    /// there is no such stream.</summary>
    [Description("A stream that holds the last message of each topic too, made with compaction if it is not there; "
        + "none: there is no such stream.")]
    public string? RetainedStream { get; init; }

    /// <summary>Wills whose delay runs; beyond, one is published at once.</summary>
    [Description("Wills whose delay runs; beyond, one is published at once.")]
    public int DelayedWillsMax { get; init; } = 100_000;

    /// <summary>How often the topics below $SYS are published, in milliseconds; 0: never.</summary>
    [Description("How often the topics below $SYS are published, in milliseconds; 0: never.")]
    public int SystemTopicsIntervalMs { get; init; } = 10_000;

    /// <summary>Another server that clients of 5.0 are sent to instead; none: they stay.</summary>
    [Description("Another server (HOST:PORT) that clients of 5.0 are sent to instead; none: they stay.")]
    public string? ServerReference { get; init; }
}

/// <summary>What the operator sets of STOMP.</summary>
public sealed record StompConfig
{
    /// <summary>Largest head of a frame, in bytes.</summary>
    [Description("Largest head of a frame, in bytes.")]
    public int HeadBytesMax { get; init; } = 32 << 10;

    /// <summary>Headers of one frame.</summary>
    [Description("Headers of one frame.")]
    public int HeadersMax { get; init; } = 256;

    /// <summary>Largest body, in bytes.</summary>
    [Description("Largest body, in bytes.")]
    public long BodyBytesMax { get; init; } = 16L << 30;

    /// <summary>Heart-beat that the node offers and asks for, in milliseconds; 0: none.</summary>
    [Description("Heart-beat that the node offers and asks for, in milliseconds; 0: none.")]
    public int HeartbeatMs { get; init; } = 30_000;

    /// <summary>Subscriptions of one connection.</summary>
    [Description("Subscriptions of one connection.")]
    public int SubscriptionsMax { get; init; } = 1024;

    /// <summary>Transactions that one connection may have open.</summary>
    [Description("Transactions that one connection may have open.")]
    public int TransactionsMax { get; init; } = 1024;

    /// <summary>Messages of a subscription that are under way, unless it asks for another number.</summary>
    [Description("Messages of a subscription that are under way, unless it asks for another number.")]
    public int WindowMessages { get; init; } = 1000;
}

/// <summary>What the operator sets of OpenWire.</summary>
public sealed record OpenWireConfig
{
    /// <summary>Largest command that is taken, in bytes.</summary>
    [Description("Largest command that is taken, in bytes.")]
    public int FrameBytesMax { get; init; } = 100 << 20;

    /// <summary>
    /// Silence after which a peer is taken for dead, in milliseconds; the smaller of both sides counts; 0:
    /// never.
    /// </summary>
    [Description(
        "Silence after which a peer is taken for dead, in milliseconds; the smaller of both sides "
        + "counts; 0: never.")]
    public int InactivityMs { get; init; } = 30_000;

    /// <summary>Sessions of one connection.</summary>
    [Description("Sessions of one connection.")]
    public int SessionsMax { get; init; } = 4096;

    /// <summary>Consumers of one connection.</summary>
    [Description("Consumers of one connection.")]
    public int ConsumersMax { get; init; } = 4096;

    /// <summary>Producers of one connection.</summary>
    [Description("Producers of one connection.")]
    public int ProducersMax { get; init; } = 4096;

    /// <summary>Queues that one consumer on a wildcard takes from.</summary>
    [Description("Queues that one consumer on a wildcard takes from.")]
    public int WildcardQueuesMax { get; init; } = 4096;

    /// <summary>Unacknowledged messages of one consumer, whatever prefetch it asks for.</summary>
    [Description("Unacknowledged messages of one consumer, whatever prefetch it asks for.")]
    public int UnacknowledgedMax { get; init; } = 65_536;
}
