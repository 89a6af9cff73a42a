namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>How both sides write, as negotiated. Immutable.</summary>
/// <param name="Version">1 to 12.</param>
/// <param name="IsTight">Bits in front of the data.</param>
/// <param name="IsCached">Ids and destinations travel as numbers once known.</param>
/// <param name="HasSizePrefix">Each command is led by its length.</param>
/// <param name="CacheSlots">Slots of the node's own cache.</param>
internal sealed record WireFormat(
    int Version, bool IsTight = false, bool IsCached = false, bool HasSizePrefix = true,
    int CacheSlots = WireLimits.CacheSlotsMax)
{
    /// <summary>Before the negotiation: what every version can read.</summary>
    public static readonly WireFormat Initial = new(1);
}
