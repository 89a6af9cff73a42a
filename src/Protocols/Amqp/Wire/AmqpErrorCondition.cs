namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>Error conditions of part 2 sections 2.8.15 to 2.8.18 and part 4 section 4.5.8.</summary>
public static class AmqpErrorCondition
{
    // 2.8.15 amqp-error
    public const string InternalError = "amqp:internal-error";
    public const string NotFound = "amqp:not-found";
    public const string UnauthorizedAccess = "amqp:unauthorized-access";
    public const string DecodeError = "amqp:decode-error";
    public const string ResourceLimitExceeded = "amqp:resource-limit-exceeded";
    public const string NotAllowed = "amqp:not-allowed";
    public const string InvalidField = "amqp:invalid-field";
    public const string NotImplemented = "amqp:not-implemented";
    public const string ResourceLocked = "amqp:resource-locked";
    public const string PreconditionFailed = "amqp:precondition-failed";
    public const string ResourceDeleted = "amqp:resource-deleted";
    public const string IllegalState = "amqp:illegal-state";
    public const string FrameSizeTooSmall = "amqp:frame-size-too-small";

    // 2.8.16 connection-error
    public const string ConnectionForced = "amqp:connection:forced";
    public const string ConnectionFramingError = "amqp:connection:framing-error";
    public const string ConnectionRedirect = "amqp:connection:redirect";

    // 2.8.17 session-error
    public const string SessionWindowViolation = "amqp:session:window-violation";
    public const string SessionErrantLink = "amqp:session:errant-link";
    public const string SessionHandleInUse = "amqp:session:handle-in-use";
    public const string SessionUnattachedHandle = "amqp:session:unattached-handle";

    // 2.8.18 link-error
    public const string LinkDetachForced = "amqp:link:detach-forced";
    public const string LinkTransferLimitExceeded = "amqp:link:transfer-limit-exceeded";
    public const string LinkMessageSizeExceeded = "amqp:link:message-size-exceeded";
    public const string LinkRedirect = "amqp:link:redirect";
    public const string LinkStolen = "amqp:link:stolen";

    // 4.5.8 transaction-error
    public const string TransactionUnknownId = "amqp:transaction:unknown-id";
    public const string TransactionRollback = "amqp:transaction:rollback";
    public const string TransactionTimeout = "amqp:transaction:timeout";
}
