using Pillarbox.Broker.Security;

namespace Pillarbox.Protocols.Kafka;

/// <summary>An ACL in the protocol's numbers and words.</summary>
internal readonly record struct Acl(
    sbyte ResourceType, string ResourceName, sbyte PatternType, string Principal, string Host, sbyte Operation,
    sbyte PermissionType);

/// <summary>
/// ACLs and the rules of the node's authorizer. Topics are addresses; groups, transactional ids and the cluster are
/// what they are. Delegation tokens, users, hosts, and operations that mean nothing on one node cannot be mapped.
/// </summary>
internal static class Acls
{
    public const sbyte Any = 1;
    public const sbyte Match = 2;
    public const sbyte Literal = 3;
    public const sbyte Prefixed = 4;
    public const sbyte Topic = 2;

    private const sbyte Group = 3;
    private const sbyte Cluster = 4;
    private const sbyte TransactionalId = 5;
    private const sbyte Deny = 2;
    private const sbyte Allow = 3;
    private const string ClusterName = "kafka-cluster";
    private const string EveryHost = "*";
    private const string UserPrefix = "User:";
    private const string RolePrefix = "Role:";

    private static readonly (sbyte Number, RuleOperation Operation)[] Operations =
    [
        (2, RuleOperation.All), (3, RuleOperation.Read), (4, RuleOperation.Write), (5, RuleOperation.Create),
        (6, RuleOperation.Delete), (7, RuleOperation.Alter), (8, RuleOperation.Describe),
        (10, RuleOperation.DescribeSettings), (11, RuleOperation.AlterSettings), (12, RuleOperation.IdempotentWrite),
    ];

    /// <summary>The rule of an ACL; a sentence says why there is none.</summary>
    public static string? Read(in Acl acl, out AccessRule? rule)
    {
        rule = null;
        ResourceKind? kind = KindOf(acl.ResourceType);
        sbyte number = acl.Operation;
        int operation = Array.FindIndex(Operations, o => o.Number == number);
        string? fault = kind is null ? "only topics, groups, transactional ids and the cluster have ACLs here"
            : operation < 0 ? FaultOf(acl.Operation)
            : acl.Host != EveryHost ? "ACLs hold for every host here: write * as the host"
            : acl.PermissionType is not (Deny or Allow) ? "an ACL allows or denies"
            : acl.PatternType is not (Literal or Prefixed) ? "the pattern of an ACL is literal or prefixed"
            : kind == ResourceKind.Space && (acl.ResourceName != ClusterName || acl.PatternType != Literal)
                ? $"the cluster's name is {ClusterName}"
            : !TryPrincipal(acl.Principal, out RuleSubject subject, out string name)
                ? $"the principal is {UserPrefix}name, {UserPrefix}* or {RolePrefix}name"
            : Make(acl, kind.Value, (subject, name), Operations[operation].Operation, out rule);
        return fault;
    }

    /// <summary>The ACL of a rule.</summary>
    public static Acl Write(AccessRule rule) => new(
        TypeOf(rule.Kind),
        rule.Kind == ResourceKind.Space ? ClusterName : rule.Name,
        rule.IsPrefix ? Prefixed : Literal,
        rule.Subject switch
        {
            RuleSubject.User => UserPrefix + rule.SubjectName,
            RuleSubject.Role => RolePrefix + rule.SubjectName,
            _ => UserPrefix + "*",
        },
        EveryHost,
        Array.Find(Operations, o => o.Operation == rule.Operation).Number,
        rule.IsDenial ? Deny : Allow);

    /// <summary>Permissions that the configuration gives a role, as ACLs that nobody can change.</summary>
    public static IEnumerable<Acl> Configured(SecurityConfig config)
    {
        foreach ((string pattern, IReadOnlyDictionary<string, Permission> roles) in config.Permissions)
        {
            bool isAll = pattern == "#";
            bool isPrefix = !isAll && pattern.EndsWith('#');
            string name = isAll ? AccessRule.EveryName : isPrefix ? pattern[..^1] : pattern;
            foreach ((string role, Permission given) in roles)
            {
                foreach ((sbyte number, RuleOperation operation) in Operations)
                {
                    if (operation != RuleOperation.All && (given & RuleOperations.Denied(operation)) != 0)
                    {
                        sbyte type = isPrefix ? Prefixed : Literal;
                        yield return new Acl(Topic, name, type, RolePrefix + role, EveryHost, number, Allow);
                    }
                }
            }
        }
    }

    /// <summary>Whether an ACL fits a filter: null and <see cref="Any"/> fit everything; the pattern type
    /// <see cref="Match"/> fits whatever would count for a thing of the filter's name.</summary>
    public static bool Fits(in Acl acl, sbyte type, string? name, sbyte pattern, in AclFilter rest) =>
        (type == Any || type == acl.ResourceType)
        && (rest.Principal is null || rest.Principal == acl.Principal)
        && (rest.Host is null || rest.Host == acl.Host)
        && (rest.Operation == Any || rest.Operation == acl.Operation)
        && (rest.PermissionType == Any || rest.PermissionType == acl.PermissionType)
        && FitsName(acl, name, pattern);

    private static bool FitsName(in Acl acl, string? name, sbyte pattern)
    {
        bool samePattern = pattern is Any or Match || pattern == acl.PatternType;
        if (name is null || pattern != Match)
        {
            return samePattern && (name is null || name == acl.ResourceName);
        }

        return acl.PatternType == Prefixed
            ? name.StartsWith(acl.ResourceName, StringComparison.Ordinal)
            : acl.ResourceName == AccessRule.EveryName || acl.ResourceName == name;
    }

    private static string? Make(
        in Acl acl, ResourceKind kind, (RuleSubject Subject, string Name) who, RuleOperation operation,
        out AccessRule? rule)
    {
        string name = kind == ResourceKind.Space ? AccessRule.EveryName : acl.ResourceName;
        rule = new AccessRule(
            kind, name, acl.PatternType == Prefixed, who.Subject, who.Name, operation, acl.PermissionType == Deny);
        return rule.Fault();
    }

    private static bool TryPrincipal(string principal, out RuleSubject subject, out string name)
    {
        (subject, name) = (RuleSubject.Everybody, "");
        if (principal == UserPrefix + "*")
        {
            return true;
        }

        subject = principal.StartsWith(RolePrefix, StringComparison.Ordinal) ? RuleSubject.Role : RuleSubject.User;
        string prefix = subject == RuleSubject.Role ? RolePrefix : UserPrefix;
        bool good = principal.StartsWith(prefix, StringComparison.Ordinal) && principal.Length > prefix.Length;
        name = good ? principal[prefix.Length..] : "";
        return good;
    }

    private static string FaultOf(sbyte operation) => operation switch
    {
        9 => "there is no other node that could act on the cluster",
        _ => "there is nothing here that this operation could be done to",
    };

    private static ResourceKind? KindOf(sbyte type) => type switch
    {
        Topic => ResourceKind.Address,
        Group => ResourceKind.Group,
        Cluster => ResourceKind.Space,
        TransactionalId => ResourceKind.Transaction,
        _ => null,
    };

    private static sbyte TypeOf(ResourceKind kind) => kind switch
    {
        ResourceKind.Group => Group,
        ResourceKind.Transaction => TransactionalId,
        ResourceKind.Space => Cluster,
        _ => Topic,
    };
}

/// <summary>The part of a filter that is not about the resource.</summary>
internal readonly record struct AclFilter(string? Principal, string? Host, sbyte Operation, sbyte PermissionType);
