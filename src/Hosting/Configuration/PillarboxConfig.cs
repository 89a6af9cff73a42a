using System.ComponentModel;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Addresses;
using Pillarbox.Model;
using RolePermissions = System.Collections.Generic.IReadOnlyDictionary<
    string, System.Collections.Generic.IReadOnlyList<Pillarbox.Broker.Security.Permission>>;

namespace Pillarbox.Hosting.Configuration;

/// <summary>Everything the operator may write. Immutable; made by <see cref="ConfigLoader"/> or in code.</summary>
public sealed record PillarboxConfig
{
    /// <summary>The path that means: keep everything in memory, nothing survives.</summary>
    public const string InMemory = ":memory:";

    /// <summary>Where the schema of this file is; for editors only.</summary>
    [Description("Where the schema of this file is; for editors only.")]
    [JsonPropertyName("$schema")]
    public string? Schema { get; init; }

    /// <summary>
    /// The directory of journal, snapshots and users; relative to the working directory; <c>:memory:</c> keeps
    /// nothing.
    /// </summary>
    [Description(
        "The directory of journal, snapshots and users, relative to the working directory; ':memory:' keeps "
        + "nothing.")]
    public string DataDirectory { get; init; } = "./data";

    /// <summary>
    /// Listeners by name; none configured: every protocol on 127.0.0.1:61616, and each on its usual port of 127.0.0.1.
    /// </summary>
    [Description(
        "Listeners by name. None: every protocol on 127.0.0.1:61616, and each on its usual port of 127.0.0.1 "
        + "(AMQP 5672, Kafka 9092, MQTT 1883, STOMP 61613, HTTP 8161).")]
    public IReadOnlyDictionary<string, ListenerConfig> Listeners { get; init; } =
        new Dictionary<string, ListenerConfig>();

    /// <summary>Queues (and their addresses) to make at start when they are missing.</summary>
    [Description("Queues, with their addresses, to make at start when they are missing.")]
    public IReadOnlyList<QueueEntryConfig> Queues { get; init; } = [];

    /// <summary>Settings by address pattern; more specific patterns win field by field.</summary>
    [Description(
        "Settings by address pattern ('#' any words, '*' one word); more specific patterns win field by field.")]
    public IReadOnlyDictionary<string, AddressSettings> AddressSettings { get; init; } =
        new Dictionary<string, AddressSettings>();

    /// <summary>Address spaces by name, beside <c>default</c>: names in one mean nothing in another.</summary>
    [Description(
        "Address spaces (tenants) by name, beside 'default': names in one mean nothing in another. A client selects "
        + "one by the hostname of its open (NAME or vhost:NAME), or a user belongs to one.")]
    public IReadOnlyDictionary<string, AddressSpaceConfig> AddressSpaces { get; init; } =
        new Dictionary<string, AddressSpaceConfig>();

    /// <summary>Users and permissions.</summary>
    [Description("Users and permissions.")]
    public SecuritySection Security { get; init; } = new();

    /// <summary>The node's part in a network of nodes; null: none.</summary>
    [Description("The node's part in a network of nodes; absent: none.")]
    public RouterSection? Router { get; init; }

    /// <summary>The node's limits.</summary>
    [Description("The node's limits.")]
    public LimitsConfig Limits { get; init; } = new();

    /// <summary>Settings of single protocols.</summary>
    [Description("Settings of single protocols.")]
    public ProtocolsConfig Protocols { get; init; } = new();

    /// <summary>What is logged.</summary>
    [Description("What is logged, on standard error.")]
    public LoggingConfig Logging { get; init; } = new();
}

/// <summary>A queue to make at start.</summary>
public sealed record QueueEntryConfig
{
    /// <summary>The queue's name, unique in the address space.</summary>
    [Description("The queue's name, unique on the node.")]
    public string Name { get; init; } = "";

    /// <summary>The address it takes messages from; default: its own name. May hold wildcards.</summary>
    [Description("The address it takes messages from, wildcards allowed; default: the queue's name.")]
    public string? Address { get; init; }

    /// <summary>Anycast (default) or multicast.</summary>
    [Description("anycast: each message goes to one queue of the address; multicast: to every one.")]
    public RoutingType RoutingType { get; init; }

    /// <summary>Survives a restart. Default true.</summary>
    [Description("Survives a restart.")]
    public bool Durable { get; init; } = true;

    /// <summary>A selector that messages must match to be taken.</summary>
    [Description("Only messages that match this selector are taken.")]
    public string? Filter { get; init; }

    /// <summary>The stream whose records are its messages; it is made when it is missing.</summary>
    [Description(
        "The stream whose records are the queue's messages, made when it is missing; its address then, by default.")]
    public string? Stream { get; init; }

    /// <summary>With a stream, where the queue begins when it is made.</summary>
    [Description("With a stream, where a queue that is made begins: next (the default), first, last, an offset, or a "
        + "time such as 2030-01-31T12:00Z.")]
    public string? From { get; init; }

    /// <summary>Most consumers at once; -1 = no limit.</summary>
    [Description("Most consumers at once; -1: no limit.")]
    public int ConsumersMax { get; init; } = -1;

