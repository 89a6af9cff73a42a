using Pillarbox.Hosting.Configuration;
using Pillarbox.Protocols.Amqp;

namespace Pillarbox.Hosting;

/// <summary>An address that the node listens on.</summary>
/// <param name="Listener">The listener's name in the configuration.</param>
/// <param name="Protocol">What is spoken there.</param>
/// <param name="Tls">Whether TLS is spoken below it.</param>
/// <param name="Address"><c>host:port</c>, or <c>unix:/path</c>.</param>
public sealed record NodeEndpoint(string Listener, ListenerProtocol Protocol, bool Tls, string Address)
{
    /// <summary>What connects there.</summary>
    public ConnectionRole Role { get; init; }

    /// <summary>The TCP service that is reached there; null: a protocol of the node's own is spoken.</summary>
    public string? Service { get; init; }

    /// <summary>The protocol's name, or that of who else than clients connects, as the node prints it.</summary>
    public string ProtocolText =>
        Service is not null ? $"tcp:{Service}"
            : ConnectionRoles.NameOf(Role) is not { } role ? NodeProtocols.NameOf(Protocol) + (Tls ? "s" : "")
            : Protocol == ListenerProtocol.Http ? $"{role}-{(Tls ? "wss" : "ws")}"
            : role;

    /// <summary>A URL to connect to; a wildcard address is given as the loopback of its family.</summary>
    public string Url => $"{ProtocolText}://{Reachable}";

    private string Reachable => Address
        .Replace("0.0.0.0:", "127.0.0.1:", StringComparison.Ordinal)
        .Replace("[::]:", "[::1]:", StringComparison.Ordinal);
}
