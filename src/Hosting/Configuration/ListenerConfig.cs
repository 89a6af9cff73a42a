using System.ComponentModel;
using System.Text.Json.Serialization;
using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Amqp;

namespace Pillarbox.Hosting.Configuration;

/// <summary>One listener: a protocol on one or more addresses.</summary>
public sealed record ListenerConfig
{
    /// <summary>The names of the protocols that can be listened for, for people.</summary>
    public static string ProtocolNames => NodeProtocols.Names;

    /// <summary>Reads the name of a protocol that can be listened for.</summary>
    public static bool TryProtocol(string name, out ListenerProtocol protocol)
    {
        protocol = ListenerProtocol.Amqp;
        return ConnectionRoles.TryParse(name, out _) || TryNamed(name, out protocol);
    }

    /// <summary>What connects to a listener: what it says, else what its name says.</summary>
    public static ConnectionRole RoleOf(string name, ListenerConfig listener) =>
        listener.Role ?? (ConnectionRoles.TryParse(name, out ConnectionRole role) ? role : ConnectionRole.Normal);

    private static bool TryNamed(string name, out ListenerProtocol protocol) =>
        Enum.TryParse(name, ignoreCase: true, out protocol) && Enum.IsDefined(protocol)
        && NodeProtocols.IsServed(protocol);

    /// <summary>The protocol that is spoken here; default: the one that the listener's name says.</summary>
    [Description("The protocol spoken here; default: the listener's name.")]
    public ListenerProtocol? Protocol { get; init; }

    /// <summary>What connects here, of AMQP; default: clients, or what the listener's name says.</summary>
    [Description("What connects to an AMQP listener: normal (clients), interRouter, edge or routeContainer (a broker); "
        + "default: what the listener's name (inter-router, edge, route-container) says, else clients.")]
    public ConnectionRole? Role { get; init; }

    /// <summary>What a way over connections to this listener costs.</summary>
    [Description("What a way over a router's connection to this listener costs, at least 1.")]
    public int Cost { get; init; } = 1;

    /// <summary>Where AMQP peers may connect to when their connection to this listener is lost; their open tells
    /// it.</summary>
    [Description(
        "amqp(s)://host:port of places that AMQP peers may connect to when they lose this one; the node's open "
        + "names them (failover-server-list).")]
    public IReadOnlyList<string> FailoverUrls { get; init; } = [];

    /// <summary>The virtual host whose rules count for all AMQP connections here; null: that which their open
    /// names.</summary>
    [Description("The virtual host whose rules (router.vhosts) count for all AMQP connections here; absent: that which "
        + "their open names.")]
    public string? PolicyVhost { get; init; }

    /// <summary>Whether addresses of AMQP clients here are within their virtual host.</summary>
    [Description("Addresses of AMQP clients here are within their virtual host, apart from those of other hosts: in "
        + "the network they are called HOST/ADDRESS.")]
    public bool MultiTenant { get; init; }

    /// <summary>What counts for AMQP connections here otherwise than on the node; null: nothing.</summary>
    [Description("What counts for AMQP connections here otherwise than on the node.")]
    public ConnectionsConfig? Connections { get; init; }

    /// <summary>Another program that logs AMQP clients in here; null: the node does.</summary>
    [Description("Another program that logs AMQP clients in here: their SASL frames are handed on to it; absent: the "
        + "node does. For nodes of a network.")]
    public LoginServiceConfig? LoginService { get; init; }

    /// <summary>What is added to the properties of the node's open.</summary>
    [Description("What is added to the properties of the node's open to AMQP peers.")]
    public IReadOnlyDictionary<string, string> OpenProperties { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// <c>host:port</c>, <c>[v6]:port</c>, <c>*:port</c> or <c>unix:/path</c>; port 0 takes a free one.
    /// </summary>
    [Description("host:port, [v6]:port, *:port or unix:/path; port 0 takes a free one and prints it.")]
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary><c>host:port</c> that Kafka clients are told to connect to (null: where they are connected), and
    /// OpenWire clients that can fail over (null: they do not hear of this listener).</summary>
    [Description("host:port that Kafka clients are told to connect to (absent: the address they came to), and OpenWire "
        + "clients that can fail over (absent: they are not told of this listener).")]
    public string? Advertised { get; init; }

    /// <summary>The address space of all Kafka clients that connect here; null: each user's own.</summary>
    [Description("The address space of all Kafka clients that connect here; absent: the user's, else 'default'.")]
    public string? AddressSpace { get; init; }

    /// <summary>
    /// Whether a proxy in front says by the PROXY protocol (version 1 or 2) whose connection it is; then every
    /// connection must begin so.
    /// </summary>
    [Description("Every connection begins with a PROXY protocol header (version 1 or 2) that says whose it is.")]
    public bool ProxyProtocol { get; init; }

    /// <summary>Addresses and networks that such proxies come from; none: from anywhere.</summary>
    [Description("Addresses or networks (10.0.0.0/8) that proxies come from; none: anywhere.")]
    public IReadOnlyList<string> Proxies { get; init; } = [];

    /// <summary>Origins (<c>https://host</c>) of pages that may open a WebSocket, beside the node's own; <c>*</c>:
    /// all.</summary>
    [Description("Origins (https://host) of pages that may open a WebSocket beside the node's own; '*': all.")]
    public IReadOnlyList<string> Origins { get; init; } = [];

    /// <summary>Whether WebSockets are taken, where HTTP is spoken.</summary>
    [Description("Of HTTP: WebSockets are taken.")]
    public bool WebSockets { get; init; } = true;

    /// <summary>Whether the resources of health are there, where HTTP is spoken.</summary>
    [Description("Of HTTP: /healthz and /health/* answer.")]
    public bool Health { get; init; } = true;

    /// <summary>Whether the figures for Prometheus are there, where HTTP is spoken.</summary>
    [Description("Of HTTP: /metrics answers.")]
    public bool Metrics { get; init; } = true;

    /// <summary>TLS; null: plain.</summary>
    [Description("TLS; absent: plain.")]
    public TlsConfig? Tls { get; init; }
}

/// <summary>The protocols that can be listened for.</summary>
public enum ListenerProtocol
{
    /// <summary>AMQP 1.0.</summary>
    Amqp,

