namespace Pillarbox.Router.LinkState;

/// <summary>How messages of an address are distributed; the numbers are those of the hints on the wire.</summary>
public enum AddressTreatment
{
    /// <summary>To all, by every way: for control messages only.</summary>
    MulticastFlood = 0,

    /// <summary>To every consumer once.</summary>
    Multicast = 1,

    /// <summary>To one consumer, the one of the lowest cost.</summary>
    Closest = 2,

    /// <summary>To one consumer, by cost and backlog.</summary>
    Balanced = 3,

    /// <summary>Of link routes: each link to one of the destinations.</summary>
    LinkBalanced = 4,

    /// <summary>Nobody may use the address.</summary>
    Unavailable = 5,
}
