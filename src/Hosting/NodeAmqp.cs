using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Protocols.Amqp;

namespace Pillarbox.Hosting;

/// <summary>Configuration to the AMQP engine.</summary>
internal static class NodeAmqp
{
    /// <summary>The handler for all AMQP listeners; <paramref name="users"/> null: development mode, nobody needs a password.</summary>
    public static AmqpConnectionHandler Handler(
        MessageBroker broker, PillarboxConfig config, NodeSeams seams, UserStore? users)
    {
        var options = new AmqpOptions
        {
            AllowAnonymous = users is null,
            AllowAnyPassword = users is null,
            MaxFrameBytes = config.Limits.AmqpFrameBytesMax,
            IdleTimeoutMs = config.Limits.AmqpIdleTimeoutMs,
            HandshakeTimeoutMs = config.Limits.HandshakeTimeoutMs,
        };
        return new AmqpConnectionHandler(
            broker, options, new SaslServers(users, seams.Random), seams.Time, seams.LoggerFactory);
    }
}
