namespace Pillarbox.Simulation.Tests.Streams;

/// <summary>A promise that is broken between the node and its clients, for the simulation to find out.</summary>
internal enum BrokenPromise
{
    /// <summary>All are kept.</summary>
    None,

    /// <summary>Appends are acknowledged before they are on disk.</summary>
    Durability,

    /// <summary>What is sent again is appended again.</summary>
    Idempotence,

    /// <summary>Committed readers are not told what was aborted.</summary>
    Abortion,

    /// <summary>Committed readers get what is not decided yet.</summary>
    Isolation,
}
