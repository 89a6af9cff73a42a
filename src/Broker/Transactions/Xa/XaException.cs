namespace Pillarbox.Broker.Transactions.Xa;

/// <summary>The return codes of X/Open XA (section 5) that a resource manager gives. Values are the
/// standard's.</summary>
public enum XaCode
{
    /// <summary>Done.</summary>
    Ok = 0,

    /// <summary>There was nothing to do: the branch is over (XA_RDONLY).</summary>
    ReadOnly = 3,

    /// <summary>Not now; the branch is as it was (XA_RETRY).</summary>
    Retry = 4,

    /// <summary>An operator has rolled it back (XA_HEURRB).</summary>
    HeuristicRollback = 6,

    /// <summary>An operator has committed it (XA_HEURCOM).</summary>
    HeuristicCommit = 7,

    /// <summary>It was rolled back (XA_RBROLLBACK).</summary>
    RolledBack = 100,

    /// <summary>It took too long and was rolled back (XA_RBTIMEOUT).</summary>
    RolledBackByTimeout = 106,

    /// <summary>The resource manager failed (XAER_RMERR).</summary>
    ResourceError = -3,

    /// <summary>There is no such branch (XAER_NOTA).</summary>
    Unknown = -4,

    /// <summary>Arguments that cannot be (XAER_INVAL).</summary>
    Invalid = -5,

    /// <summary>Not in this state (XAER_PROTO).</summary>
    Protocol = -6,

    /// <summary>The resource manager is gone (XAER_RMFAIL).</summary>
    ResourceFailure = -7,

    /// <summary>The branch exists already (XAER_DUPID).</summary>
    Duplicate = -8,
}

/// <summary>A step of a distributed transaction that is refused, with the code that the transaction manager
/// gets.</summary>
public sealed class XaException(XaCode code, string message) : Exception(message)
{
    /// <summary>The standard's code.</summary>
    public XaCode Code { get; } = code;
}
