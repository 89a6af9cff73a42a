using System.ComponentModel;

namespace Pillarbox.Hosting.Configuration;

/// <summary>Who may connect to the router, and what for, beside permissions. The names are those of
/// <c>qdrouterd.conf</c>.</summary>
public sealed record RouterPolicyConfig
{
    /// <summary>Connections of the node at a time.</summary>
    [Description("AMQP connections of clients at a time.")]
    public int MaxConnections { get; init; } = 65535;

    /// <summary>The longest message, in bytes; 0: as the node has it.</summary>
    [Description("The longest message, in bytes; 0: as the node has it.")]
    public long MaxMessageSize { get; init; }

    /// <summary>Whether virtual hosts count.</summary>
    [Description("The rules of 'vhosts' count: who has none there is denied.")]
    public bool EnableVhostPolicy { get; init; }

    /// <summary>Whether names of virtual hosts are patterns.</summary>
    [Description("Names of 'vhosts' are patterns: tokens between '.' or '/', '*' is one, '#' none or more.")]
    public bool EnableVhostNamePatterns { get; init; }

    /// <summary>A directory of files with further virtual hosts.</summary>
    [Description("A directory of JSON files with further virtual hosts: a list of [\"vhost\", {...}] each.")]
    public string? PolicyDir { get; init; }

    /// <summary>The virtual host of connections whose own there is not.</summary>
    [Description("The virtual host of connections whose own there is not; empty: they are denied.")]
    public string DefaultVhost { get; init; } = "$default";
}

/// <summary>The rules of a virtual host: of connections whose open names it, whose address space it is, or whose
/// listener says so.</summary>
public sealed record VhostConfig
{
    /// <summary>What management calls it; null: by its host.</summary>
    internal string? Name { get; init; }

    /// <summary>Other names of it.</summary>
    [Description("Other names of it.")]
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Connections at a time.</summary>
    [Description("Connections at a time.")]
    public int MaxConnections { get; init; } = 65535;

    /// <summary>Connections of one user at a time.</summary>
    [Description("Connections of one user at a time.")]
    public int MaxConnectionsPerUser { get; init; } = 65535;

    /// <summary>Connections from one host at a time.</summary>
    [Description("Connections from one host at a time.")]
    public int MaxConnectionsPerHost { get; init; } = 65535;

    /// <summary>The longest message, in bytes; null: as the policy has it.</summary>
    [Description("The longest message, in bytes; absent: as 'policy' has it.")]
    public long? MaxMessageSize { get; init; }

    /// <summary>Whether users that no group names are in the group <c>$default</c>.</summary>
    [Description("Users that no group names are in the group '$default'.")]
    public bool AllowUnknownUser { get; init; }

    /// <summary>Groups of users by name.</summary>
    [Description(
        "Groups of users by name; '$default': users that no group names; '$connector': connections that the node "
        + "makes.")]
    public IReadOnlyDictionary<string, VhostGroupConfig> Groups { get; init; } =
        new Dictionary<string, VhostGroupConfig>();
}

/// <summary>The rules of a group of users.</summary>
public sealed record VhostGroupConfig
{
    /// <summary>Its users.</summary>
    [Description("Its users; '*': who is in no other group.")]
    public IReadOnlyList<string> Users { get; init; } = [];

    /// <summary>Where they connect from.</summary>
    [Description("Where they connect from: '*', names, addresses, first-last, network/bits.")]
    public IReadOnlyList<string> RemoteHosts { get; init; } = [];

    /// <summary>Connections of one user at a time; null: as the virtual host has it.</summary>
    [Description("Connections of one user at a time; absent: as the virtual host has it.")]
    public int? MaxConnectionsPerUser { get; init; }

    /// <summary>Connections from one host at a time; null: as the virtual host has it.</summary>
    [Description("Connections from one host at a time; absent: as the virtual host has it.")]
    public int? MaxConnectionsPerHost { get; init; }

    /// <summary>The longest message, in bytes; null: as the virtual host has it.</summary>
    [Description("The longest message, in bytes; absent: as the virtual host has it.")]
    public long? MaxMessageSize { get; init; }

    /// <summary>The longest frame, in bytes; null: as the node has it.</summary>
    [Description("The longest frame, in bytes; absent: as the node has it.")]
    public int? MaxFrameSize { get; init; }

    /// <summary>Bytes of transfers that a session takes at a time; null: as the node has it.</summary>
    [Description("Bytes of transfers that a session takes at a time; absent: as the node has it.")]
    public int? MaxSessionWindow { get; init; }

    /// <summary>Sessions of a connection; null: as the node has it.</summary>
    [Description("Sessions of a connection; absent: as the node has it.")]
    public int? MaxSessions { get; init; }

    /// <summary>Links of a connection that send.</summary>
    [Description("Links of a connection that send; 0: none.")]
    public int MaxSenders { get; init; } = int.MaxValue;

    /// <summary>Links of a connection that receive.</summary>
    [Description("Links of a connection that receive; 0: none.")]
    public int MaxReceivers { get; init; } = int.MaxValue;

    /// <summary>Sources that the node makes an address for.</summary>
    [Description("Sources that the node makes an address for are allowed.")]
    public bool AllowDynamicSource { get; init; }

    /// <summary>Senders whose messages name their address themselves.</summary>
    [Description("Senders whose messages name their address themselves are allowed.")]
    public bool AllowAnonymousSender { get; init; }

    /// <summary>Messages that name another user.</summary>
    [Description("Messages that name another user than the one that logged in are allowed.")]
    public bool AllowUserIdProxy { get; init; }

    /// <summary>Links of a waypoint.</summary>
    [Description("Links of a waypoint are allowed.")]
    public bool AllowWaypointLinks { get; init; } = true;

    /// <summary>Links of a fallback destination.</summary>
    [Description("Links of a fallback destination are allowed.")]
    public bool AllowFallbackLinks { get; init; } = true;

    /// <summary>Link routes that a connection makes for itself.</summary>
    [Description("Link routes that a connection makes for itself are allowed.")]
    public bool AllowDynamicLinkRoutes { get; init; } = true;

    /// <summary>Connections that an operator's request closes.</summary>
    [Description("Requests of these users may close connections.")]
    public bool AllowAdminStatusUpdate { get; init; } = true;

    /// <summary>Addresses to receive from.</summary>
    [Description(
        "Addresses to receive from, '*' at the end: what begins so; ${user} and ${host} are the connection's.")]
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>Addresses to send to.</summary>
    [Description("Addresses to send to, '*' at the end: what begins so; ${user} and ${host} are the connection's.")]
    public IReadOnlyList<string> Targets { get; init; } = [];

    /// <summary>Patterns of addresses to receive from, instead of <see cref="Sources"/>.</summary>
    [Description("Patterns of addresses to receive from, instead of 'sources'.")]
    public IReadOnlyList<string> SourcePattern { get; init; } = [];

    /// <summary>Patterns of addresses to send to, instead of <see cref="Targets"/>.</summary>
    [Description("Patterns of addresses to send to, instead of 'targets'.")]
    public IReadOnlyList<string> TargetPattern { get; init; } = [];
}
