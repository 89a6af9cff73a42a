using Pillarbox.Protocols.Amqp.Logins;
using Pillarbox.Protocols.Amqp.Routed;

namespace Pillarbox.Protocols.Amqp.Policy;

/// <summary>
/// Who may connect to the router, and what for: the operator's rules by virtual host and group of users. Immutable; the
/// same question always has the same answer.
/// </summary>
public sealed record PolicyRules
{
    /// <summary>The group of connections that the node makes.</summary>
    public const string ConnectorGroup = "$connector";

    /// <summary>The group of users that no other names.</summary>
    public const string DefaultGroup = "$default";

    /// <summary>Whether virtual hosts count; when not, only the number of connections is bounded.</summary>
    public bool IsEnabled { get; init; }

    /// <summary>Whether names of virtual hosts are patterns.</summary>
    public bool TakesNamePatterns { get; init; }

    /// <summary>The virtual host of connections whose own there is not; empty: they are denied.</summary>
    public string DefaultVhost { get; init; } = "$default";

    /// <summary>Connections of the node at a time.</summary>
    public int MaxConnections { get; init; } = 65535;

    /// <summary>The longest message, in bytes; 0: as the node has it.</summary>
    public long MaxMessageBytes { get; init; }

    /// <summary>The virtual hosts.</summary>
    public IReadOnlyList<VhostPolicy> Vhosts { get; init; } = [];

    /// <summary>The rules for a connection, as far as numbers of connections do not matter.</summary>
    public PolicyFinding Find(in PolicyRequest request)
    {
        VhostPolicy? vhost = FindVhost(request.ListenerVhost ?? request.Hostname)
            ?? (request.ListenerVhost is null ? FindVhost(request.AddressSpace) : null)
            ?? (DefaultVhost.Length > 0 ? FindVhost(DefaultVhost) : null);
        if (vhost is null)
        {
            return PolicyFinding.Denied(null,
                $"there is no virtual host '{request.ListenerVhost ?? request.Hostname}'");
        }

        string name = request.IsByNode ? ConnectorGroup : vhost.GroupOf(request.User);
        if (name.Length == 0)
        {
            return PolicyFinding.Denied(vhost, $"the user '{request.User}' is in no group of '{vhost.Hostname}'");
        }

        if (!vhost.Groups.TryGetValue(name, out GroupPolicy? group))
        {
            return PolicyFinding.Denied(vhost, $"'{vhost.Hostname}' has no group '{name}'");
        }

        return request.IsByNode || group.RemoteHosts.Contains(request.RemoteHost)
            ? new PolicyFinding(vhost, name, group, null)
            : PolicyFinding.Denied(vhost, $"the group '{name}' does not connect from '{request.RemoteHost}'");
    }

    private VhostPolicy? FindVhost(string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return null;
        }

        foreach (VhostPolicy vhost in Vhosts)
        {
            if (vhost.Hostname == name || vhost.Aliases.Contains(name))
            {
                return vhost;
            }
        }

        return TakesNamePatterns ? FindByPattern(name) : null;
    }

    private VhostPolicy? FindByPattern(string name)
    {
        VhostPolicy? found = null;
        TokenPattern? best = null;
        string[] tokens = TokenPattern.TokensOf(name);
        foreach (VhostPolicy vhost in Vhosts)
        {
            foreach (string text in vhost.Aliases.Prepend(vhost.Hostname))
            {
                TokenPattern pattern = TokenPattern.Parse(text);
                if (pattern.Matches(tokens) && (best is null || TokenPattern.Compare(pattern, best) < 0))
                {
                    (found, best) = (vhost, pattern);
                }
            }
        }

        return found;
    }
}

/// <summary>A connection that asks to be let in.</summary>
public readonly record struct PolicyRequest
{
    /// <summary>Who logged in.</summary>
    public required string User { get; init; }

    /// <summary>Where it comes from: a network address without a port; empty: not from the network.</summary>
    public required string RemoteHost { get; init; }

    /// <summary>The host in the peer's open; null: none.</summary>
    public string? Hostname { get; init; }

    /// <summary>The address space that it is in.</summary>
    public string AddressSpace { get; init; }

    /// <summary>The virtual host of all connections of its listener or connector; null: the open's host.</summary>
    public string? ListenerVhost { get; init; }

    /// <summary>Whether the node makes it.</summary>
    public bool IsByNode { get; init; }

    /// <summary>What it may use besides, as who has logged it in says; null: everything.</summary>
    public LoginRights? Rights { get; init; }
}

