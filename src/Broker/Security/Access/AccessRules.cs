using Pillarbox.Broker.Routing;
using Pillarbox.Model;

namespace Pillarbox.Broker.Security;

/// <summary>What the rules say of somebody and something.</summary>
internal readonly record struct RuleVerdict(Permission Given, Permission Denied);

/// <summary>The rules of an address space at one moment, indexed by name. Immutable.</summary>
internal sealed class AccessRules
{
    public static readonly AccessRules Empty = new([]);

    private const char WordSeparator = '.';
    private static readonly char[] Wildcards = ['*', '#'];

    private readonly Dictionary<(ResourceKind Kind, string Name), AccessRule[]> _exact;
    private readonly AccessRule[] _others;

    public AccessRules(IReadOnlyList<AccessRule> rules)
    {
        All = rules;
        _others = [.. rules.Where(rule => rule.IsPrefix || rule.Name == AccessRule.EveryName)];
        _exact = rules.Except(_others).GroupBy(rule => (rule.Kind, rule.Name))
            .ToDictionary(group => group.Key, group => group.ToArray());
    }

    public IReadOnlyList<AccessRule> All { get; }

    public bool IsEmpty => All.Count == 0;

    /// <summary>What the rules say of a name. For a name with wildcards a rule allows only if it covers all names that
    /// may match, and forbids if it covers one.</summary>
    public RuleVerdict Judge(Identity who, ResourceKind kind, string name)
    {
        var verdict = default(RuleVerdict);
        bool isPattern = kind == ResourceKind.Address && AddressPattern.IsWildcard(name);
        if (_exact.TryGetValue((kind, name), out AccessRule[]? exact))
        {
            verdict = Add(verdict, exact, who);
        }

        foreach (AccessRule rule in _others)
        {
            if (rule.Kind == kind && rule.IsFor(who) && (isPattern ? Touches(rule, name) : Covers(rule, name)))
            {
                verdict = Add(verdict, rule);
            }
        }

        return isPattern ? WithExactInside(verdict, who, name) : verdict;
    }

    /// <summary>Whether the rules let somebody make any address at all.</summary>
    public Permission GivenOnAll(Identity who) =>
        Judge(who, ResourceKind.Space, AccessRule.EveryName).Given & Permission.CreateAddress;

    /// <summary>Whether the rules let somebody write idempotently wherever somebody may write: one that forbids counts
    /// more.</summary>
    public bool GiveIdempotence(Identity who)
    {
        AccessRule[] about = [.. _others.Where(rule =>
            rule is { Kind: ResourceKind.Space, Operation: RuleOperation.IdempotentWrite or RuleOperation.All }
            && rule.IsFor(who))];
        return about.Length > 0 && !about.Any(rule => rule.IsDenial);
    }

    /// <summary>Whether the rules let somebody publish to at least one address.</summary>
    public bool GiveSendingSomewhere(Identity who)
    {
        AccessRule[] about = [.. All.Where(rule =>
            rule.Kind == ResourceKind.Address && rule.IsFor(who)
            && (RuleOperations.Denied(rule.Operation) & Permission.Send) != 0)];
        return about.Any(rule => !rule.IsDenial && !about.Any(other => other.IsDenial && TakesAll(other, rule)));
    }

    private static bool TakesAll(AccessRule denial, AccessRule rule) =>
        denial.Name == AccessRule.EveryName
        || (denial.IsPrefix && rule.Name != AccessRule.EveryName
            ? rule.Name.StartsWith(denial.Name, StringComparison.Ordinal)
            : denial.Name == rule.Name && !rule.IsPrefix);

    private RuleVerdict WithExactInside(RuleVerdict verdict, Identity who, string pattern)
    {
        foreach (((ResourceKind kind, string name), AccessRule[] rules) in _exact)
        {
            if (kind == ResourceKind.Address && AddressPattern.Matches(pattern, name))
            {
                verdict = Add(verdict, [.. rules.Where(rule => rule.IsDenial)], who);
            }
        }

        return verdict;
    }

    private static RuleVerdict Add(RuleVerdict verdict, AccessRule[] rules, Identity who)
    {
        foreach (AccessRule rule in rules)
        {
            verdict = rule.IsFor(who) ? Add(verdict, rule) : verdict;
        }

        return verdict;
    }

    private static RuleVerdict Add(RuleVerdict verdict, AccessRule rule) => rule.IsDenial
        ? verdict with { Denied = verdict.Denied | RuleOperations.Denied(rule.Operation) }
        : verdict with { Given = verdict.Given | RuleOperations.Given(rule.Operation) };

    private static bool Covers(AccessRule rule, string name) =>
        rule.Name == AccessRule.EveryName || (rule.IsPrefix && name.StartsWith(rule.Name, StringComparison.Ordinal));

    // "news.#" stands for "news" too: only what is before the last separator in front of the first wildcard is sure.
    private static bool Touches(AccessRule rule, string pattern)
    {
        string sure = pattern[..pattern.IndexOfAny(Wildcards)].TrimEnd(WordSeparator);
        return Covers(rule, sure)
            || (rule.IsDenial && rule.Name.StartsWith(sure, StringComparison.Ordinal));
    }
}
