using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DescribeAclsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>
/// DescribeAcls: the permissions of the node's configuration as the protocol shows such things: address patterns as
/// topics, roles as principals (<c>Role:name</c>). In development mode there are none, which error 54 says.
/// </summary>
internal static class DescribeAclsApi
{
    private const sbyte Any = 1;
    private const sbyte Topic = 2;
    private const sbyte Match = 2;
    private const sbyte Literal = 3;
    private const sbyte Prefixed = 4;
    private const sbyte Allow = 3;
    private const string AllWords = "#";

    private static readonly (Permission Permission, sbyte Operation)[] Operations =
    [
        (Permission.Consume, 3), (Permission.Send, 4), (Permission.CreateAddress, 5), (Permission.DeleteAddress, 6),
        (Permission.Manage, 7), (Permission.View, 8), (Permission.View, 10), (Permission.Edit, 11),
    ];

    public static ValueTask<DescribeAclsResponse?> HandleAsync(ApiCall call, DescribeAclsRequest request)
    {
        SecurityConfig? config = call.Session.Environment.Broker.Authorizer.Config;
        ErrorCode error = config is null ? ErrorCode.SecurityDisabled
            : !call.Session.May(Permission.View, AllWords) ? ErrorCode.ClusterAuthorizationFailed
            : ErrorCode.None;
        if (error != ErrorCode.None)
        {
            return new(new DescribeAclsResponse { ErrorCode = (short)error });
        }

        return new(new DescribeAclsResponse
        {
            Resources =
            [
                .. config!.Permissions.Where(_ => request.ResourceTypeFilter is Any or Topic)
                    .Select(block => Describe(block.Key, block.Value, request))
                    .Where(resource => resource.Acls.Length > 0 && IsWanted(resource, request)),
            ],
        });
    }

    private static DescribeAclsResource Describe(
        string pattern, IReadOnlyDictionary<string, Permission> roles, DescribeAclsRequest request)
    {
        bool isPrefix = pattern.EndsWith(AllWords, StringComparison.Ordinal) && pattern.Length > AllWords.Length;
        return new()
        {
            ResourceType = Topic,
            ResourceName = pattern == AllWords ? "*" : isPrefix ? pattern[..^AllWords.Length] : pattern,
            PatternType = isPrefix ? Prefixed : Literal,
            Acls =
            [
                .. from role in roles
                   from operation in Operations
                   where (role.Value & operation.Permission) != 0
                   let acl = new AclDescription
                   {
                       Principal = "Role:" + role.Key,
                       Host = "*",
                       Operation = operation.Operation,
                       PermissionType = Allow,
                   }
                   where IsWanted(acl, request)
                   select acl,
            ],
        };
    }

    private static bool IsWanted(AclDescription acl, DescribeAclsRequest request) =>
        (request.PrincipalFilter is null || request.PrincipalFilter == acl.Principal)
        && (request.HostFilter is null || request.HostFilter == acl.Host)
        && (request.Operation == Any || request.Operation == acl.Operation)
        && (request.PermissionType == Any || request.PermissionType == Allow);

    private static bool IsWanted(DescribeAclsResource resource, DescribeAclsRequest request) =>
        request.ResourceNameFilter is not { } name
        || (request.PatternTypeFilter == Match
            ? Covers(resource, name)
            : name == resource.ResourceName
                && (request.PatternTypeFilter == Any || request.PatternTypeFilter == resource.PatternType));

    private static bool Covers(DescribeAclsResource resource, string name) =>
        resource.ResourceName == "*"
        || (resource.PatternType == Prefixed
            ? name.StartsWith(resource.ResourceName, StringComparison.Ordinal)
            : name == resource.ResourceName);
}
