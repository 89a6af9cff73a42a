using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DeleteAclsRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DeleteAclsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DeleteAcls: takes rules away that fit; what is in the node's configuration stays.</summary>
internal static class DeleteAclsApi
{
    public static ValueTask<DeleteAclsResponse?> HandleAsync(ApiCall call, DeleteAclsRequest request) =>
        new(new DeleteAclsResponse
        {
            FilterResults = Array.ConvertAll(request.Filters, filter => Delete(call.Session, filter)),
        });

    private static DeleteAclsFilterResult Delete(KafkaSession session, DeleteAclsFilter filter)
    {
        if (AclChecks.Check(session, AclChecks.Change) is var refusal && refusal != ErrorCode.None)
        {
            return new() { ErrorCode = (short)refusal };
        }

        var rest = new AclFilter(filter.PrincipalFilter, filter.HostFilter, filter.Operation, filter.PermissionType);
        bool Fits(Acl acl) => Acls.Fits(
            acl, filter.ResourceTypeFilter, filter.ResourceNameFilter, filter.PatternTypeFilter, rest);
        Authorizer authorizer = session.Environment.Broker.Authorizer;
        IReadOnlyList<AccessRule> removed = [];
        (ErrorCode error, string? message) = AclChecks.Guard(() => removed = authorizer.Rules.Remove(
            session.GrantOnCluster(AclChecks.Change), rule => Fits(Acls.Write(rule))));
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
}
