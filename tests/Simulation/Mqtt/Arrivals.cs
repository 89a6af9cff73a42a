namespace Pillarbox.Simulation.Tests.Mqtt;

/// <summary>The numbers that have come to one subscriber, or to all members of a shared subscription.</summary>
internal sealed class Arrivals
{
    /// <summary>Numbers of QoS 1, in the order in which they came first.</summary>
    public List<int> Once { get; } = [];

    /// <summary>How often each came.</summary>
    public Dictionary<int, int> Times { get; } = [];

    /// <summary>Numbers of QoS 2 in their order.</summary>
    public List<int> Exactly { get; } = [];

    /// <summary>Numbers of QoS 2 of those that do not live long, in their order.</summary>
    public List<int> ShortLived { get; } = [];

    /// <summary>Lives whose wills have come, in their order.</summary>
    public List<int> Wills { get; } = [];
}
