using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Protocols.Amqp;

namespace Pillarbox.Hosting;

/// <summary>Configuration to the AMQP engine.</summary>
internal static class NodeAmqp
{
    /// <summary>The handler for all AMQP listeners; in development mode nobody needs a password.</summary>
    public static AmqpConnectionHandler Handler(
        MessageBroker broker, PillarboxConfig config, NodeSeams seams, NodeSecurity security)
    {
        var options = new AmqpOptions
        {
            AddressSpaces = ["default", .. config.AddressSpaces.Keys],
            AllowAnonymous = security.AllowAnonymous,
            AllowAnyPassword = security.IsOpen,
            MaxFrameBytes = config.Limits.AmqpFrameBytesMax,
            IdleTimeoutMs = config.Limits.AmqpIdleTimeoutMs,
            HandshakeTimeoutMs = config.Limits.HandshakeTimeoutMs,
        };
        var sasl = new SaslServers(security.IsOpen ? null : security.Users, seams.Random);
        return new AmqpConnectionHandler(broker, options, sasl, seams.Time, seams.LoggerFactory);
    }
}
