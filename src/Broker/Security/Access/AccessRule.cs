using Pillarbox.Model;

namespace Pillarbox.Broker.Security;

/// <summary>What a permission is asked for. The configuration's permissions hold for addresses, groups and transactions
/// of a name alike; a rule holds for one kind.</summary>
public enum ResourceKind
{
    /// <summary>An address: queues and streams.</summary>
    Address,

    /// <summary>A consumer group.</summary>
    Group,

    /// <summary>A transactional id.</summary>
    Transaction,

    /// <summary>The address space as a whole.</summary>
    Space,
}

/// <summary>What a rule is about. Each stands for permissions: see <see cref="RuleOperations"/>.</summary>
public enum RuleOperation
{
    /// <summary>Everything.</summary>
    All,

    /// <summary>Consume and browse.</summary>
    Read,

    /// <summary>Publish.</summary>
    Write,

    /// <summary>Make addresses and queues.</summary>
    Create,

    /// <summary>Delete addresses and queues.</summary>
    Delete,

    /// <summary>Operations that change.</summary>
    Alter,

    /// <summary>See what is there.</summary>
    Describe,

    /// <summary>See settings.</summary>
    DescribeSettings,

    /// <summary>Change settings.</summary>
    AlterSettings,

    /// <summary>Get an identity as an idempotent producer, which whoever may publish anywhere gets without. Only on the
    /// address space as a whole.</summary>
    IdempotentWrite,
}

/// <summary>For whom a rule is.</summary>
public enum RuleSubject
{
    /// <summary>Everybody.</summary>
    Everybody,

    /// <summary>The user of a name.</summary>
    User,

    /// <summary>Whoever has a role.</summary>
    Role,
}

/// <summary>
/// A rule beside the configured permissions: who may, or may not, do what. Immutable.
/// </summary>
/// <param name="Kind">What the name is of.</param>
/// <param name="Name">The name, its beginning, or <c>*</c> for every name.</param>
/// <param name="IsPrefix">Whether <paramref name="Name"/> is a beginning.</param>
/// <param name="Subject">For whom.</param>
/// <param name="SubjectName">The user's or the role's name; empty for everybody.</param>
/// <param name="Operation">What.</param>
/// <param name="IsDenial">Whether it forbids: that counts more than all that allows.</param>
public sealed record AccessRule(
    ResourceKind Kind, string Name, bool IsPrefix, RuleSubject Subject, string SubjectName, RuleOperation Operation,
    bool IsDenial)
{
    /// <summary>The name that means every name.</summary>
    public const string EveryName = "*";

    /// <summary>The longest name in a rule, in characters.</summary>
    public const int NameCharsMax = 1024;

    /// <summary>Whether the rule is for this identity.</summary>
    public bool IsFor(Identity who) => Subject switch
    {
        RuleSubject.User => !who.IsAnonymous && who.Name == SubjectName,
        RuleSubject.Role => who.Roles.Contains(SubjectName),
        _ => true,
    };

    /// <summary>What is wrong with the rule; null when nothing is.</summary>
    public string? Fault() =>
        Name.Length is 0 or > NameCharsMax ? $"a rule's name has 1 to {NameCharsMax} characters"
        : Subject != RuleSubject.Everybody && SubjectName.Length is 0 or > NameCharsMax
            ? $"the name of a user or role has 1 to {NameCharsMax} characters"
        : Name != EveryName && Routing.AddressPattern.IsWildcard(Name)
            ? "a rule names a thing, the beginning of names, or * for all: patterns belong into the configuration"
        : Operation == RuleOperation.IdempotentWrite && Kind != ResourceKind.Space
            ? "to write idempotently is allowed on the address space as a whole"
        : !Enum.IsDefined(Kind) || !Enum.IsDefined(Operation) || !Enum.IsDefined(Subject) ? "the rule is damaged"
        : null;
}

/// <summary>The permissions behind operations.</summary>
public static class RuleOperations
{
    private const Permission Everything = (Permission)4095;

    /// <summary>What a rule that allows the operation gives: who may use a thing may also see it.</summary>
    public static Permission Given(RuleOperation operation) => operation switch
    {
        RuleOperation.Read or RuleOperation.Write or RuleOperation.Delete or RuleOperation.Alter
            or RuleOperation.AlterSettings => Denied(operation) | Permission.View,
        _ => Denied(operation),
    };

    /// <summary>What a rule that forbids the operation takes.</summary>
    public static Permission Denied(RuleOperation operation) => operation switch
    {
        RuleOperation.All => Everything,
        RuleOperation.Read => Permission.Consume | Permission.Browse,
        RuleOperation.Write => Permission.Send,
        RuleOperation.Create =>
            Permission.CreateAddress | Permission.CreateDurableQueue | Permission.CreateNonDurableQueue,
        RuleOperation.Delete =>
            Permission.DeleteAddress | Permission.DeleteDurableQueue | Permission.DeleteNonDurableQueue,
        RuleOperation.Alter => Permission.Manage,
        RuleOperation.AlterSettings => Permission.Edit,
        RuleOperation.IdempotentWrite => Permission.None,
        _ => Permission.View,
    };
}
