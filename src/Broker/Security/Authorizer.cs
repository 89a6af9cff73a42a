using System.Collections.Concurrent;
using Pillarbox.Broker.Routing;
using Pillarbox.Model;

namespace Pillarbox.Broker.Security;

/// <summary>
/// The one place where permissions are decided. Blocks do not merge: of those that match a resource the single most
/// specific one is the whole truth, and what it does not give is denied. Thread-safe; immutable configuration swapped
/// whole.
/// </summary>
public sealed class Authorizer
{
    /// <summary>The most resources whose deciding blocks are remembered; beyond, the memory starts afresh.</summary>
    public const int CacheEntriesMax = 16_384;

    private static readonly AddressName EveryAddress = new(AddressPattern.AnyWords, null);

    private readonly WildcardTree<Block> _tree = new();
    private readonly Block[] _blocks = [];
    private readonly ConcurrentDictionary<AddressName, Block[]> _deciding = new();

    private readonly Dictionary<string, Authorizer> _spaces = [];

    internal Authorizer(
        SecurityConfig? config, IReadOnlyDictionary<string, SecurityConfig?> spaces, AccessRuleStore? rules = null)
        : this(config)
    {
        Rules = rules ?? AccessRuleStore.None;
        foreach ((string space, SecurityConfig? own) in spaces)
        {
            _spaces[space] = new Authorizer(own);
        }
    }

    internal Authorizer(SecurityConfig? config)
    {
        Config = config;
        if (config is null)
        {
            return;
        }

        string[] patterns = [.. config.Permissions.Keys];
        Array.Sort(patterns, AddressPattern.CompareSpecificity);
        _blocks = new Block[patterns.Length];
        for (int rank = 0; rank < patterns.Length; rank++)
        {
            string pattern = patterns[rank];
            if (Check(pattern) is { } fault)
            {
                throw new BrokerException(BrokerError.InvalidField, $"permissions for \"{pattern}\": {fault}");
            }

            _blocks[rank] = new Block(pattern, rank, config.Permissions[pattern]);
            if (!pattern.Contains(AddressName.Separator, StringComparison.Ordinal))
            {
                _tree.Add(pattern, _blocks[rank]);
            }
        }
    }

    /// <summary>The configuration in force; null: development mode, everybody may do everything.</summary>
    public SecurityConfig? Config { get; }

    /// <summary>The rules beside the configuration. One that denies counts more than all that allows, except against
    /// whom the configuration lets edit everything (<see cref="Permission.Edit"/> on <c>#</c>).</summary>
    public AccessRuleStore Rules { get; } = AccessRuleStore.None;

    /// <summary>The configuration in force in an address space.</summary>
    public SecurityConfig? ConfigOf(string addressSpace) => _spaces.GetValueOrDefault(addressSpace, this).Config;

    /// <summary>
    /// The grant, or <see cref="BrokerException"/> Unauthorized with a sentence that names user, permission and
    /// address.
    /// <paramref name="permission"/> may hold several flags; all are needed. A name with wildcards stands for every
    /// address that it matches, so it is granted only when no more specific block inside it says otherwise.
    /// </summary>
    public Grant Authorize(
        Identity identity, Permission permission, string addressSpace, AddressName name,
        ResourceKind kind = ResourceKind.Address)
    {
        if (!IsAllowed(identity, permission, addressSpace, name, kind))
        {
            throw new BrokerException(
                BrokerError.Unauthorized,
                $"user \"{identity.Name}\" does not have the permission {PermissionNames.Describe(permission)}"
                + $" on \"{name}\"");
        }

        return new Grant(identity, permission, addressSpace, name.Address, name.Queue);
    }

    /// <summary>Whether a user may be in an address space at all.</summary>
    public static bool MayEnter(Identity identity, string addressSpace) =>
        identity.AddressSpace is null || identity.AddressSpace == addressSpace;

    /// <summary>Whether <see cref="Authorize"/> would grant, without an exception: for lists that show only what a user
    /// may see.</summary>
    public bool IsAllowed(
        Identity identity, Permission permission, string addressSpace, AddressName name,
        ResourceKind kind = ResourceKind.Address)
    {
        if (!MayEnter(identity, addressSpace))
        {
            return false;
        }

        Authorizer own = _spaces.GetValueOrDefault(addressSpace, this);
        AccessRules rules = Rules.Of(addressSpace);
        return rules.IsEmpty || own.Config is null || ReferenceEquals(identity, Identity.Node)
            ? own.IsAllowed(identity, permission, name)
            : own.IsAllowed(identity, permission, name, kind, rules);
    }

    /// <summary>Whether a user may be an idempotent producer: who may publish to any address at all, or is allowed that
    /// by a rule about the address space as a whole.</summary>
    public bool MayWriteIdempotently(Identity identity, string addressSpace)
    {
        if (!MayEnter(identity, addressSpace))
        {
            return false;
        }

        Authorizer own = _spaces.GetValueOrDefault(addressSpace, this);
        AccessRules rules = Rules.Of(addressSpace);
        return own.Config is null || ReferenceEquals(identity, Identity.Node)
            || own._blocks.Any(block => (block.Given(identity.Roles) & Permission.Send) != 0)
            || rules.GiveSendingSomewhere(identity)
            || rules.GiveIdempotence(identity);
    }

