using Microsoft.AspNetCore.Connections;

namespace Pillarbox.Protocols.Amqp.Logins;

/// <summary>
/// Another program that logs a listener's clients in: their SASL frames are handed on to it, and its open says who they
/// are and what they may do. Immutable; any thread.
/// </summary>
/// <param name="name">Where it is, for people.</param>
/// <param name="dial">Connects to it.</param>
public sealed class LoginService(string name, Func<CancellationToken, ValueTask<ConnectionContext>> dial)
{
    /// <summary>Where it is, for people.</summary>
    public string Name { get; } = name;

    /// <summary>The host that the service's open is sent to; null: none is named.</summary>
    public string? Hostname { get; init; }

    /// <summary>The host that the login is for (hostname of sasl-init); null: that which the client names.</summary>
    public string? Realm { get; init; }

    /// <summary>How the node calls itself.</summary>
    public string ContainerId { get; init; } = "pillarbox";

    /// <summary>The roles of who has logged in there.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    internal ValueTask<ConnectionContext> DialAsync(CancellationToken cancellation) => dial(cancellation);

    /// <summary>A login of one client.</summary>
    /// <param name="isAllowed">Whether a mechanism that the service offers may be used on the client's
    /// connection.</param>
    internal RelayedLogin Begin(Func<string, bool> isAllowed) => new(this, isAllowed);
}
