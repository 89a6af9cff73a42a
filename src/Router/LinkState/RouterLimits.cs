namespace Pillarbox.Router.LinkState;

/// <summary>Bounds of the router protocol. What lies beyond them is refused, and said in an event.</summary>
public static class RouterLimits
{
    /// <summary>Routers of a network, this one among them: as many as the peer's sets of routers can hold.</summary>
    public const int RoutersMax = 128;

    /// <summary>UTF-8 bytes of a router's id.</summary>
    public const int IdBytesMax = 256;

    /// <summary>UTF-8 bytes of an address key.</summary>
    public const int AddressBytesMax = 2048;

    /// <summary>Addresses that one router may announce.</summary>
    public const int AddressesPerRouterMax = 100_000;

    /// <summary>Announcements of all routers together: pairs of an address and a router.</summary>
    public const int AddressesMax = 1_000_000;

    /// <summary>Cost of a link: 1 to this.</summary>
    public const int LinkCostMax = 100_000_000;

    /// <summary>Bytes of one control message.</summary>
    public const int ControlBytesMax = 16 << 20;

    /// <summary>Events of one drain; further ones are counted, not kept.</summary>
    public const int EventsMax = 64;
}
