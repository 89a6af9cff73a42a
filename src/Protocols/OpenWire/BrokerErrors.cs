using Pillarbox.Broker;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>The broker's refusals as exceptions that JMS clients know.</summary>
internal static class BrokerErrors
{
    public static WireThrowable ToThrowable(BrokerException refusal) => new(NameOf(refusal.Error), refusal.Message);

    public static WireThrowable ToThrowable(OpenWireException fault) => new(fault.Throwable, fault.Message);

    private static string NameOf(BrokerError error) => error switch
    {
        BrokerError.NotFound or BrokerError.PreconditionFailed or BrokerError.ResourceDeleted =>
            ThrowableNames.InvalidDestination,
        BrokerError.Unauthorized => ThrowableNames.Security,
        BrokerError.ResourceLocked or BrokerError.ResourceLimitExceeded => ThrowableNames.ResourceAllocation,
        BrokerError.InvalidField => ThrowableNames.InvalidSelector,
        BrokerError.IllegalState or BrokerError.TransactionUnknown => ThrowableNames.IllegalState,
        BrokerError.TransactionRollback => ThrowableNames.RolledBack,
        _ => ThrowableNames.Jms,
    };
}
