using System.ComponentModel;
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
    [Description(
        "Routing type of addresses made because a client used them; default anycast: plain clients get "
        + "a queue.")]
    public RoutingType? DefaultRoutingType { get; init; }

    /// <summary>Make queues that clients name. Default true.</summary>
    [Description("Make queues that clients name; default true.")]
    public bool? AutoCreateQueues { get; init; }

    /// <summary>Make addresses that clients name. Default true.</summary>
    [Description("Make addresses that clients name; default true.")]
    public bool? AutoCreateAddresses { get; init; }

    /// <summary>Delete auto-created queues that are empty and without consumers. Default false for durable queues'
    /// safety.</summary>
    [Description("Delete auto-created queues that are empty and without consumers; default false.")]
    public bool? AutoDeleteQueues { get; init; }

    /// <summary>How long such a queue must stay unused. Default 0.</summary>
    [Description("How long such a queue must stay unused, in milliseconds; default 0.")]
    public long? AutoDeleteDelayMs { get; init; }

    /// <summary>Where messages go after too many attempts or a reject; empty string: dropped. Default
    /// <c>DLQ</c>.</summary>
    [Description("Where messages go after too many attempts or a reject; empty: dropped. Default DLQ.")]
    public string? DeadLetterAddress { get; init; }

    /// <summary>Where expired messages go; empty string: dropped. Default <c>ExpiryQueue</c>.</summary>
    [Description("Where expired messages go; empty: dropped. Default ExpiryQueue.")]
    public string? ExpiryAddress { get; init; }

    /// <summary>Expiry for messages that have none; -1 = none. Default -1.</summary>
    [Description("Time to live of messages that name none, in milliseconds; -1 (the default): for ever.")]
    public long? ExpiryDelayMs { get; init; }

    /// <summary>Failed attempts before dead-lettering; -1 = for ever. Default 10.</summary>
    [Description("Failed attempts before a message is a dead letter; -1: never. Default 10.")]
    public int? MaxDeliveryAttempts { get; init; }

    /// <summary>Wait before the first redelivery. Default 0.</summary>
    [Description("Wait before the first redelivery, in milliseconds; default 0.")]
    public long? RedeliveryDelayMs { get; init; }

    /// <summary>Factor per further attempt. Default 1.0.</summary>
    [Description("Factor of the wait for each further attempt; default 1.")]
    public double? RedeliveryDelayMultiplier { get; init; }

    /// <summary>Cap of the delay; default 10 x the delay.</summary>
    [Description("The longest such wait, in milliseconds; default ten times the first.")]
    public long? MaxRedeliveryDelayMs { get; init; }

    /// <summary>Random share of the delay added or taken, 0..1. Default 0.</summary>
    [Description("Random share of the wait that is added or taken, 0 to 1; default 0.")]
    public double? RedeliveryCollisionAvoidance { get; init; }

    /// <summary>Most message bytes that an address may hold (all its queues); producers are blocked beyond. -1 = no
    /// limit (default).</summary>
    [Description("Most message bytes that the queues of an address may hold; -1 (the default): no limit.")]
    public long? MaxSizeBytes { get; init; }

    /// <summary>Most messages; producers are blocked beyond. -1 = no limit (default).</summary>
    [Description("Most messages that the queues of an address may hold; -1 (the default): no limit.")]
    public long? MaxSizeMessages { get; init; }

    /// <summary>What happens at the limits: block producers (default) or fail the publish.</summary>
    [Description("At those limits: block producers (default) or fail each message.")]
    public AddressFullPolicy? AddressFullPolicy { get; init; }

    /// <summary>Most bytes of one message. Default 2 GiB - 1.</summary>
    [Description("Most bytes of one message; default 2 GiB - 1.")]
    public long? MessageBytesMax { get; init; }

    /// <summary>Keep every message that is sent to the address in a stream of its name, once, and feed the address's
    /// queues from it. Default false.</summary>
    [Description(
        "Keep each message once in a stream of the address's name, and feed its queues from there; "
        + "default false.")]
    public bool? KeepInStream { get; init; }

    /// <summary>Partitions of streams made for <see cref="KeepInStream"/>. Default 1: then queues have the order of
    /// sending.</summary>
    [Description("Partitions of such a stream; default 1: then queues have the order of sending.")]
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
