namespace Pillarbox.Model;

/// <summary>How a queue takes messages from its address: one of the anycast queues gets each message, every multicast
/// queue does.</summary>
public enum RoutingType : byte
{
    /// <summary>One queue of the address receives the message.</summary>
    Anycast = 0,

    /// <summary>Every queue of the address receives the message.</summary>
    Multicast = 1,
}

/// <summary>The encoding of a message's opaque payload: the protocol it arrived by. Written to disk, so values never
/// change.</summary>
public enum PayloadFormat : byte
{
    /// <summary>No payload.</summary>
    None = 0,

    /// <summary>AMQP 1.0 sections from message-annotations on (header and delivery-annotations are not part of
    /// it).</summary>
    Amqp = 1,

    /// <summary>A record of a stream: key, value, headers and time, as Kafka's record format version 2 has
    /// them.</summary>
    KafkaRecord = 2,

    /// <summary>An MQTT application message: properties and payload.</summary>
    Mqtt = 3,

    /// <summary>A STOMP frame's headers and body.</summary>
    Stomp = 4,

    /// <summary>An OpenWire message's properties, type and content.</summary>
    OpenWire = 5,
}

/// <summary>What the broker itself reads of a message. Everything else is the opaque payload.</summary>
public readonly record struct MessageHeader
{
    /// <summary>The priority that a message without one has.</summary>
    public const byte DefaultPriority = 4;

    /// <summary>Makes a header with the defaults: non-durable, priority 4, no expiry.</summary>
    public MessageHeader()
    {
    }

    /// <summary>Whether the message must survive a restart (in durable queues).</summary>
    public bool Durable { get; init; }

    /// <summary>0 (lowest) to 9; larger values are treated as 9.</summary>
    public byte Priority { get; init; } = DefaultPriority;

    /// <summary>When the message expires, in milliseconds since the Unix epoch; 0 = never.</summary>
    public long ExpiresAtMs { get; init; }

    /// <summary>Not before this time is the message delivered, in milliseconds since the Unix epoch; 0 = at
    /// once.</summary>
    public long DeliverAtMs { get; init; }

    /// <summary>When the broker took the message, in milliseconds since the Unix epoch; the broker sets it on
    /// publish.</summary>
    public long PublishedAtMs { get; init; }

    /// <summary>Unsuccessful deliveries before this broker got the message.</summary>
    public uint DeliveryCount { get; init; }

    /// <summary>The group that it is in; none: the default.</summary>
    public MessageGroup Group { get; init; }

    /// <summary>The encoding of the payload.</summary>
    public PayloadFormat Format { get; init; }
}
