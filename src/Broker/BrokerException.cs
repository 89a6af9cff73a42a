namespace Pillarbox.Broker;

/// <summary>Why the broker refuses. Each protocol maps these to its own codes.</summary>
public enum BrokerError
{
    /// <summary>No such address, queue or subscription, and none may be made.</summary>
    NotFound,

    /// <summary>The identity lacks the permission.</summary>
    Unauthorized,

    /// <summary>Exists with other settings, or the wrong routing type.</summary>
    PreconditionFailed,

    /// <summary>In use by somebody who excludes others.</summary>
    ResourceLocked,

    /// <summary>A configured limit is reached (consumers, queues, message size, transaction size).</summary>
    ResourceLimitExceeded,

    /// <summary>It was deleted while in use.</summary>
    ResourceDeleted,

    /// <summary>A name or a selector that cannot be read.</summary>
    InvalidField,

    /// <summary>Asked for at the wrong time.</summary>
    IllegalState,

    /// <summary>The node is stopping or its disk failed.</summary>
    Unavailable,

    /// <summary>An unknown or finished transaction.</summary>
    TransactionUnknown,

    /// <summary>The transaction could not commit and was rolled back.</summary>
    TransactionRollback,
}

/// <summary>The broker's refusal of what a client asked for; the message is for the user. Never a fault of the node
/// itself.</summary>
public sealed class BrokerException(BrokerError error, string message) : Exception(message)
{
    /// <summary>The class of the refusal.</summary>
    public BrokerError Error { get; } = error;
}
