using Pillarbox.Broker.Addresses;
using Pillarbox.Model;

namespace Pillarbox.ConsoleApi;

/// <summary>A queue, as the API shows it. Counts are messages unless they say bytes.</summary>
public sealed record QueueResource
{
    public required string Name { get; init; }

    public required string Address { get; init; }

    public required RoutingType RoutingType { get; init; }

    public required bool Durable { get; init; }

    public bool Temporary { get; init; }

    public bool AutoCreated { get; init; }

    public bool Paused { get; init; }

    public string? Filter { get; init; }

    /// <summary>The client whose own messages it does not take (a subscription's no-local); null: it takes all.
    /// </summary>
    public string? NotFrom { get; init; }

    /// <summary>The stream that it reads; null: none.</summary>
    public string? Stream { get; init; }

    /// <summary>How far it has read, by partition; null without a stream.</summary>
    public IReadOnlyList<QueueProgressResource>? Progress { get; init; }

    public int ConsumersMax { get; init; } = -1;

    public bool NonDestructive { get; init; }

    public string? Owner { get; init; }

    public long MessageCount { get; init; }

    public long MessageBytes { get; init; }

    public long ReadyCount { get; init; }

    public long InFlightCount { get; init; }

    public long DelayedCount { get; init; }

    public int ConsumerCount { get; init; }

    public long EnqueuedTotal { get; init; }

    public long AcknowledgedTotal { get; init; }

    public long ExpiredTotal { get; init; }

    public long DeadLetteredTotal { get; init; }

    /// <summary>How long the oldest message has been here, in milliseconds; null: the queue is empty.</summary>
    public long? OldestAgeMs { get; init; }
}

/// <summary>What a queue is made with.</summary>
public sealed record QueueCreation
{
    /// <summary>The address; absent: the queue's own name.</summary>
    public string? Address { get; init; }

    public RoutingType? RoutingType { get; init; }

    public bool? Durable { get; init; }

    public string? Filter { get; init; }

    /// <summary>The stream to read instead of an address; made when it is missing.</summary>
    public string? Stream { get; init; }

    /// <summary>With a stream: <c>next</c> (the default), <c>first</c>, <c>last</c>, an offset or a time.</summary>
    public string? From { get; init; }

    public int? ConsumersMax { get; init; }

    public bool? NonDestructive { get; init; }
}

/// <summary>How far a queue has read one partition of its stream.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Mark">All records below this offset are settled.</param>
/// <param name="SettledAbove">Settled records above it.</param>
/// <param name="End">The end of the partition.</param>
/// <param name="Backlog">Records that are not settled.</param>
public sealed record QueueProgressResource(int Partition, long Mark, long SettledAbove, long End, long Backlog);

/// <summary>Where a queue is to go on in its stream: exactly one of the first three.</summary>
public sealed record QueueRewind
{
    /// <summary><c>first</c>, <c>last</c> or <c>next</c>.</summary>
    public string? To { get; init; }

    public long? ToOffset { get; init; }

    public DateTimeOffset? ToTime { get; init; }

    /// <summary>Only this partition; absent: all.</summary>
    public int? Partition { get; init; }
}

/// <summary>How many messages an operation touched.</summary>
public sealed record MessagesTouched(long Messages);

/// <summary>One message, as a browser shows it.</summary>
public sealed record MessageResource
{
    public required long Id { get; init; }

    public required string State { get; init; }

    public bool Durable { get; init; }

    public int Priority { get; init; }

    public DateTimeOffset PublishedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public int DeliveryCount { get; init; }

    /// <summary>Bytes of the whole payload.</summary>
    public long PayloadBytes { get; init; }

    /// <summary>The first bytes of the payload as it came.</summary>
    public byte[] PayloadHead { get; init; } = [];

    public string? Body { get; init; }

    public string? ContentType { get; init; }

    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}

/// <summary>An address.</summary>
public sealed record AddressResource
{
    public required string Name { get; init; }

    public required IReadOnlyList<RoutingType> RoutingTypes { get; init; }

    public required IReadOnlyList<string> Queues { get; init; }

    public bool Paused { get; init; }

    public bool Blocked { get; init; }

    public long RoutedTotal { get; init; }

    public long UnroutedTotal { get; init; }

    public AddressSettings? Settings { get; init; }
}

/// <summary>A connection.</summary>
public sealed record ConnectionResource
{
    public required string Id { get; init; }

    public required string Protocol { get; init; }

    public required string ClientId { get; init; }

    public required string User { get; init; }

    public required string RemoteEndPoint { get; init; }

    public int Consumers { get; init; }

    public int Producers { get; init; }

    public DateTimeOffset Since { get; init; }
}

/// <summary>A branch of a distributed transaction that is on disk.</summary>
public sealed record TransactionResource
{
    public required string Xid { get; init; }

    /// <summary>prepared, ending, heuristicCommit or heuristicRollback.</summary>
    public required string State { get; init; }

    public required string AddressSpace { get; init; }

    public required string User { get; init; }

    public required string ClientId { get; init; }

    /// <summary>When it began, or was ended by an operator.</summary>
    public DateTimeOffset Since { get; init; }

    public int Messages { get; init; }

    public int Acknowledgements { get; init; }
}

/// <summary>A consumer.</summary>
public sealed record ConsumerResource
{
    public required string ConnectionId { get; init; }

    public required string Queue { get; init; }

    public required string Name { get; init; }

    public string? Selector { get; init; }

    public bool Browse { get; init; }

    public int Priority { get; init; }

    public long Credit { get; init; }

    public long InFlight { get; init; }

    public long DeliveredTotal { get; init; }
}

/// <summary>The node.</summary>
public sealed record NodeResourceView
{
    public required string Version { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required string State { get; init; }

    public int Connections { get; init; }

    public int Queues { get; init; }

    public int Addresses { get; init; }

    public long Messages { get; init; }

    public long JournalBytes { get; init; }

    public int JournalSegments { get; init; }

    public bool DiskFull { get; init; }

    public bool StorageFailed { get; init; }

    public long DamagedRecords { get; init; }

    public long QuarantineBytes { get; init; }

    public long QuarantineDroppedTotal { get; init; }

    public long PublishedTotal { get; init; }

    public long DeliveredTotal { get; init; }

    public long AcknowledgedTotal { get; init; }
}
