using Pillarbox.Broker.Security;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.Dialing;

/// <summary>How the node connects to places. Immutable.</summary>
/// <param name="Tls">TLS; null: none, unless the place says so.</param>
/// <param name="Proxy">The HTTP proxy on the way; null: none.</param>
internal sealed record DialOptions(ConnectorTlsConfig? Tls, DialProxy? Proxy)
{
    /// <summary>How long a connection may take until its bytes can flow, in milliseconds.</summary>
    public const int TimeoutMs = 10_000;

    /// <summary>TLS to a place; null: plain.</summary>
    public ConnectorTlsConfig? TlsTo(DialPlace place) => place.Scheme switch
    {
        DialScheme.Tls or DialScheme.SecureWebSocket => Tls ?? new ConnectorTlsConfig(),
        DialScheme.WebSocket => null,
        _ => Tls,
    };
}

/// <summary>An HTTP proxy that connections go through, by CONNECT (RFC 9110 section 9.3.6). Immutable.</summary>
/// <param name="Address">Where it listens.</param>
/// <param name="User">The user to log in as; null: nobody.</param>
/// <param name="Password">The user's password.</param>
internal sealed record DialProxy(ListenAddress Address, string? User, Secret? Password);
