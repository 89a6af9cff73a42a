using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Management.Views;

/// <summary>A connection at one moment.</summary>
public sealed record ConnectionView
{
    /// <summary>The number that its links name it by.</summary>
    public required long Id { get; init; }

    /// <summary>Host and port of the peer.</summary>
    public string Host { get; init; } = "";

    /// <summary>The container id in the peer's open.</summary>
    public string Container { get; init; } = "";

    /// <summary>normal, inter-router, route-container or edge.</summary>
    public string Role { get; init; } = "normal";

    /// <summary>in: the peer connected; out: this router did.</summary>
    public string Direction { get; init; } = "in";

    public string Protocol { get; init; } = "amqp";

    public bool IsOpened { get; init; } = true;

    /// <summary>Of an edge router's connections the one in use.</summary>
    public bool IsActive { get; init; } = true;

    public bool IsAuthenticated { get; init; }

    /// <summary>The SASL mechanism, or null.</summary>
    public string? Sasl { get; init; }

    public string? User { get; init; }

    public bool IsEncrypted { get; init; }

    public string? TlsProtocol { get; init; }

    public string? TlsCipher { get; init; }

    /// <summary>Strength of the cipher's key in bits.</summary>
    public int TlsBits { get; init; }

    public string? Tenant { get; init; }

    public long UptimeSeconds { get; init; }

    /// <summary>Since the last delivery; null: there was none.</summary>
    public long? LastDeliverySeconds { get; init; }

    /// <summary>The properties of the peer's open.</summary>
    public AmqpMap? Properties { get; init; }

    public bool IsTraced { get; init; }

    /// <summary>enabled, or deleted while it is being closed.</summary>
    public string AdminStatus { get; init; } = "enabled";
}
