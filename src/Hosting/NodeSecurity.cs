using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Broker.Security.Tokens;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Storage;

namespace Pillarbox.Hosting;

/// <summary>
/// Who may come in. With no users, no permissions and no demand for a login the node is open (development mode), and
/// then it listens on this machine only; the first user ends that, and there is no way back but a start.
/// </summary>
internal sealed class NodeSecurity : IDisposable
{
    /// <summary>What a role may do where the operator has written no permissions.</summary>
    internal static readonly IReadOnlyDictionary<string, Permission> DefaultRoles = new Dictionary<string, Permission>()
    {
        ["admin"] = All,
        ["client"] = Permission.Send | Permission.Consume | Permission.Browse | Permission.CreateAddress
            | Permission.CreateDurableQueue | Permission.CreateNonDurableQueue | Permission.DeleteNonDurableQueue,
        ["viewer"] = Permission.View | Permission.Browse,
    };

    internal const Permission All = (Permission)4095;

    private readonly SecuritySection _section;
    private readonly NodeSeams _seams;
    private readonly TokenKeysReader? _keys;
    private readonly TokenVerifier? _tokens;
    private volatile bool _isOpen;

    private NodeSecurity(SecuritySection section, LimitsConfig limits, UserStore users, NodeSeams seams)
    {
        _section = section;
        RefusalDelayMs = limits.LoginRefusalDelayMs;
        _seams = seams;
        Users = users;
        bool demandsLogin = section.Required || section.Permissions.Count > 0 || section.Tokens is not null;
        _isOpen = users.IsEmpty && !demandsLogin;
        if (section.Tokens is { } tokens)
        {
            _keys = new TokenKeysReader(tokens.Keys);
            _tokens = new TokenVerifier(OptionsOf(tokens, _keys, seams));
        }
    }

    /// <summary>The users.</summary>
    public UserStore Users { get; }

    /// <summary>Development mode: whoever connects may do everything.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Whether clients need not log in.</summary>
    public bool AllowAnonymous => _isOpen || _section.AllowAnonymous;

    /// <summary>The permissions; null in development mode.</summary>
    public SecurityConfig? Config => _isOpen ? null : ConfigOf(_section.Permissions);

    /// <summary>How long a refused login waits for its answer, in milliseconds.</summary>
    public int RefusalDelayMs { get; }

    /// <summary>Reads the users. Throws <see cref="StorageException"/> when their file cannot be used, and <see
    /// cref="StartException"/> when one is named that is not there: that nobody has to log in must not come of a slip.
    /// </summary>
    public static NodeSecurity Open(PillarboxConfig config, IFileSystem data, NodeSeams seams)
    {
        if (config.Security.UsersFile is { } named && !DiskFileSystem.Instance.Exists(named))
        {
            throw new StartException(
                $"the users file {named}: there is no such file, or it cannot be looked at; name another, or make it "
                    + "with 'pillarbox user add NAME --role admin' and the same configuration");
        }

        return new NodeSecurity(config.Security, config.Limits, NodeUsers.Open(config, data, seams), seams);
    }

    /// <summary>
    /// Refuses to open the node to the network while nobody has to log in. Throws <see cref="StartException"/>.
    /// </summary>
    public void CheckListeners(IReadOnlyList<ListenerPlan> plans)
    {
        ListenerPlan? exposed = IsOpen ? plans.FirstOrDefault(p => !p.IsLocal) : null;
        if (exposed is not null)
        {
            throw new StartException(
                $"listener {exposed.Name} ({exposed.Address}): refused, for without users anybody could connect; "
                    + "add a user (pillarbox user add NAME --role admin) or listen on 127.0.0.1");
        }
    }

    /// <summary>Says, once, that the node is open.</summary>
    public void Report(ILogger logger, IReadOnlyList<ListenerPlan> plans)
    {
        bool takesNobody = plans.All(plan =>
            plan.Peer is not { } peer
            || (peer is { CertificateUser: null, LoginService: null } && peer.Limits?.RequiresLogin != false));
        if (IsOpen)
        {
            NodeLog.Open(logger);
        }
        else if (Users.IsEmpty && !AllowAnonymous && _tokens is null && takesNobody)
        {
            NodeLog.NobodyCanLogIn(logger);
        }
    }

    /// <summary>Ends development mode if there are users now; true when it did.</summary>
    public bool TryClose()
    {
        if (!_isOpen || Users.IsEmpty)
        {
            return false;
        }

        _isOpen = false;
        return true;
    }

    /// <summary>How to log in, as things are now.</summary>
    public SaslServers Sasl() => new(_isOpen ? null : Users, _seams.Random, _tokens)
    {
        RefusalDelayMs = RefusalDelayMs,
        Time = _seams.Time,
    };

    public void Dispose()
    {
        Users.Dispose();
        _tokens?.Dispose();
        _keys?.Dispose();
    }

    private static TokenOptions OptionsOf(TokenSection tokens, TokenKeysReader keys, NodeSeams seams) => new()
    {
        Issuer = tokens.Issuer,
        Audiences = tokens.Audiences,
        NameClaim = tokens.NameClaim,
        RolesClaim = tokens.RolesClaim,
        Roles = tokens.Roles,
        AddressSpace = tokens.AddressSpace,
        ClockSkewMs = tokens.ClockSkewMs,
        KeysAgeMsMax = tokens.KeysAgeMsMax,
        ReadKeys = keys.ReadAsync,
        Time = seams.Time,
    };

    /// <summary>The permissions of an address space that has its own; null: the node's count.</summary>
    public static SecurityConfig? Of(AddressSpaceConfig space) =>
        space.Permissions.Count == 0 ? null : ConfigOf(space.Permissions);

    private static SecurityConfig ConfigOf(
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, IReadOnlyList<Permission>>> written) => new()
        {
            Permissions = written.Count > 0
            ? written.ToDictionary(block => block.Key, block => Roles(block.Value))
            : new Dictionary<string, IReadOnlyDictionary<string, Permission>> { ["#"] = DefaultRoles },
        };

    private static IReadOnlyDictionary<string, Permission> Roles(
        IReadOnlyDictionary<string, IReadOnlyList<Permission>> written) =>
        written.ToDictionary(
            role => role.Key,
            role => role.Value.Aggregate(Permission.None, (all, one) => all | one));
}
