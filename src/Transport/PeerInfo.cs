using System.Security.Cryptography.X509Certificates;

namespace Pillarbox.Transport;

/// <summary>What the transport knows of the peer. Immutable.</summary>
public sealed record PeerInfo
{
    /// <summary>Its network address, for views and logs.</summary>
    public string RemoteEndPoint { get; init; } = "";

    /// <summary>Whether the bytes are encrypted.</summary>
    public bool IsTls { get; init; }

    /// <summary>What was agreed on for that; null: they are not, or nobody knows.</summary>
    public TlsFacts? Tls { get; init; }

    /// <summary>Whether it is on this machine.</summary>
    public bool IsLoopback { get; init; }

    /// <summary>The client's certificate, verified by the TLS layer; null without one.</summary>
    public X509Certificate2? ClientCertificate { get; init; }
}
