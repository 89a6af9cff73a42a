using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;

namespace Pillarbox.Broker.Management;

/// <summary>A queue's figures at one moment. Counts are messages unless they say bytes.</summary>
public sealed record QueueView(
    string AddressSpace, QueueConfig Config, bool Paused, long MessageCount, long MessageBytes, long ReadyCount,
    long InFlightCount,
    long DelayedCount, int ConsumerCount, long EnqueuedTotal, long AcknowledgedTotal, long ExpiredTotal, long
    DeadLetteredTotal,
    long? OldestPublishedAtMs);

/// <summary>An address's figures at one moment.</summary>
public sealed record AddressView(
    string AddressSpace, string Name, IReadOnlyList<RoutingType> RoutingTypes, IReadOnlyList<string> Queues, bool
    Paused, bool Blocked,
    long RoutedTotal, long UnroutedTotal, AddressSettings Settings);

/// <summary>A connection.</summary>
public sealed record ConnectionView(
    string Id, string AddressSpace, string Protocol, string ClientId, string User, string RemoteEndPoint, int
    Consumers, int Producers, long SinceMs);

/// <summary>A consumer.</summary>
public sealed record ConsumerView(
    string ConnectionId, string Queue, string Name, string? Selector, bool Browse, int Priority, long Credit, long
    InFlight, long DeliveredTotal);

/// <summary>One message, as a browser shows it.</summary>
public sealed record MessageView(
    long Id, MessageHeader Header, int DeliveryCount, long BodyBytes, string State, byte[] PayloadHead);

/// <summary>The node.</summary>
public sealed record NodeView(
    string Version, long StartedAtMs, int Connections, int Queues, int Addresses, long Messages, long JournalBytes,
    int JournalSegments,
    bool DiskFull, bool StorageFailed, long DamagedRecords, long PublishedTotal, long DeliveredTotal, long
    AcknowledgedTotal)
{
    /// <summary>Damaged bytes that are kept.</summary>
    public long QuarantineBytes { get; init; }

    /// <summary>Kept entries that went for newer ones, since start.</summary>
    public long QuarantineDroppedTotal { get; init; }
}
