using System.Security.Cryptography.X509Certificates;

namespace Pillarbox.Protocols.Kafka;

/// <summary>What the transport knows of the peer. Immutable.</summary>
internal sealed record PeerInfo
{
    /// <summary>Its network address, for views and logs.</summary>
    public string RemoteEndPoint { get; init; } = "";

    /// <summary>Its address as tools show it: a slash before the address, no port.</summary>
    public string ClientHost { get; init; } = "/127.0.0.1";

    /// <summary>The host that clients of this connection are told to connect to.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The port that clients of this connection are told to connect to.</summary>
    public int Port { get; init; } = 9092;

    /// <summary>Whether the bytes are encrypted.</summary>
    public bool IsTls { get; init; }

    /// <summary>Whether it is on this machine.</summary>
    public bool IsLoopback { get; init; }

    /// <summary>The client's certificate, verified by the TLS layer; null without one.</summary>
    public X509Certificate2? ClientCertificate { get; init; }
}
