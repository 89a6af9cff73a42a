namespace Pillarbox.Protocols.Amqp.Client;

/// <summary>How a client introduces itself and what it bears. Immutable.</summary>
public sealed record ClientOptions
{
    /// <summary>Names this client to its peer.</summary>
    public required string ContainerId { get; init; }

    /// <summary>The address space (virtual host) wanted; null leaves it to the peer.</summary>
    public string? Hostname { get; init; }

    /// <summary>The ways to log in, the best first: the first that the server offers is taken.</summary>
    public IReadOnlyList<ISaslClient> Mechanisms { get; init; } = [new AnonymousSasl()];

    /// <summary>The largest frame taken, in bytes; at least 512.</summary>
    public int FrameBytesMax { get; init; } = 128 * 1024;

    /// <summary>The largest message taken, in bytes; a larger one ends the connection.</summary>
    public int MessageBytesMax { get; init; } = 256 * 1024 * 1024;

    /// <summary>Frames that the peer may send before it hears of more room, per session.</summary>
    public uint IncomingWindow { get; init; } = 16_384;
}
