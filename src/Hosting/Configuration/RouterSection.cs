using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Pillarbox.Broker.Security;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Router;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Hosting.Configuration;

/// <summary>The node's part in a network of nodes.</summary>
public sealed record RouterSection
{
    /// <summary>What the node is in its network.</summary>
    [Description("interior: one of the routers that know the whole network; edge: behind one of those; standalone: a "
        + "router without others.")]
    public RouterMode Mode { get; init; }

    /// <summary>The node's id, unique in the network; null: a random one.</summary>
    [Description("The node's id, unique in the network, without blanks; absent: a random one.")]
    public string? Id { get; init; }

    /// <summary>Deliveries that a sender may have on their way.</summary>
    [Description("Deliveries that a sender may have on their way.")]
    public int LinkCapacity { get; init; } = 250;

    /// <summary>How messages of addresses are distributed that <see cref="Addresses"/> does not name.</summary>
    [Description(
        "How messages are distributed of addresses that 'addresses' does not name: balanced, closest, multicast "
        + "or unavailable.")]
    public AddressTreatment DefaultDistribution { get; init; } = AddressTreatment.Balanced;

    /// <summary>How often neighbours are greeted, in milliseconds.</summary>
    [Description("How often neighbours are greeted, in milliseconds.")]
    public int HelloIntervalMs { get; init; } = 1000;

    /// <summary>After so long without a greeting a neighbour is none any more, in milliseconds.</summary>
    [Description("After so long without a greeting a neighbour is none any more, in milliseconds.")]
    public int HelloMaxAgeMs { get; init; } = 3000;

    /// <summary>How often the node tells the network that it is there, in milliseconds.</summary>
    [Description("How often the node tells the network that it is there, in milliseconds.")]
    public int RaIntervalMs { get; init; } = 30_000;

    /// <summary>The same, while the network changes.</summary>
    [Description("How often it does while the network changes, in milliseconds.")]
    public int RaIntervalFluxMs { get; init; } = 4000;

    /// <summary>After so long without a word another node is forgotten, in milliseconds.</summary>
    [Description("After so long without a word another node is forgotten, in milliseconds.")]
    public int RemoteLsMaxAgeMs { get; init; } = 60_000;

    /// <summary>Rules for addresses; the most specific pattern counts.</summary>
    [Description("Rules for addresses; the most specific pattern counts.")]
    public IReadOnlyList<RouterAddressConfig> Addresses { get; init; } = [];

    /// <summary>Who may connect, and what for, beside permissions.</summary>
    [Description("Who may connect to the router, and what for, beside permissions.")]
    public RouterPolicyConfig Policy { get; init; } = new();

    /// <summary>Virtual hosts by name: who may connect to each, and what for.</summary>
    [Description(
        "Virtual hosts by name: who may connect to each, and what for; they count when policy.enableVhostPolicy "
        + "is set.")]
    public IReadOnlyDictionary<string, VhostConfig> Vhosts { get; init; } = new Dictionary<string, VhostConfig>();

    /// <summary>TCP services that are reached here, by the service's address: where their clients connect.</summary>
    [Description(
        "TCP services that are reached here, by the service's address: host:port where their clients connect.")]
    public IReadOnlyDictionary<string, IReadOnlyList<string>> TcpListeners { get; init; } =
        new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>TCP services that have a server here, by the service's address: where their servers listen.</summary>
    [Description("TCP services that have servers here, by the service's address: host:port where the servers listen.")]
    public IReadOnlyDictionary<string, IReadOnlyList<string>> TcpConnectors { get; init; } =
        new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Links that the node keeps to brokers by itself.</summary>
    [Description("Links that the node keeps to brokers and other containers by itself: it draws from their queues for "
        + "the network, and sends to them.")]
    public IReadOnlyList<AutoLinkConfig> AutoLinks { get; init; } = [];

