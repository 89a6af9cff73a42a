using Pillarbox.Broker;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>The broker's refusals in the words of the specification.</summary>
internal static class BrokerErrors
{
    public static string ConditionOf(BrokerError error) => error switch
    {
        BrokerError.NotFound => AmqpErrorCondition.NotFound,
        BrokerError.Unauthorized => AmqpErrorCondition.UnauthorizedAccess,
        BrokerError.PreconditionFailed => AmqpErrorCondition.PreconditionFailed,
        BrokerError.ResourceLocked => AmqpErrorCondition.ResourceLocked,
        BrokerError.ResourceLimitExceeded => AmqpErrorCondition.ResourceLimitExceeded,
        BrokerError.ResourceDeleted => AmqpErrorCondition.ResourceDeleted,
        BrokerError.InvalidField => AmqpErrorCondition.InvalidField,
        BrokerError.IllegalState => AmqpErrorCondition.IllegalState,
        BrokerError.Unavailable => AmqpErrorCondition.ConnectionForced,
        BrokerError.TransactionUnknown => AmqpErrorCondition.TransactionUnknownId,
        BrokerError.TransactionRollback => AmqpErrorCondition.TransactionRollback,
        _ => AmqpErrorCondition.InternalError,
    };

    public static AmqpError ToError(BrokerException refusal) =>
        new() { Condition = ConditionOf(refusal.Error), Description = refusal.Message };

    public static AmqpException ToLinkException(BrokerException refusal) =>
        new(ConditionOf(refusal.Error), refusal.Message, AmqpSeverity.Link);
}
