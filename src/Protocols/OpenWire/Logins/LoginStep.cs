using Pillarbox.Broker;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Logins;

/// <summary>Where a login stands after a step. Nothing of it: a password is being checked.</summary>
internal readonly record struct LoginStep
{
    /// <summary>The client is let in; this is its part of the broker.</summary>
    public BrokerClient? Client { get; init; }

    /// <summary>Why it is not.</summary>
    public WireThrowable? Refusal { get; init; }

    /// <summary>An older connection of the client gives up its id; then <see cref="OpenWireLogin.TakeClientId"/> goes
    /// on.</summary>
    public Task? Gate { get; init; }
}