    /// <summary>Addresses whose links go to a broker as a whole.</summary>
    [Description("Addresses whose links go through to a broker or another container as a whole: with its credit, its "
        + "outcomes and its transactions (prefix $coordinator, direction in).")]
    public IReadOnlyList<LinkRouteConfig> LinkRoutes { get; init; } = [];

    /// <summary>Whether a <c>qdrouterd.conf</c> says all of the node.</summary>
    internal bool IsFromConf { get; init; }

    /// <summary>TLS profiles and login services that others of the file name; from a <c>qdrouterd.conf</c>
    /// only.</summary>
    internal IReadOnlyList<ConfEntity> Named { get; init; } = [];

    /// <summary>What the operator calls TCP services, by the names that they have otherwise; from a
    /// <c>qdrouterd.conf</c> only.</summary>
    internal IReadOnlyDictionary<string, string> ServiceNames { get; init; } = new Dictionary<string, string>();

    /// <summary>Connections that the node makes and keeps, by name.</summary>
    [Description("Connections that the node makes and keeps, by name.")]
    public IReadOnlyDictionary<string, ConnectorConfig> Connectors { get; init; } =
        new Dictionary<string, ConnectorConfig>();
}

/// <summary>How addresses of a pattern are treated in the network.</summary>
public sealed record RouterAddressConfig
{
    /// <summary>What to call the rule; null: by its number.</summary>
    [Description("What to call the rule in management; absent: by its number.")]
    public string? Name { get; init; }

    /// <summary>Addresses that begin with these tokens.</summary>
    [Description("Addresses that begin with these tokens, or are these; instead of 'pattern'.")]
    public string? Prefix { get; init; }

    /// <summary>Addresses of this shape.</summary>
    [Description("Addresses of this shape: tokens between '.' or '/', '*' is one, '#' none or more.")]
    public string? Pattern { get; init; }

    /// <summary>How messages are distributed.</summary>
    [Description(
        "balanced: to the consumer with the least backlog and cost; closest: to the nearest; multicast: to all; "
        + "unavailable: nobody may use it.")]
    public AddressTreatment Distribution { get; init; } = AddressTreatment.Balanced;

    /// <summary>Senders go to a broker that gives messages back.</summary>
    [Description("Messages go to a broker first: the same as ingressPhase 0 and egressPhase 1.")]
    public bool Waypoint { get; init; }

    /// <summary>The phase that senders' messages get.</summary>
    [Description("The phase that senders' messages get, 0 to 9.")]
    public int IngressPhase { get; init; }

    /// <summary>The phase that receivers draw from.</summary>
    [Description("The phase that receivers draw from, 0 to 9.")]
    public int EgressPhase { get; init; }

    /// <summary>What nobody takes goes to fallback destinations.</summary>
    [Description("What nobody takes goes to the address's fallback destinations: auto links with 'fallback', or "
        + "receivers whose source has the capability qd.fallback.")]
    public bool EnableFallback { get; init; }

    /// <summary>The priority that its messages go by between routers; null: their own.</summary>
    [Description("The priority that its messages go by between routers, 0 to 9; absent: each message's own.")]
    public int? Priority { get; init; }
}

/// <summary>A connection that the node makes and keeps.</summary>
public sealed record ConnectorConfig
{
    /// <summary>What is at the other end.</summary>
    [Description("What is at the other end: interRouter, edge (this node is the edge), routeContainer (a broker) or "
        + "normal.")]
    public ConnectionRole Role { get; init; }

    /// <summary>The places to connect to, tried in turn.</summary>
    [Description(
        "The places to connect to, tried in turn: host:port, amqp(s)://host:port, or ws(s)://host:port/path for "
        + "a WebSocket.")]
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>Whether places that the peer names in its open are tried too.</summary>
    [Description("Places that the peer names in its open (failover-server-list) are tried too.")]
    public bool FollowsPeers { get; init; } = true;

    /// <summary>The HTTP proxy that connections go through; null: none.</summary>
    [Description("The HTTP proxy that connections go through; absent: none.")]
    public ConnectorProxyConfig? Proxy { get; init; }

