using System.Security.Cryptography.X509Certificates;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Logins;

namespace Pillarbox.Protocols.Amqp;

/// <summary>What the peer of a connection is to the node. The listener or connector says so, never the wire.</summary>
public enum ConnectionRole
{
    /// <summary>A client.</summary>
    Normal,

    /// <summary>Another router of the network.</summary>
    InterRouter,

    /// <summary>The uplink of an edge router.</summary>
    Edge,

    /// <summary>A broker, or another container, that the node sends to and draws from.</summary>
    RouteContainer,
}

/// <summary>What is known of a connection before its first byte. Immutable.</summary>
/// <param name="Role">What the peer is.</param>
/// <param name="IsInitiator">Whether the node made the connection: it opens first, and begins sessions and
/// links.</param>
public sealed record ConnectionPlan(ConnectionRole Role, bool IsInitiator)
{
    /// <summary>A client's.</summary>
    public static readonly ConnectionPlan Client = new(ConnectionRole.Normal, IsInitiator: false);

    /// <summary>What a path over the connection costs, at least 1.</summary>
    public int Cost { get; init; } = 1;

    /// <summary>The name of the listener or connector, for views and logs.</summary>
    public string Name { get; init; } = "";

    /// <summary>Told, on the connection's loop, when both ends have opened.</summary>
    public Action? Opened { get; init; }

    /// <summary>The host that open names; null: none.</summary>
    public string? Hostname { get; init; }

    /// <summary>Where the peer may connect to when this connection is lost; open tells it. Null: nothing is
    /// said.</summary>
    public IReadOnlyList<FailoverServer>? Failover { get; init; }

    /// <summary>The virtual host whose rules count for the connection; null: of a listener's that which the open
    /// names, of a connector's none.</summary>
    public string? PolicyVhost { get; init; }

    /// <summary>What counts here otherwise than on the node; null: nothing.</summary>
    public ConnectionLimits? Limits { get; init; }

    /// <summary>Whom a certificate names that TLS has verified, beside the node's users; null: nobody.</summary>
    public Func<X509Certificate2, Identity?>? CertificateUser { get; init; }

    /// <summary>Who logs the peers in; null: the node.</summary>
    public LoginService? LoginService { get; init; }

    /// <summary>Whether each client's addresses are within its virtual host, apart from those of others.</summary>
    public bool IsMultiTenant { get; init; }

    /// <summary>What the operator adds to the properties of open.</summary>
    public IReadOnlyDictionary<string, string> OpenProperties { get; init; } = new Dictionary<string, string>();
}
