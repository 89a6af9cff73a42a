using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using Pillarbox.Storage;
using static Pillarbox.Protocols.Kafka.Wire.Messages.CreateAclsRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.CreateAclsResponse;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DeleteAclsRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DeleteAclsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>
/// CreateAcls and DeleteAcls: rules of the node's one authorizer, so they count for every protocol; on disk when they
/// are answered. What cannot be mapped is refused, and what is in the node's configuration stays.
/// </summary>
internal static class ChangeAclsApi
{
    private const Permission Needed = Permission.Edit | Permission.Manage;

    public static ValueTask<CreateAclsResponse?> CreateAsync(ApiCall call, CreateAclsRequest request) =>
        new(new CreateAclsResponse
        {
            Results = Array.ConvertAll(request.Creations, wanted =>
            {
                (ErrorCode error, string? message) = Create(call.Session, wanted);
                return new AclCreationResult { ErrorCode = (short)error, ErrorMessage = message };
            }),
        });

    public static ValueTask<DeleteAclsResponse?> DeleteAsync(ApiCall call, DeleteAclsRequest request) =>
        new(new DeleteAclsResponse
        {
            FilterResults = Array.ConvertAll(request.Filters, filter => Delete(call.Session, filter)),
        });

    private static (ErrorCode Error, string? Message) Create(KafkaSession session, AclCreation wanted)
    {
        if (AclChecks.Check(session, Needed) is var refusal && refusal != ErrorCode.None)
        {
            return (refusal, null);
        }

        var acl = new Acl(
            wanted.ResourceType, wanted.ResourceName, wanted.ResourcePatternType, wanted.Principal, wanted.Host,
            wanted.Operation, wanted.PermissionType);
        return Acls.Read(acl, out AccessRule? rule) is { } fault
            ? (ErrorCode.InvalidRequest, fault)
            : Guard(() => session.Environment.Broker.Authorizer.Rules.Add(session.GrantOnCluster(Needed), [rule!]));
    }

    private static DeleteAclsFilterResult Delete(KafkaSession session, DeleteAclsFilter filter)
    {
        if (AclChecks.Check(session, Needed) is var refusal && refusal != ErrorCode.None)
        {
            return new() { ErrorCode = (short)refusal };
        }

        var rest = new AclFilter(filter.PrincipalFilter, filter.HostFilter, filter.Operation, filter.PermissionType);
        bool Fits(Acl acl) => Acls.Fits(
            acl, filter.ResourceTypeFilter, filter.ResourceNameFilter, filter.PatternTypeFilter, rest);
        Authorizer authorizer = session.Environment.Broker.Authorizer;
        IReadOnlyList<AccessRule> removed = [];
        (ErrorCode error, string? message) = Guard(() =>
            removed = authorizer.Rules.Remove(session.GrantOnCluster(Needed), rule => Fits(Acls.Write(rule))));
        IEnumerable<Acl> staying = error == ErrorCode.None
            ? Acls.Configured(authorizer.ConfigOf(session.AddressSpace)!).Where(Fits)
            : [];
        return new()
        {
            ErrorCode = (short)error,
            ErrorMessage = message,
            MatchingAcls = [.. removed.Select(rule => Matching(Acls.Write(rule))), .. staying.Select(Staying)],
        };
    }

    private static DeleteAclsMatchingAcl Staying(Acl acl)
    {
        DeleteAclsMatchingAcl matching = Matching(acl);
        matching.ErrorCode = (short)ErrorCode.PolicyViolation;
        matching.ErrorMessage = "this permission is written in the node's configuration";
        return matching;
    }

    private static DeleteAclsMatchingAcl Matching(Acl acl) => new()
    {
        ResourceType = acl.ResourceType,
        ResourceName = acl.ResourceName,
        PatternType = acl.PatternType,
        Principal = acl.Principal,
        Host = acl.Host,
        Operation = acl.Operation,
        PermissionType = acl.PermissionType,
    };

    private static (ErrorCode Error, string? Message) Guard(Action change)
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
