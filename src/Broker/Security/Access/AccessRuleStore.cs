using System.Collections.Concurrent;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Security;

/// <summary>
/// The rules of all address spaces, in one file of the data directory, which is replaced whole with each change. What
/// is asked of the <see cref="Authorizer"/> after a change is answered by it. Any thread.
/// </summary>
public sealed class AccessRuleStore
{
    /// <summary>The file's name.</summary>
    public const string FileName = "access-rules.json";

    /// <summary>The most rules of an address space.</summary>
    public const int RulesMax = 10_000;

    private readonly IFileSystem? _files;
    private readonly string _path;
    private readonly ConcurrentDictionary<string, AccessRules> _spaces = new(StringComparer.Ordinal);

    // Rare: an operator changes a rule. Whoever asks for a permission does not take it.
    private readonly Lock _changes = new();

    private AccessRuleStore(IFileSystem? files, string path)
    {
        _files = files;
        _path = path;
    }

    /// <summary>No rules, and nowhere to keep any.</summary>
    internal static AccessRuleStore None { get; } = new(null, FileName);

    /// <summary>Reads the file; none: no rules. Throws <see cref="StorageException"/> when it cannot be used: a node
    /// that forgot what it must deny does not start.</summary>
    public static AccessRuleStore Open(IFileSystem files, string directory)
    {
        var store = new AccessRuleStore(files, $"{directory}/{FileName}");
        if (WholeFile.Read(files, store._path, AccessRuleFile.BytesMax) is { } bytes)
        {
            foreach ((string space, IReadOnlyList<AccessRule> rules) in AccessRuleFile.Parse(bytes, store._path).Rules)
            {
                store._spaces[space] = new AccessRules(rules);
            }
        }

        return store;
    }

    /// <summary>The rules of an address space. The grant is for <see cref="Permission.View"/> on <c>#</c>.</summary>
    public IReadOnlyList<AccessRule> List(in Grant grant)
    {
        RequireGrant(grant);
        return Of(grant.AddressSpace).All;
    }

    /// <summary>
    /// Adds rules, all or none; one that is there already stays. On disk when it returns. The grant is for
    /// <see cref="Permission.Edit"/> and <see cref="Permission.Manage"/> on <c>#</c>. Errors:
    /// <see cref="BrokerException"/> InvalidField, ResourceLimitExceeded; <see cref="StorageException"/>.
    /// </summary>
    public void Add(in Grant grant, IReadOnlyList<AccessRule> rules)
    {
        RequireGrant(grant);
        if (rules.Select(rule => rule.Fault()).FirstOrDefault(fault => fault is not null) is { } fault)
        {
            throw new BrokerException(BrokerError.InvalidField, fault);
        }

        string space = grant.AddressSpace;
        lock (_changes)
        {
            AccessRule[] next = [.. Of(space).All.Union(rules)];
            if (next.Length > RulesMax)
            {
                throw new BrokerException(BrokerError.ResourceLimitExceeded, $"at most {RulesMax} rules are kept");
            }

            Replace(space, next);
        }
    }

    /// <summary>Removes the rules for which a condition holds, and returns them; on disk when it returns. Grant and
    /// errors as for <see cref="Add"/>.</summary>
    public IReadOnlyList<AccessRule> Remove(in Grant grant, Predicate<AccessRule> which)
    {
        RequireGrant(grant);
        string space = grant.AddressSpace;
        lock (_changes)
        {
            AccessRule[] removed = [.. Of(space).All.Where(rule => which(rule))];
            if (removed.Length > 0)
            {
                Replace(space, [.. Of(space).All.Except(removed)]);
            }

            return removed;
        }
    }

    internal AccessRules Of(string addressSpace) => _spaces.GetValueOrDefault(addressSpace, AccessRules.Empty);

    private void Replace(string space, AccessRule[] rules)
    {
        Dictionary<string, IReadOnlyList<AccessRule>> all = _spaces.ToDictionary(s => s.Key, s => s.Value.All);
        all[space] = rules;
        WholeFile.Replace(_files!, _path, new AccessRuleFile { Rules = all }.ToBytes());
        _spaces[space] = new AccessRules(rules);
    }

    private static void RequireGrant(in Grant grant) =>
        Invariant.That(grant.Address == "#", "the grant is for the whole address space");
}
