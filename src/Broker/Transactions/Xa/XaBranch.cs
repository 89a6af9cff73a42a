using Pillarbox.Broker.Journal;

namespace Pillarbox.Broker.Transactions.Xa;

/// <summary>Where a branch stands (X/Open XA table 6-4).</summary>
internal enum XaState : byte
{
    /// <summary>Work goes on in it.</summary>
    Active,

    /// <summary>Its work has ended; it may be prepared, or rolled back.</summary>
    Idle,

    /// <summary>Offsets of groups that it commits are on their way to the disk; then it is prepared.</summary>
    Preparing,

    /// <summary>It is on disk and waits for the transaction manager's word.</summary>
    Prepared,

    /// <summary>That word has come and is on its way to the disk.</summary>
    Ending,

    /// <summary>It took too long and was rolled back; its owner does not know yet.</summary>
    TimedOut,
}

/// <summary>One branch. Its state changes under the table's lock; its transaction is its owner's until it is
/// prepared, then whoever took it to end it.</summary>
internal sealed class XaBranch(Xid xid, Transaction transaction, XaOwner owner, long startedAtMs)
{
    public Xid Xid { get; } = xid;

    public Transaction Transaction { get; } = transaction;

    /// <summary>Who began it: only that user ends it, from whichever connection.</summary>
    public XaOwner Owner { get; } = owner;

    public long StartedAtMs { get; } = startedAtMs;

    /// <summary>The connection that works in it; null once it is prepared.</summary>
    public BrokerClient? Client { get; set; }

    public XaState State { get; set; }

    /// <summary>Its record in the journal, for snapshots; empty until it is prepared.</summary>
    public byte[] Record { get; set; } = [];

    /// <summary>There are records of streams in it.</summary>
    public bool HoldsRecords { get; set; }

    /// <summary>Offsets of groups that it commits; null: none.</summary>
    public HeldOffsets? Offsets { get; set; }

    /// <summary>Keeps its decision in the journal until the groups have it.</summary>
    public AppendMark? OffsetsMark { get; set; }

    /// <summary>Bytes of its record.</summary>
    public int Bytes => Record.Length;

    /// <summary>What it acknowledges is written into its batch.</summary>
    public bool IsSealed { get; set; }

    /// <summary>The operator's word, not the transaction manager's.</summary>
    public bool IsHeuristic { get; set; }
}

/// <summary>Whose branch it is.</summary>
/// <param name="Space">The address space.</param>
/// <param name="User">The user who logged in.</param>
/// <param name="ClientId">The client that began it, for views.</param>
internal sealed record XaOwner(string Space, string User, string ClientId)
{
    public bool MayEnd(XaBranch branch) => Space == branch.Owner.Space && User == branch.Owner.User;
}

/// <summary>What an operator decided; remembered until the transaction manager forgets it.</summary>
internal sealed record XaHeuristic(Xid Xid, bool IsCommit, long AtMs, XaOwner Owner);
