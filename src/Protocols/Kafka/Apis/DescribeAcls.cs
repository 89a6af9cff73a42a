using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DescribeAclsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>
/// DescribeAcls: the rules that were made with CreateAcls, and the permissions of the node's configuration as the
/// protocol shows such things: address patterns as topics, roles as principals (<c>Role:name</c>). In development mode
/// there are none, which error 54 says.
/// </summary>
internal static class DescribeAclsApi
{
    public static ValueTask<DescribeAclsResponse?> HandleAsync(ApiCall call, DescribeAclsRequest request)
    {
        KafkaSession session = call.Session;
        if (AclChecks.Check(session, Permission.View) is var error && error != ErrorCode.None)
        {
            return new(new DescribeAclsResponse { ErrorCode = (short)error });
        }

        var rest = new AclFilter(
            request.PrincipalFilter, request.HostFilter, request.Operation, request.PermissionType);
        Authorizer authorizer = session.Environment.Broker.Authorizer;
        IEnumerable<Acl> rules = authorizer.Rules.List(session.GrantOnCluster(Permission.View)).Select(Acls.Write);
        IEnumerable<Acl> all = Acls.Configured(authorizer.ConfigOf(session.AddressSpace)!).Concat(rules);
        return new(new DescribeAclsResponse
        {
            Resources =
            [
                .. from acl in all
                   where Acls.Fits(
                       acl, request.ResourceTypeFilter, request.ResourceNameFilter, request.PatternTypeFilter, rest)
                   group acl by (acl.ResourceType, acl.ResourceName, acl.PatternType) into resource
                   select new DescribeAclsResource
                   {
                       ResourceType = resource.Key.ResourceType,
                       ResourceName = resource.Key.ResourceName,
                       PatternType = resource.Key.PatternType,
                       Acls = [.. resource.Select(Describe)],
                   },
            ],
        });
    }

    private static AclDescription Describe(Acl acl) => new()
    {
        Principal = acl.Principal,
        Host = acl.Host,
        Operation = acl.Operation,
        PermissionType = acl.PermissionType,
    };
}
