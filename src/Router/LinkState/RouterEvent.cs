namespace Pillarbox.Router.LinkState;

/// <summary>What an operator should read in the log.</summary>
public enum RouterEventKind
{
    NeighborUp,
    NeighborLost,
    RouterRestarted,
    RouterForgotten,
    TopologyChanged,

    /// <summary>A neighbour bears this router's own id.</summary>
    DuplicateId,

    /// <summary>A link that belongs to one router brought the HELLO of another.</summary>
    WrongId,

    /// <summary>A control message of a newer protocol version.</summary>
    VersionRefused,

    /// <summary>A control message that is malformed or beyond the limits.</summary>
    MessageRefused,

    /// <summary>The network has more than <see cref="RouterLimits.RoutersMax"/> routers.</summary>
    TooManyRouters,

    /// <summary>A router announced more addresses than the limits allow.</summary>
    TooManyAddresses,
}

/// <summary>Something that happened.</summary>
/// <param name="Kind">What.</param>
/// <param name="Router">The id of the router it is about, or empty.</param>
/// <param name="Detail">For people.</param>
public readonly record struct RouterEvent(RouterEventKind Kind, string Router, string Detail);
