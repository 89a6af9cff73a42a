using Microsoft.AspNetCore.Connections;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Protocols.Amqp;

namespace Pillarbox.Hosting;

/// <summary>Configuration to the AMQP engine: one handler for all listeners; in development mode nobody needs a
/// password.</summary>
internal sealed class NodeAmqp : INodeProtocol
{
    private readonly NodeSecurity _security;
    private readonly AmqpConnectionHandler _handler;

    public NodeAmqp(ProtocolHost host)
    {
        PillarboxConfig config = host.Config;
        _security = host.Security;
        AmqpOptions options = LimitsOf(config) with
        {
            AddressSpaces = ["default", .. config.AddressSpaces.Keys],
            AllowAnonymous = _security.AllowAnonymous,
            AllowAnyPassword = _security.IsOpen,
        };
        _handler = new AmqpConnectionHandler(
            host.Broker, options, host.Sasl(), host.Seams.Time, host.Seams.LoggerFactory);
        if (host.Router is { } router)
        {
            _handler.Police(router.Policy);
            router.Network.Observe(_handler.Describe, _handler.TryClose);
            _handler.Join(router.Network);
        }
    }

    /// <summary>The node's limits for connections.</summary>
    public static AmqpOptions LimitsOf(PillarboxConfig config) => new()
    {
        MaxFrameBytes = config.Limits.AmqpFrameBytesMax,
        IdleTimeoutMs = config.Limits.AmqpIdleTimeoutMs,
        HandshakeTimeoutMs = config.Limits.HandshakeTimeoutMs,
    };

    /// <summary>The engine, for connections that the node makes.</summary>
    public AmqpConnectionHandler Engine => _handler;

    public ListenerProtocol Protocol => ListenerProtocol.Amqp;

    public ConnectionHandler On(ListenerPlan plan) => plan.Peer is { } peer ? _handler.For(peer) : _handler;

    public void Secure(SaslServers sasl) => _handler.Secure(_security.AllowAnonymous, sasl);

    public void Dispose() => _handler.Dispose();
}
