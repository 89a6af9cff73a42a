using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Amqp.Client;

/// <summary>How a client introduces itself and what it bears. Immutable.</summary>
public sealed record ClientOptions
{
    /// <summary>Names this client to its peer.</summary>
    public required string ContainerId { get; init; }

    /// <summary>The address space (virtual host) wanted; null leaves it to the peer.</summary>
    public string? Hostname { get; init; }

    /// <summary>What there is to log in with: the strongest mechanism that both ends have is taken.</summary>
    public SaslCredentials Credentials { get; init; } = new();

    /// <summary>The mechanisms that may be used; empty: all.</summary>
    public IReadOnlyList<string> Mechanisms { get; init; } = [];

    /// <summary>Where nonces of the login come from.</summary>
    public IRandom Random { get; init; } = SystemRandom.Instance;

    /// <summary>The largest frame taken, in bytes; at least 512.</summary>
    public int FrameBytesMax { get; init; } = 128 * 1024;

    /// <summary>The largest message taken, in bytes; a larger one ends the connection.</summary>
    public int MessageBytesMax { get; init; } = 256 * 1024 * 1024;

    /// <summary>Frames that the peer may send before it hears of more room, per session.</summary>
    public uint IncomingWindow { get; init; } = 16_384;
}
