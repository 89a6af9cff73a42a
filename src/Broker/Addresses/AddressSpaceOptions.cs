using Pillarbox.Broker.Security;

namespace Pillarbox.Broker.Addresses;

/// <summary>What an address space has of its own. Immutable.</summary>
public sealed record AddressSpaceOptions
{
    /// <summary>Address settings by pattern, beside the node's; for the same pattern these count.</summary>
    public IReadOnlyDictionary<string, AddressSettings> AddressSettings { get; init; } =
        new Dictionary<string, AddressSettings>();

    /// <summary>Permissions instead of the node's; null: the node's.</summary>
    public SecurityConfig? Security { get; init; }
}
