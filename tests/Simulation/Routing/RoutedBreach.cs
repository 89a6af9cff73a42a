namespace Pillarbox.Simulation.Tests.Routing;

/// <summary>A promise of the network that is broken between a node and a receiver, for the checks to find
/// out.</summary>
internal enum RoutedBreach
{
    /// <summary>All are kept.</summary>
    None,

    /// <summary>What is accepted does not arrive.</summary>
    Loss,

    /// <summary>A message arrives twice.</summary>
    Repetition,

    /// <summary>The sender hears of another outcome than the receiver's.</summary>
    Outcome,

    /// <summary>A message overtakes the one before it.</summary>
    Order,
}
