using System.Collections.Concurrent;
using Pillarbox.Broker.Routing;
using Pillarbox.Model;

namespace Pillarbox.Broker.Addresses;

/// <summary>
/// Address settings by pattern. For an address, all matching patterns are merged field by field: the most specific one
/// that says something decides. Immutable (a change of configuration makes a new tree and swaps it in whole); any
/// thread.
/// </summary>
public sealed class SettingsTree
{
    /// <summary>The most addresses whose merged settings are remembered; beyond, the memory starts afresh.</summary>
    public const int CacheEntriesMax = 65_536;

    private readonly WildcardTree<Layer> _layers = new();
    private readonly ConcurrentDictionary<string, EffectiveSettings> _byAddress = new(StringComparer.Ordinal);

    // Most addresses share one of few outcomes: one object for each of these.
    private readonly ConcurrentDictionary<AddressSettings, EffectiveSettings> _byMerged = new();

    /// <summary>Takes settings by pattern. Throws <see cref="BrokerException"/> InvalidField, naming the pattern and
    /// what is wrong with it.</summary>
    public SettingsTree(IReadOnlyDictionary<string, AddressSettings> byPattern)
    {
        string[] patterns = [.. byPattern.Keys];
        Array.Sort(patterns, AddressPattern.CompareSpecificity);
        for (int rank = 0; rank < patterns.Length; rank++)
        {
            AddressSettings settings = byPattern[patterns[rank]];
            if (Check(patterns[rank], settings) is { } fault)
            {
                throw new BrokerException(BrokerError.InvalidField, $"settings for \"{patterns[rank]}\": {fault}");
            }

            _layers.Add(patterns[rank], new Layer(rank, settings));
        }
    }

    /// <summary>The settings of an address. Cheap after the first time.</summary>
    public EffectiveSettings For(string address) =>
        _byAddress.TryGetValue(address, out EffectiveSettings? known) ? known : Resolve(address);

    /// <summary>A sentence that says what is wrong with a pattern or its settings, or null when they are
    /// fine.</summary>
    public static string? Check(string pattern, AddressSettings settings) =>
        AddressPattern.Check(pattern)
        ?? CheckName(settings.DeadLetterAddress, nameof(settings.DeadLetterAddress))
        ?? CheckName(settings.ExpiryAddress, nameof(settings.ExpiryAddress))
        ?? CheckRange(settings.AutoDeleteDelayMs, 0, nameof(settings.AutoDeleteDelayMs))
        ?? CheckRange(settings.ExpiryDelayMs, -1, nameof(settings.ExpiryDelayMs))
        ?? CheckRange(settings.MaxDeliveryAttempts, -1, nameof(settings.MaxDeliveryAttempts))
        ?? (settings.MaxDeliveryAttempts == 0 ? "MaxDeliveryAttempts is 0; use 1 or more, or -1 for no limit" : null)
        ?? CheckRange(settings.RedeliveryDelayMs, 0, nameof(settings.RedeliveryDelayMs))
        ?? CheckRange(settings.MaxRedeliveryDelayMs, 0, nameof(settings.MaxRedeliveryDelayMs))
        ?? CheckRange(settings.MaxSizeBytes, -1, nameof(settings.MaxSizeBytes))
        ?? CheckRange(settings.MaxSizeMessages, -1, nameof(settings.MaxSizeMessages))
        ?? CheckRange(settings.MessageBytesMax, 1, nameof(settings.MessageBytesMax))
        ?? CheckRange(settings.StreamPartitions, 1, nameof(settings.StreamPartitions))
        ?? CheckShare(settings.RedeliveryDelayMultiplier, 1, 1000, nameof(settings.RedeliveryDelayMultiplier))
        ?? CheckShare(settings.RedeliveryCollisionAvoidance, 0, 1, nameof(settings.RedeliveryCollisionAvoidance));

    private EffectiveSettings Resolve(string address)
    {
        var layers = new List<Layer>();
        _layers.Match(address, layers);
        layers.Sort(static (a, b) => b.Rank.CompareTo(a.Rank));
        var merged = new AddressSettings();
        foreach (Layer layer in layers)
        {
            merged = Fill(merged, layer.Settings);
        }

        EffectiveSettings effective = _byMerged.GetOrAdd(merged, static settings => new EffectiveSettings(settings));
        if (_byAddress.Count >= CacheEntriesMax)
        {
            _byAddress.Clear();
        }

        _byAddress[address] = effective;
        return effective;
    }

    /// <summary>What <paramref name="specific"/> leaves open, <paramref name="general"/> may say.</summary>
    private static AddressSettings Fill(AddressSettings specific, AddressSettings general) => new()
    {
        DefaultRoutingType = specific.DefaultRoutingType ?? general.DefaultRoutingType,
        AutoCreateQueues = specific.AutoCreateQueues ?? general.AutoCreateQueues,
        AutoCreateAddresses = specific.AutoCreateAddresses ?? general.AutoCreateAddresses,
        AutoDeleteQueues = specific.AutoDeleteQueues ?? general.AutoDeleteQueues,
        AutoDeleteDelayMs = specific.AutoDeleteDelayMs ?? general.AutoDeleteDelayMs,
        DeadLetterAddress = specific.DeadLetterAddress ?? general.DeadLetterAddress,
        ExpiryAddress = specific.ExpiryAddress ?? general.ExpiryAddress,
        ExpiryDelayMs = specific.ExpiryDelayMs ?? general.ExpiryDelayMs,
        MaxDeliveryAttempts = specific.MaxDeliveryAttempts ?? general.MaxDeliveryAttempts,
        RedeliveryDelayMs = specific.RedeliveryDelayMs ?? general.RedeliveryDelayMs,
        RedeliveryDelayMultiplier = specific.RedeliveryDelayMultiplier ?? general.RedeliveryDelayMultiplier,
        MaxRedeliveryDelayMs = specific.MaxRedeliveryDelayMs ?? general.MaxRedeliveryDelayMs,
        RedeliveryCollisionAvoidance = specific.RedeliveryCollisionAvoidance ?? general.RedeliveryCollisionAvoidance,
        MaxSizeBytes = specific.MaxSizeBytes ?? general.MaxSizeBytes,
        MaxSizeMessages = specific.MaxSizeMessages ?? general.MaxSizeMessages,
        AddressFullPolicy = specific.AddressFullPolicy ?? general.AddressFullPolicy,
        MessageBytesMax = specific.MessageBytesMax ?? general.MessageBytesMax,
        KeepInStream = specific.KeepInStream ?? general.KeepInStream,
        StreamPartitions = specific.StreamPartitions ?? general.StreamPartitions,
    };

    private static string? CheckName(string? address, string what) =>
        string.IsNullOrEmpty(address) ? null : AddressName.Check(address, what);

    private static string? CheckRange(long? value, long min, string what) =>
        value < min ? $"{what} is {value}; it must be at least {min}" : null;

    private static string? CheckShare(double? value, double min, double max, string what) =>
        value is { } number && !(number >= min && number <= max)
            ? $"{what} is {number}; it must be from {min} to {max}"
            : null;

    private sealed record Layer(int Rank, AddressSettings Settings);
}
