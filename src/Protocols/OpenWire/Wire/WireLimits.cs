namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>What a peer may put on the wire.</summary>
internal static class WireLimits
{
    /// <summary>The newest version that is spoken.</summary>
    public const int VersionMax = 12;

    /// <summary>Structures inside structures.</summary>
    public const int NestingMax = 8;

    /// <summary>Elements of an array of structures.</summary>
    public const int ArrayElementsMax = 1024;

    /// <summary>Slots of the cache that a peer may fill; what Java clients use, whatever was negotiated.</summary>
    public const int PeerCacheSlotsMax = 16_383;

    /// <summary>Bytes, as they came, of what a peer has put into the cache.</summary>
    public const int PeerCacheBytesMax = 1 << 20;

    /// <summary>Slots of the node's own cache per connection.</summary>
    public const int CacheSlotsMax = 1024;

    /// <summary>The longest string in the short form, in encoded bytes.</summary>
    public const int StringBytesMax = 65_535;

    /// <summary>Entries of a map of properties, also of the properties of WireFormatInfo.</summary>
    public const int MapEntriesMax = 4096;

    /// <summary>Maps and lists inside maps and lists.</summary>
    public const int MapNestingMax = 16;
}
