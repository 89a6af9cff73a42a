using Pillarbox.Model;

namespace Pillarbox.Broker.Addresses;

/// <summary>
/// Settings for the addresses that match a pattern. Null = not said here: a less specific pattern, then the default,
/// decides.
/// Durations are milliseconds.
/// </summary>
public sealed record AddressSettings
{
    /// <summary>The routing type of addresses made because a client used them. Default anycast (unlike
    /// Artemis).</summary>
    public RoutingType? DefaultRoutingType { get; init; }

    /// <summary>Make queues that clients name. Default true.</summary>
    public bool? AutoCreateQueues { get; init; }

    /// <summary>Make addresses that clients name. Default true.</summary>
    public bool? AutoCreateAddresses { get; init; }

    /// <summary>Delete auto-created queues that are empty and without consumers. Default false for durable queues'
    /// safety.</summary>
    public bool? AutoDeleteQueues { get; init; }

    /// <summary>How long such a queue must stay unused. Default 0.</summary>
    public long? AutoDeleteDelayMs { get; init; }

    /// <summary>Where messages go after too many attempts or a reject; empty string: dropped. Default
    /// <c>DLQ</c>.</summary>
    public string? DeadLetterAddress { get; init; }

    /// <summary>Where expired messages go; empty string: dropped. Default <c>ExpiryQueue</c>.</summary>
    public string? ExpiryAddress { get; init; }

    /// <summary>Expiry for messages that have none; -1 = none. Default -1.</summary>
    public long? ExpiryDelayMs { get; init; }

    /// <summary>Failed attempts before dead-lettering; -1 = for ever. Default 10.</summary>
    public int? MaxDeliveryAttempts { get; init; }

    /// <summary>Wait before the first redelivery. Default 0.</summary>
    public long? RedeliveryDelayMs { get; init; }

    /// <summary>Factor per further attempt. Default 1.0.</summary>
    public double? RedeliveryDelayMultiplier { get; init; }

    /// <summary>Cap of the delay; default 10 x the delay.</summary>
    public long? MaxRedeliveryDelayMs { get; init; }

    /// <summary>Random share of the delay added or taken, 0..1. Default 0.</summary>
    public double? RedeliveryCollisionAvoidance { get; init; }

    /// <summary>Most message bytes that an address may hold (all its queues); producers are blocked beyond. -1 = no
    /// limit (default).</summary>
    public long? MaxSizeBytes { get; init; }

    /// <summary>Most messages; producers are blocked beyond. -1 = no limit (default).</summary>
    public long? MaxSizeMessages { get; init; }

    /// <summary>What happens at the limits: block producers (default) or fail the publish.</summary>
    public AddressFullPolicy? AddressFullPolicy { get; init; }

    /// <summary>Most bytes of one message. Default 2 GiB - 1.</summary>
    public long? MessageBytesMax { get; init; }

    /// <summary>Keep every message that is sent to the address in a stream of its name, once, and feed the address's
    /// queues from it. Default false.</summary>
    public bool? KeepInStream { get; init; }

    /// <summary>Partitions of streams made for <see cref="KeepInStream"/>. Default 1: then queues have the order of
    /// sending.</summary>
    public int? StreamPartitions { get; init; }
}

/// <summary>What happens to producers when an address is full.</summary>
public enum AddressFullPolicy
{
    /// <summary>No more credit until there is room.</summary>
    Block,

    /// <summary>Each publish is refused with resource-limit-exceeded.</summary>
    Fail,
}