    /// <summary>The Kafka protocol.</summary>
    Kafka,

    /// <summary>Health, metrics, the management API and WebSocket.</summary>
    Http,

    /// <summary>Every protocol: the first bytes of a connection tell which.</summary>
    All,

    /// <summary>MQTT.</summary>
    Mqtt,

    /// <summary>STOMP.</summary>
    Stomp,

    /// <summary>OpenWire.</summary>
    OpenWire,
}

/// <summary>TLS of a listener: a PEM certificate chain with its key, or a PFX file.</summary>
public sealed record TlsConfig
{
    /// <summary>A PEM file (certificate first, then its chain), or a PFX/P12 file.</summary>
    [Description("A PEM file (the certificate, then its chain) or a PFX file.")]
    public string Certificate { get; init; } = "";

    /// <summary>The PEM file of the private key; null: it is in the certificate's file.</summary>
    [Description("The PEM file of the private key; absent: it is in the certificate's file.")]
    public string? Key { get; init; }

    /// <summary>A file whose first line is the password of the key or the PFX; never the password itself.</summary>
    [Description("A file whose first line is the password of the key or the PFX file.")]
    public string? PasswordFile { get; init; }

    /// <summary>The password, where the configuration is made in code.</summary>
    [JsonIgnore]
    public Secret? Password { get; init; }

    /// <summary>Whether clients must, or may, show a certificate.</summary>
    [Description("Whether clients must, or may, show a certificate.")]
    public ClientCertificateMode ClientCertificates { get; init; }

    /// <summary>A PEM file of the authorities that client certificates must come from; null: the system's.</summary>
    [Description("A PEM file of the authorities that client certificates must come from; absent: the system's.")]
    public string? ClientAuthorities { get; init; }

    /// <summary>How certificates of those authorities name users by themselves; null: only users that the node has log
    /// in by certificate.</summary>
    [Description("How certificates of those authorities name users by themselves, over AMQP; absent: only users that "
        + "the node has log in by certificate.")]
    public ClientNamesConfig? ClientNames { get; init; }

    /// <summary>The profile that it is, of a <c>qdrouterd.conf</c>; null: none.</summary>
    internal string? Profile { get; init; }

    /// <summary>The oldest version of TLS that is taken: 1.2 or 1.3.</summary>
    [Description("The oldest version of TLS that is taken: 1.2 (the default) or 1.3.")]
    public string OldestVersion { get; init; } = "1.2";

    /// <summary>The newest version of TLS that is taken: 1.2 or 1.3.</summary>
    [Description("The newest version of TLS that is taken: 1.2 or 1.3 (the default).")]
    public string NewestVersion { get; init; } = "1.3";
}

/// <summary>How a certificate names a user.</summary>
public sealed record ClientNamesConfig
{
    /// <summary>Which parts of it make the name.</summary>
    [Description("Which parts of the certificate make the name, a letter each: c country, s state, l locality, "
        + "o organisation, u unit, n common name; 1, 2 or 5 for its fingerprint by SHA-1, SHA-256 or SHA-512. In the "
        + "name ';' is between them, and those that it has not are left out. Empty: the whole subject (RFC 4514).")]
    public string Format { get; init; } = "";

    /// <summary>A JSON file that says for such names how the users are called.</summary>
    [Description("A JSON file, a map from such names to how the users are called.")]
    public string? NamesFile { get; init; }

    /// <summary>The roles of these users.</summary>
    [Description("The roles of these users.")]
    public IReadOnlyList<string> Roles { get; init; } = [];
}

/// <summary>What a listener wants of client certificates.</summary>
public enum ClientCertificateMode
{
    /// <summary>None are asked for.</summary>
    None,

    /// <summary>Taken, and checked, when shown.</summary>
    Allow,

    /// <summary>No connection without one.</summary>
    Require,
}