    /// <summary>Whether <see cref="Authorize"/> would grant by this space's own blocks.</summary>
    internal bool IsAllowed(Identity identity, Permission permission, AddressName name) =>
        Config is null || ReferenceEquals(identity, Identity.Node)
            || IsGiven(identity, permission, name, Permission.None);

    private bool IsAllowed(
        Identity identity, Permission permission, AddressName name, ResourceKind kind, AccessRules rules)
    {
        string text = kind == ResourceKind.Space ? AccessRule.EveryName : name.Address;
        RuleVerdict verdict = rules.Judge(identity, kind, text);
        Permission given = verdict.Given;
        if (kind == ResourceKind.Address && (permission & Permission.CreateAddress) != 0)
        {
            given |= rules.GivenOnAll(identity);
        }

        bool isDenied = (verdict.Denied & permission) != 0
            && !IsGiven(identity, Permission.Edit, EveryAddress, Permission.None);
        return !isDenied && IsGiven(identity, permission, name, given);
    }

    private bool IsGiven(Identity identity, Permission permission, AddressName name, Permission byRules)
    {
        Block[] deciding = _deciding.TryGetValue(name, out Block[]? known) ? known : Resolve(name);
        foreach (Block block in deciding)
        {
            if (((block.Given(identity.Roles) | byRules) & permission) != permission)
            {
                return false;
            }
        }

        return deciding.Length > 0 || (byRules & permission) == permission;
    }

    /// <summary>A sentence that says what is wrong with the pattern of a block, or null. A block for
    /// <c>address::queue</c> is exact.</summary>
    public static string? Check(string pattern)
    {
        if (!pattern.Contains(AddressName.Separator, StringComparison.Ordinal))
        {
            return AddressPattern.Check(pattern);
        }

        if (!AddressName.TryParse(pattern, out AddressName name, out string? fault))
        {
            return fault;
        }

        return AddressPattern.IsWildcard(name.Address) || AddressPattern.IsWildcard(name.Queue)
            ? "a block for address::queue names exactly one queue and takes no wildcards"
            : null;
    }

    /// <summary>The blocks that must all grant: one for a plain name; none when nothing matches.</summary>
    private Block[] Resolve(AddressName name)
    {
        Block[] deciding = FindExact(name) is { } exact ? [exact]
            : AddressPattern.IsWildcard(name.Address) ? ForPattern(name.Address)
            : ForAddress(name.Address);
        if (_deciding.Count >= CacheEntriesMax)
        {
            _deciding.Clear();
        }

        _deciding[name] = deciding;
        return deciding;
    }

    private Block? FindExact(AddressName name)
    {
        string text = name.ToString();
        return name.Queue is null ? null : Array.Find(_blocks, block => block.Pattern == text);
    }

    private Block[] ForAddress(string address)
    {
        var matching = new List<Block>();
        _tree.Match(address, matching);
        return matching.Count == 0 ? [] : [matching.MaxBy(static block => block.Rank)!];
    }

    /// <summary>
    /// For all addresses under a wildcard at once: the most specific block that covers them all, and every block that
    /// covers some of them and is not less specific. (Otherwise a subscription to <c>news.#</c> would read
    /// <c>news.secret</c>, which its own block protects.)
    /// </summary>
    private Block[] ForPattern(string pattern)
    {
        Block? covering = null;
        var inside = new List<Block>();
        foreach (Block block in _blocks)
        {
            if (block.Pattern.Contains(AddressName.Separator, StringComparison.Ordinal))
            {
                continue;
            }

            if (AddressPattern.Covers(block.Pattern, pattern))
            {
                covering = block;
            }
            else if (AddressPattern.Overlaps(block.Pattern, pattern))
            {
                inside.Add(block);
            }
        }

        return covering is null ? [] : [covering, .. inside.Where(block => block.Rank > covering.Rank)];
    }

    private sealed class Block(string pattern, int rank, IReadOnlyDictionary<string, Permission> byRole)
    {
        public string Pattern { get; } = pattern;

        /// <summary>Greater is more specific.</summary>
        public int Rank { get; } = rank;

        public Permission Given(IReadOnlyList<string> roles)
        {
            Permission given = Permission.None;
            for (int i = 0; i < roles.Count; i++)
            {
                given |= byRole.GetValueOrDefault(roles[i]);
            }

            return given;
        }
    }
}

/// <summary>Permissions as the operator wrote them. Immutable.</summary>
public sealed record SecurityConfig
{
    /// <summary>Address pattern (or exact <c>address::queue</c>) to role to permissions; the single most specific
    /// matching block is the whole truth.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, Permission>> Permissions { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, Permission>>();
}
