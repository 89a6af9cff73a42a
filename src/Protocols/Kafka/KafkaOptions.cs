namespace Pillarbox.Protocols.Kafka;

/// <summary>The named limits of the Kafka protocol's server engine, with their defaults. Immutable.</summary>
public sealed record KafkaOptions
{
    /// <summary>The id under which the node names itself in metadata.</summary>
    public int NodeId { get; init; } = 1;

    /// <summary>The id of the cluster of this one node.</summary>
    public string ClusterId { get; init; } = "pillarbox";

    /// <summary>
    /// <c>host:port</c> that clients are told to connect to; null: the address that they are connected to already.
    /// </summary>
    public string? Advertised { get; init; }

    /// <summary>The address space of clients whose user belongs to none.</summary>
    public string AddressSpace { get; init; } = "default";

    /// <summary>Whether every client is in <see cref="AddressSpace"/>: who may not enter it cannot log in.</summary>
    public bool IsAddressSpaceFixed { get; init; }

    /// <summary>What clients are told of where the data is.</summary>
    public string DataDirectory { get; init; } = "data";

    /// <summary>Whether clients need not log in.</summary>
    public bool AllowAnonymous { get; init; } = true;

    /// <summary>Whether PLAIN is offered without TLS to peers on other machines.</summary>
    public bool AllowPlainWithoutTls { get; init; }

    /// <summary>Development mode: a peer on this machine may log in under any name with any password.</summary>
    public bool AllowAnyPassword { get; init; }

    /// <summary>The largest Produce request taken, in bytes.</summary>
    public int ProduceBytesMax { get; init; } = 100 << 20;

    /// <summary>The largest other request taken, in bytes.</summary>
    public int RequestBytesMax { get; init; } = 8 << 20;

    /// <summary>The largest request taken from a peer that has not logged in but must, in bytes.</summary>
    public int PreAuthBytesMax { get; init; } = 16 << 10;

    /// <summary>How long a peer that must log in has to do so, in milliseconds.</summary>
    public int HandshakeTimeoutMs { get; init; } = 10_000;

    /// <summary>How long a login with SASL is good, in milliseconds: the client must log in again on the same
    /// connection (KIP-368). 0: as long as what it logged in with.</summary>
    public long SessionLifetimeMs { get; init; }

    /// <summary>How long a connection may be silent, in milliseconds; 0 = for ever.</summary>
    public int IdleTimeoutMs { get; init; } = 600_000;

    /// <summary>Requests of one connection that may wait for their answers; beyond, no more are read.</summary>
    public int PipelineMax { get; init; } = 256;

    /// <summary>Bytes of records that waiting answers of one connection may hold in memory; beyond, no more requests
    /// are begun. One answer may hold <see cref="FetchBytesMax"/>.</summary>
    public long AnswerBytesMax { get; init; } = 16 << 20;

    /// <summary>Bytes of requests of one connection that may wait for their answers; beyond, no more are read. One that
    /// is larger is answered alone.</summary>
    public int PipelineBytesMax { get; init; } = 32 << 20;

    /// <summary>Bytes of records that one Fetch answers at most, whatever it asks for.</summary>
    public int FetchBytesMax { get; init; } = 55 << 20;

    /// <summary>The longest that a Fetch waits for records, in milliseconds, whatever it asks for.</summary>
    public int FetchWaitMsMax { get; init; } = 60_000;

    /// <summary>Partitions that a topic gets when a client's request for its metadata makes it.</summary>
    public int AutoCreatePartitions { get; init; } = 1;

    /// <summary>Whether topics are made when a client that allows it asks for their metadata.</summary>
    public bool AutoCreateTopics { get; init; } = true;

    /// <summary>Bytes written to the output before it is flushed.</summary>
    public int OutputBytesPerFlush { get; init; } = 256 << 10;
}
