using System.ComponentModel;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Amqp;

namespace Pillarbox.Hosting.Configuration;

/// <summary>What counts for the AMQP connections of one listener or connector otherwise than on the node; null: as the
/// node has it. Of limits the narrower one counts.</summary>
public sealed record ConnectionsConfig
{
    private const int FrameBytesMin = 512;

    /// <summary>Whether peers must log in here.</summary>
    [Description("Whether AMQP peers must log in here, and over HTTP who only looks; absent: as on the node "
        + "(security).")]
    public bool? LoginRequired { get; init; }

    /// <summary>The SASL mechanisms that may be used; none: all that the node has.</summary>
    [Description("The SASL mechanisms that may be used, of those that the node has; none: all.")]
    public IReadOnlyList<string> Mechanisms { get; init; } = [];

    /// <summary>Largest frame that is taken, in bytes.</summary>
    [Description("Largest AMQP frame that is taken, in bytes; at most limits.amqpFrameBytesMax.")]
    public int? FrameBytesMax { get; init; }

    /// <summary>Sessions of one connection.</summary>
    [Description("Sessions of one AMQP connection.")]
    public int? SessionsMax { get; init; }

    /// <summary>Frames that a peer may send per session before it hears of more room.</summary>
    [Description("Transfer frames that a peer may send per session before it hears of more room.")]
    public int? SessionFramesMax { get; init; }

    /// <summary>Silence after which a connection is closed; 0 = never.</summary>
    [Description("Silence after which a connection is closed, in milliseconds; 0: never. It counts as it is.")]
    public int? IdleTimeoutMs { get; init; }

    /// <summary>Time that a peer has to open.</summary>
    [Description("Time that a peer has from the connect to its open, in milliseconds.")]
    public int? HandshakeTimeoutMs { get; init; }

    /// <summary>Deliveries of one link that may be on their way through the network.</summary>
    [Description("Deliveries of one link that may be on their way through the network; absent: router.linkCapacity.")]
    public int? LinkCapacity { get; init; }

    /// <summary>Whether clients get the annotations of routers with their messages.</summary>
    [Description("Clients get the annotations of routers (x-opt-qd.*) with their messages. What they send of them is "
        + "never taken.")]
    public bool ShowsRouterNotes { get; init; }

    /// <summary>The mechanisms that the node knows.</summary>
    public static IReadOnlyList<string> KnownMechanisms { get; } =
    [
        SaslServers.External, SaslServers.ScramSha512, SaslServers.ScramSha256, SaslServers.OAuthBearer,
        SaslServers.Plain, SaslServers.Anonymous,
    ];

    /// <summary>For the engine.</summary>
    internal ConnectionLimits ToLimits() => new()
    {
        RequiresLogin = LoginRequired,
        Mechanisms = Mechanisms,
        FrameBytesMax = FrameBytesMax,
        SessionsMax = SessionsMax,
        SessionFramesMax = SessionFramesMax,
        IdleTimeoutMs = IdleTimeoutMs,
        HandshakeTimeoutMs = HandshakeTimeoutMs,
        LinkCapacity = LinkCapacity,
        ShowsRouterNotes = ShowsRouterNotes,
    };

    /// <summary>Throws <see cref="ConfigException"/> at the first breach.</summary>
    internal void Validate(string source, string path)
    {
        foreach (string mechanism in Mechanisms)
        {
            ConfigValidator.Require(
                KnownMechanisms.Contains(mechanism), source, $"{path}.mechanisms",
                $"must be of {string.Join(", ", KnownMechanisms)}, not '{mechanism}'");
        }

        AtLeast(FrameBytesMax, FrameBytesMin, source, $"{path}.frameBytesMax");
        AtLeast(SessionsMax, 1, source, $"{path}.sessionsMax");
        AtLeast(SessionFramesMax, 1, source, $"{path}.sessionFramesMax");
        AtLeast(IdleTimeoutMs, 0, source, $"{path}.idleTimeoutMs");
        AtLeast(HandshakeTimeoutMs, 1, source, $"{path}.handshakeTimeoutMs");
        AtLeast(LinkCapacity, 1, source, $"{path}.linkCapacity");
    }

    private static void AtLeast(int? value, int least, string source, string path) =>
        ConfigValidator.Require(value is null || value >= least, source, path, $"must be at least {least}");
}