/// <summary>The rules that are for a connection, or why there are none.</summary>
/// <param name="Vhost">The virtual host; null: there is none for it.</param>
/// <param name="GroupName">The group's name.</param>
/// <param name="Group">The group; null: the connection is denied.</param>
/// <param name="Denial">Why it is denied, for the operator; null: it is not.</param>
public readonly record struct PolicyFinding(VhostPolicy? Vhost, string GroupName, GroupPolicy? Group, string? Denial)
{
    /// <summary>No rules: it may not come in.</summary>
    public static PolicyFinding Denied(VhostPolicy? vhost, string why) => new(vhost, "", null, why);
}

/// <summary>The rules of a virtual host.</summary>
public sealed record VhostPolicy
{
    private const string AnyUser = "*";

    /// <summary>Its name, as the peer's open gives it.</summary>
    public required string Hostname { get; init; }

    /// <summary>Other names of it.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Connections at a time.</summary>
    public int MaxConnections { get; init; } = 65535;

    /// <summary>Connections of one user at a time.</summary>
    public int MaxConnectionsPerUser { get; init; } = 65535;

    /// <summary>Connections from one host at a time.</summary>
    public int MaxConnectionsPerHost { get; init; } = 65535;

    /// <summary>The longest message, in bytes; null: as the node's policy has it.</summary>
    public long? MaxMessageBytes { get; init; }

    /// <summary>Whether users that no group names are in <see cref="PolicyRules.DefaultGroup"/>.</summary>
    public bool AllowsUnknownUsers { get; init; }

    /// <summary>The groups by name.</summary>
    public IReadOnlyDictionary<string, GroupPolicy> Groups { get; init; } = new Dictionary<string, GroupPolicy>();

    /// <summary>The name of a user's group: that which names it, else that which names <c>*</c>; empty: it has
    /// none.</summary>
    public string GroupOf(string user) => GroupThatNames(user) ?? GroupThatNames(AnyUser)
        ?? (AllowsUnknownUsers ? PolicyRules.DefaultGroup : "");

    private string? GroupThatNames(string user)
    {
        foreach ((string name, GroupPolicy group) in Groups)
        {
            if (group.Users.Contains(user))
            {
                return name;
            }
        }

        return null;
    }
}

/// <summary>The rules of a group of users.</summary>
public sealed record GroupPolicy
{
    /// <summary>Its users; <c>*</c>: who is in no other group.</summary>
    public IReadOnlySet<string> Users { get; init; } = new HashSet<string>();

    /// <summary>Where they connect from.</summary>
    public HostRanges RemoteHosts { get; init; } = HostRanges.None;

    /// <summary>Connections of one user at a time; null: as the virtual host has it.</summary>
    public int? MaxConnectionsPerUser { get; init; }

    /// <summary>Connections from one host at a time; null: as the virtual host has it.</summary>
    public int? MaxConnectionsPerHost { get; init; }

    /// <summary>The longest message, in bytes; null: as the virtual host has it.</summary>
    public long? MaxMessageBytes { get; init; }

    /// <summary>The longest frame, in bytes; null: as the node has it.</summary>
    public int? MaxFrameBytes { get; init; }

    /// <summary>Bytes of transfers that a session takes at a time; null: as the node has it.</summary>
    public int? MaxSessionWindowBytes { get; init; }

    /// <summary>Sessions of a connection; null: as the node has it.</summary>
    public int? MaxSessions { get; init; }

    /// <summary>Links of a connection that send.</summary>
    public int MaxSenders { get; init; } = int.MaxValue;

    /// <summary>Links of a connection that receive.</summary>
    public int MaxReceivers { get; init; } = int.MaxValue;

    /// <summary>Sources that the node makes an address for.</summary>
    public bool AllowsDynamicSource { get; init; }

    /// <summary>Senders whose messages name their address themselves.</summary>
    public bool AllowsAnonymousSender { get; init; }

    /// <summary>Messages that name another user.</summary>
    public bool AllowsUserIdProxy { get; init; }

    /// <summary>Links of a waypoint.</summary>
    public bool AllowsWaypointLinks { get; init; } = true;

    /// <summary>Links of a fallback destination.</summary>
    public bool AllowsFallbackLinks { get; init; } = true;

    /// <summary>Link routes that a connection makes for itself.</summary>
    public bool AllowsDynamicLinkRoutes { get; init; } = true;

    /// <summary>Connections that an operator's request closes.</summary>
    public bool AllowsAdminStatusUpdate { get; init; } = true;

    /// <summary>Addresses to receive from.</summary>
    public AllowedAddresses Sources { get; init; } = AllowedAddresses.None;

    /// <summary>Addresses to send to.</summary>
    public AllowedAddresses Targets { get; init; } = AllowedAddresses.None;
}