    /// <summary>The virtual host whose group <c>$connector</c> says what the peer may do; null: everything.</summary>
    [Description("The virtual host whose group '$connector' says what the peer may do; absent: everything.")]
    public string? PolicyVhost { get; init; }

    /// <summary>What counts for its connection otherwise than on the node; null: nothing.</summary>
    [Description("What counts for its connection otherwise than on the node.")]
    public ConnectionsConfig? Connections { get; init; }

    /// <summary>What is added to the properties of open.</summary>
    [Description("What is added to the properties of open.")]
    public IReadOnlyDictionary<string, string> OpenProperties { get; init; } = new Dictionary<string, string>();

    /// <summary>What a way over this connection costs.</summary>
    [Description("What a way over this connection costs, at least 1.")]
    public int Cost { get; init; } = 1;

    /// <summary>The user to log in as.</summary>
    [Description("The user to log in as; absent: nobody.")]
    public string? User { get; init; }

    /// <summary>A file whose first line is the user's password; never the password itself.</summary>
    [Description("A file whose first line is the user's password.")]
    public string? PasswordFile { get; init; }

    /// <summary>The user's password, where the configuration is made in code.</summary>
    [JsonIgnore]
    public Secret? Password { get; init; }

    /// <summary>TLS; null: plain.</summary>
    [Description("TLS; absent: plain.")]
    public ConnectorTlsConfig? Tls { get; init; }
}

/// <summary>An HTTP proxy that connections go through, by CONNECT.</summary>
public sealed record ConnectorProxyConfig
{
    /// <summary>Where it is.</summary>
    [Description("http://host:port of the proxy.")]
    public string Url { get; init; } = "";

    /// <summary>The user to log in as; null: nobody.</summary>
    [Description("The user to log in as at the proxy; absent: nobody.")]
    public string? User { get; init; }

    /// <summary>A file whose first line is the user's password; never the password itself.</summary>
    [Description("A file whose first line is the user's password.")]
    public string? PasswordFile { get; init; }

    /// <summary>The environment variable that holds the password.</summary>
    [Description("The environment variable that holds the user's password.")]
    public string? PasswordVariable { get; init; }

    /// <summary>Reads the address; false: it is none of a proxy.</summary>
    public bool TryAddress([NotNullWhen(true)] out ListenAddress? address)
    {
        const string Scheme = "http://";
        address = null;
        string text = Url.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? Url[Scheme.Length..] : Url;
        return !Url.Contains('@') && ListenAddress.TryParse(text.TrimEnd('/'), out address, out _)
            && address.UnixPath is null && address.Port > 0;
    }
}

/// <summary>TLS of a connection that the node makes.</summary>
public sealed record ConnectorTlsConfig
{
    /// <summary>A PEM file of the authorities that the other end's certificate must come from; null: the system's.
    /// </summary>
    [Description(
        "A PEM file of the authorities that the other end's certificate must come from; absent: the system's.")]
    public string? Authorities { get; init; }

    /// <summary>The node's own certificate, PEM or PFX; null: it shows none.</summary>
    [Description("The node's own certificate to show, a PEM or PFX file; absent: none.")]
    public string? Certificate { get; init; }

    /// <summary>The PEM file of the private key; null: it is in the certificate's file.</summary>
    [Description("The PEM file of the private key; absent: it is in the certificate's file.")]
    public string? Key { get; init; }

    /// <summary>A file whose first line is the password of the key or the PFX; never the password itself.</summary>
    [Description("A file whose first line is the password of the key or the PFX file.")]
    public string? PasswordFile { get; init; }

    /// <summary>The password, where the configuration is made in code.</summary>
    [JsonIgnore]
    public Secret? Password { get; init; }

    /// <summary>The profile that it is, of a <c>qdrouterd.conf</c>; null: none.</summary>
    internal string? Profile { get; init; }

    /// <summary>Whether the certificate must name the host that was connected to.</summary>
    [Description("The other end's certificate must name the host that is connected to.")]
    public bool VerifyName { get; init; } = true;
}
