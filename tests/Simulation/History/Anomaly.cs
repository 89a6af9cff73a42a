namespace Pillarbox.Simulation.Tests.History;

/// <summary>What may be wrong with a history, in the names that the field uses.</summary>
internal enum AnomalyKind
{
    /// <summary>One offset was told with two values.</summary>
    InconsistentOffsets,

    /// <summary>One value stands at two offsets.</summary>
    Duplicate,

    /// <summary>A value that was acknowledged, and committed, is not there, though later ones are.</summary>
    LostWrite,

    /// <summary>The same at the end of a partition, where nothing later is; or a group never saw a value that is
    /// there.</summary>
    Unseen,

    /// <summary>A value came that nobody sent.</summary>
    Phantom,

    /// <summary>A committed reader saw a value of an aborted transaction (G1a).</summary>
    AbortedRead,

    /// <summary>A committed reader saw a value before its transaction was asked to commit (G1b).</summary>
    PrecommittedRead,

    /// <summary>Of a transaction some values are there and others are not.</summary>
    TornTransaction,

    /// <summary>A producer that another one had replaced wrote once more.</summary>
    FencedWrite,

    /// <summary>Between two polls a reader passed over a value.</summary>
    PollSkip,

    /// <summary>Within one poll a reader passed over a value.</summary>
    IntPollSkip,

    /// <summary>A reader's poll went back.</summary>
    NonmonotonicPoll,

    /// <summary>Offsets fall within one poll.</summary>
    IntNonmonotonicPoll,

    /// <summary>A value lies before one that had been acknowledged when it was sent.</summary>
    NonmonotonicSend,

    /// <summary>The same within one transaction.</summary>
    IntNonmonotonicSend,

    /// <summary>Others' values lie between two of one transaction: allowed.</summary>
    IntSendSkip,

    /// <summary>A group's offset is older than what was committed, or nothing that ever was.</summary>
    LostOffset,

    /// <summary>A group's offset comes from a transaction that was aborted.</summary>
    AbortedOffset,

    /// <summary>Writes of transactions lie around each other in a circle: allowed.</summary>
    G0,

    /// <summary>Transactions read each other's writes in a circle.</summary>
    G1c,

    /// <summary>The same with the order of transactions of one process.</summary>
    G1cProcess,

    /// <summary>The same with the order of transactions in time.</summary>
    G1cRealtime,
}

/// <summary>One finding.</summary>
/// <param name="Kind">What it is called.</param>
/// <param name="Text">What happened.</param>
internal sealed record Anomaly(AnomalyKind Kind, string Text)
{
    public override string ToString() => $"{Kind}: {Text}";
}
