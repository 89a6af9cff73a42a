using System.ComponentModel;

namespace Pillarbox.Hosting.Configuration;

/// <summary>The node's limits. Bytes and milliseconds, as the names say.</summary>
public sealed record LimitsConfig
{
    /// <summary>Most connections at once, all listeners together.</summary>
    [Description("Most connections at once, all listeners together.")]
    public int ConnectionsMax { get; init; } = 100_000;

    /// <summary>Bytes of message bodies kept in memory.</summary>
    [Description("Bytes of message bodies kept in memory.")]
    public long CacheBytes { get; init; } = 64L << 20;

    /// <summary>Size of a journal segment file in bytes.</summary>
    [Description("Size of a journal segment file in bytes.")]
    public int SegmentBytes { get; init; } = 64 << 20;

    /// <summary>Bodies above this go to a file of their own.</summary>
    [Description("Bodies above this go to a file of their own.")]
    public int LargeMessageBytesMin { get; init; } = 256 << 10;

    /// <summary>Most bytes of one transaction.</summary>
    [Description("Most bytes of one transaction.")]
    public int TransactionBytesMax { get; init; } = 32 << 20;

    /// <summary>Messages that one producer may have under way.</summary>
    [Description("Messages that one producer may have under way.")]
    public int ProducerCredit { get; init; } = 1000;

    /// <summary>Largest AMQP frame that is taken, in bytes.</summary>
    [Description("Largest AMQP frame that is taken, in bytes.")]
    public int AmqpFrameBytesMax { get; init; } = 128 << 10;

    /// <summary>Silence after which an AMQP connection is closed; 0 = never.</summary>
    [Description("Silence after which an AMQP connection is closed, in milliseconds; 0: never.")]
    public int AmqpIdleTimeoutMs { get; init; } = 60_000;

    /// <summary>Time that a client has to log in.</summary>
    [Description("Time that a client has to log in, in milliseconds.")]
    public int HandshakeTimeoutMs { get; init; } = 10_000;

    /// <summary>Time that a client whose login is refused waits to hear so; 0 = none.</summary>
    [Description("Time that a client whose login is refused waits to hear so, in milliseconds; 0: none.")]
    public int LoginRefusalDelayMs { get; init; } = 100;

    /// <summary>Time that clients have to close when the node stops.</summary>
    [Description("Time that clients have to close when the node stops, in milliseconds.")]
    public int DrainTimeoutMs { get; init; } = 5_000;

    /// <summary>Damaged bytes that are kept for the operator; the oldest go first.</summary>
    [Description("Damaged bytes that are kept for the operator; beyond, the oldest go first.")]
    public long QuarantineBytesMax { get; init; } = 1L << 30;

    /// <summary>Memory for the committed offsets of the groups of one address space.</summary>
    [Description("Bytes of memory that committed offsets of an address space may take, with their metadata.")]
    public long OffsetsBytesMax { get; init; } = 128L << 20;

    /// <summary>How long committed offsets stay that nobody uses.</summary>
    [Description("Time that committed offsets stay when their group is empty, since the last commit or the last "
        + "member, in milliseconds.")]
    public long OffsetRetentionMs { get; init; } = 7L * 24 * 3600 * 1000;

    /// <summary>Time that a branch of a distributed transaction has until it is prepared.</summary>
    [Description("Time that a branch of a distributed transaction (XA) has until it is prepared, in milliseconds.")]
    public int XaTimeoutMs { get; init; } = 300_000;

    /// <summary>Shards that queues are spread over; 0 = one per processor.</summary>
    [Description("Shards that queues are spread over; 0: one per processor.")]
    public int Shards { get; init; }
}
