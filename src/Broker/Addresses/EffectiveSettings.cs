using Pillarbox.Model;

namespace Pillarbox.Broker.Addresses;

/// <summary>The settings that apply to one address: everything said by matching patterns, merged, and the defaults for
/// the rest. Immutable.</summary>
public sealed record EffectiveSettings
{
    /// <summary>Where messages go after too many attempts or a reject, unless configured otherwise.</summary>
    public const string DefaultDeadLetterAddress = "DLQ";

    /// <summary>Where expired messages go, unless configured otherwise.</summary>
    public const string DefaultExpiryAddress = "ExpiryQueue";

    /// <summary>What applies where nothing is configured.</summary>
    public static readonly EffectiveSettings Default = new(new AddressSettings());

    private EffectiveSettings? _forSubscription;

    /// <summary>Fills what <paramref name="merged"/> leaves open with the defaults.</summary>
    public EffectiveSettings(AddressSettings merged)
    {
        DefaultRoutingType = merged.DefaultRoutingType ?? RoutingType.Anycast;
        AutoCreateQueues = merged.AutoCreateQueues ?? true;
        AutoCreateAddresses = merged.AutoCreateAddresses ?? true;
        AutoDeleteQueues = merged.AutoDeleteQueues ?? false;
        AutoDeleteDelayMs = merged.AutoDeleteDelayMs ?? 0;
        DeadLetterAddress = NullIfEmpty(merged.DeadLetterAddress ?? DefaultDeadLetterAddress);
        ExpiryAddress = NullIfEmpty(merged.ExpiryAddress ?? DefaultExpiryAddress);
        ExpiryDelayMs = merged.ExpiryDelayMs ?? -1;
        MaxDeliveryAttempts = merged.MaxDeliveryAttempts ?? 10;
        RedeliveryDelayMs = merged.RedeliveryDelayMs ?? 0;
        RedeliveryDelayMultiplier = merged.RedeliveryDelayMultiplier ?? 1.0;
        MaxRedeliveryDelayMs = merged.MaxRedeliveryDelayMs
            ?? (RedeliveryDelayMs > long.MaxValue / 10 ? long.MaxValue : RedeliveryDelayMs * 10);
        RedeliveryCollisionAvoidance = merged.RedeliveryCollisionAvoidance ?? 0.0;
        MaxSizeBytes = merged.MaxSizeBytes ?? -1;
        MaxSizeMessages = merged.MaxSizeMessages ?? -1;
        AddressFullPolicy = merged.AddressFullPolicy ?? Addresses.AddressFullPolicy.Block;
        MessageBytesMax = merged.MessageBytesMax ?? int.MaxValue;
        KeepInStream = merged.KeepInStream ?? false;
        StreamPartitions = merged.StreamPartitions ?? 1;
    }

    /// <summary>The routing type of addresses made because a client used them.</summary>
    public RoutingType DefaultRoutingType { get; init; }

    /// <summary>Make queues that clients name.</summary>
    public bool AutoCreateQueues { get; init; }

    /// <summary>Make addresses that clients name.</summary>
    public bool AutoCreateAddresses { get; init; }

    /// <summary>Delete auto-created queues that are empty and without consumers.</summary>
    public bool AutoDeleteQueues { get; init; }

    /// <summary>How long such a queue must stay unused, in milliseconds.</summary>
    public long AutoDeleteDelayMs { get; init; }

    /// <summary>The same for a subscription: what it cannot keep is dropped, and it tries for ever.</summary>
    internal EffectiveSettings ForSubscription => Volatile.Read(ref _forSubscription) ?? MakeForSubscription();

    /// <summary>Where messages go after too many attempts or a reject; null: dropped.</summary>
    public string? DeadLetterAddress { get; init; }

    /// <summary>Where expired messages go; null: dropped.</summary>
    public string? ExpiryAddress { get; init; }

    /// <summary>Expiry for messages that have none, in milliseconds; -1 = none.</summary>
    public long ExpiryDelayMs { get; init; }

    /// <summary>Failed attempts before dead-lettering; -1 = for ever.</summary>
    public int MaxDeliveryAttempts { get; init; }

    /// <summary>Wait before the first redelivery, in milliseconds.</summary>
    public long RedeliveryDelayMs { get; init; }

    /// <summary>Factor per further attempt.</summary>
    public double RedeliveryDelayMultiplier { get; init; }

    /// <summary>Cap of the delay, in milliseconds.</summary>
    public long MaxRedeliveryDelayMs { get; init; }

    /// <summary>Random share of the delay added or taken, 0..1.</summary>
    public double RedeliveryCollisionAvoidance { get; init; }

    /// <summary>Most message bytes that the address may hold; -1 = no limit.</summary>
    public long MaxSizeBytes { get; init; }

    /// <summary>Most messages; -1 = no limit.</summary>
    public long MaxSizeMessages { get; init; }

    /// <summary>What happens to producers at the limits.</summary>
    public AddressFullPolicy AddressFullPolicy { get; init; }

    /// <summary>Most bytes of one message.</summary>
    public long MessageBytesMax { get; init; }

    /// <summary>Keep every message in a stream of the address's name.</summary>
    public bool KeepInStream { get; init; }

    /// <summary>Partitions of that stream when it is made.</summary>
    public int StreamPartitions { get; init; }

    /// <summary>The same as settings that say everything, for views.</summary>
    public AddressSettings ToSettings() => new()
    {
        DefaultRoutingType = DefaultRoutingType,
        AutoCreateQueues = AutoCreateQueues,
        AutoCreateAddresses = AutoCreateAddresses,
        AutoDeleteQueues = AutoDeleteQueues,
        AutoDeleteDelayMs = AutoDeleteDelayMs,
        DeadLetterAddress = DeadLetterAddress ?? "",
        ExpiryAddress = ExpiryAddress ?? "",
        ExpiryDelayMs = ExpiryDelayMs,
        MaxDeliveryAttempts = MaxDeliveryAttempts,
        RedeliveryDelayMs = RedeliveryDelayMs,
        RedeliveryDelayMultiplier = RedeliveryDelayMultiplier,
        MaxRedeliveryDelayMs = MaxRedeliveryDelayMs,
        RedeliveryCollisionAvoidance = RedeliveryCollisionAvoidance,
        MaxSizeBytes = MaxSizeBytes,
        MaxSizeMessages = MaxSizeMessages,
        AddressFullPolicy = AddressFullPolicy,
        MessageBytesMax = MessageBytesMax,
        KeepInStream = KeepInStream,
        StreamPartitions = StreamPartitions,
    };

    private EffectiveSettings MakeForSubscription()
    {
        EffectiveSettings made = this with { DeadLetterAddress = null, ExpiryAddress = null, MaxDeliveryAttempts = -1 };
        Volatile.Write(ref _forSubscription, made);
        return made;
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
