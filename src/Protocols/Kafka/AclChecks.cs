using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Kafka;

/// <summary>What the APIs of ACLs ask first, and how a change goes wrong.</summary>
internal static class AclChecks
{
    /// <summary>What a change needs, on the whole address space.</summary>
    public const Permission Change = Permission.Edit | Permission.Manage;

    /// <summary>None: there are users, and the client may do this to the whole address space.</summary>
    public static ErrorCode Check(KafkaSession session, Permission permission) =>
        session.Environment.Broker.Authorizer.ConfigOf(session.AddressSpace) is null ? ErrorCode.SecurityDisabled
        : !session.MayOnCluster(permission) ? ErrorCode.ClusterAuthorizationFailed
        : ErrorCode.None;

    /// <summary>Makes a change; what is wrong with it.</summary>
    public static (ErrorCode Error, string? Message) Guard(Action change)
    {
        try
        {
            change();
            return (ErrorCode.None, null);
        }
        catch (BrokerException e)
        {
            ErrorCode error = e.Error == BrokerError.ResourceLimitExceeded
                ? ErrorCode.PolicyViolation
                : ErrorCode.InvalidRequest;
            return (error, e.Message);
        }
        catch (StorageException e)
        {
            return (ErrorCode.KafkaStorageError, e.Message);
        }
    }
}