    /// <summary>Consuming never removes messages.</summary>
    [Description("Consuming never removes messages.")]
    public bool NonDestructive { get; init; }
}

/// <summary>An address space of its own.</summary>
public sealed record AddressSpaceConfig
{
    /// <summary>Queues (and their addresses) to make at start when they are missing.</summary>
    [Description("Queues, with their addresses, to make at start when they are missing.")]
    public IReadOnlyList<QueueEntryConfig> Queues { get; init; } = [];

    /// <summary>Settings by address pattern, beside the node's; for the same pattern these count.</summary>
    [Description("Settings by address pattern, beside the node's; for the same pattern these count.")]
    public IReadOnlyDictionary<string, AddressSettings> AddressSettings { get; init; } =
        new Dictionary<string, AddressSettings>();

    /// <summary>Address pattern to role to permissions, instead of the node's; none: the node's.</summary>
    [Description("Address pattern to role to permissions, instead of the node's; none: the node's.")]
    public IReadOnlyDictionary<string, RolePermissions> Permissions { get; init; } =
        new Dictionary<string, RolePermissions>();
}

/// <summary>Users and permissions as the operator writes them.</summary>
public sealed record SecuritySection
{
    /// <summary>The users file; default <c>users.json</c> in the data directory.</summary>
    [Description("The users file, made with 'pillarbox user add'; default users.json in the data directory.")]
    public string? UsersFile { get; init; }

    /// <summary>Demand a login even when there are no users yet (nobody gets in then but by certificate).</summary>
    [Description("Demand a login even while there are no users.")]
    public bool Required { get; init; }

    /// <summary>Let clients in that do not log in, with the role <c>anonymous</c>.</summary>
    [Description("Let clients in that do not log in; they have the role 'anonymous'.")]
    public bool AllowAnonymous { get; init; }

    /// <summary>How long a login of a Kafka client is good before it must log in again; 0: as long as its password or
    /// token.</summary>
    [Description(
        "How long a login of a Kafka client is good before it must log in again on its connection, in milliseconds; "
        + "0: as long as its token, and without an end for a password.")]
    public long SessionLifetimeMs { get; init; }

    /// <summary>Tokens that log in (OAUTHBEARER); null: none do.</summary>
    [Description("Tokens (JWT) of an issuer that log in with OAUTHBEARER; absent: none do.")]
    public TokenSection? Tokens { get; init; }

    /// <summary>Address pattern to role to permissions; the most specific pattern is the whole truth.</summary>
    [Description(
        "Address pattern to role to permissions. The single most specific pattern decides; what it does not "
        + "grant is denied.")]
    public IReadOnlyDictionary<string, RolePermissions> Permissions { get; init; } =
        new Dictionary<string, RolePermissions>();
}

/// <summary>Whose tokens log in, and what they say.</summary>
public sealed record TokenSection
{
    /// <summary>The claim <c>iss</c> of its tokens.</summary>
    [Description("The issuer: the claim 'iss' of its tokens, exactly.")]
    public string Issuer { get; init; } = "";

    /// <summary>The claim <c>aud</c> must hold one of these.</summary>
    [Description("For whom tokens must be: the claim 'aud' holds one of these.")]
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>The issuer's public keys (JWKS): a file, or an https address.</summary>
    [Description("The issuer's public keys, a JSON web key set: a file, or an https address (http on this machine).")]
    public string Keys { get; init; } = "";

    /// <summary>How old the keys may be before they are read again.</summary>
    [Description("How old the keys may be before they are read again, in milliseconds.")]
    public int KeysAgeMsMax { get; init; } = 600_000;

    /// <summary>The claim with the user's name.</summary>
    [Description("The claim with the user's name; dots lead into objects.")]
    public string NameClaim { get; init; } = "sub";

    /// <summary>The claim with the user's roles.</summary>
    [Description("The claim with the user's roles, a list or words; dots lead into objects. Absent: none are read.")]
    public string? RolesClaim { get; init; }

    /// <summary>Roles of everybody who logs in with a token.</summary>
    [Description("Roles of everybody who logs in with a token.")]
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>The one address space of everybody who logs in with a token; null: any.</summary>
    [Description("The one address space of everybody who logs in with a token; absent: any.")]
    public string? AddressSpace { get; init; }

    /// <summary>By how much the clocks of the issuer and the node may differ.</summary>
    [Description("By how much the clocks of the issuer and the node may differ, in milliseconds.")]
    public int ClockSkewMs { get; init; } = 30_000;
}

/// <summary>What is logged.</summary>
public sealed record LoggingConfig
{
    /// <summary>The least level that is written.</summary>
    [Description("The least level that is written.")]
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>One line of text, or one JSON object, per event.</summary>
    [Description("One line of text, or one JSON object, per event.")]
    public LogFormat Format { get; init; }
}

/// <summary>Shapes of a log line.</summary>
public enum LogFormat
{
    /// <summary>One line of text.</summary>
    Text,

    /// <summary>One JSON object.</summary>
    Json,
}
