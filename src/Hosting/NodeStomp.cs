using Microsoft.AspNetCore.Connections;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Protocols.Stomp;

namespace Pillarbox.Hosting;

/// <summary>Configuration to the STOMP engine: one handler for all listeners; in development mode nobody needs a
/// password.</summary>
internal sealed class NodeStomp : INodeProtocol
{
    private readonly NodeSecurity _security;
    private readonly StompConnectionHandler _handler;

    public NodeStomp(ProtocolHost host)
    {
        StompConfig stomp = host.Config.Protocols.Stomp;
        _security = host.Security;
        var options = new StompOptions
        {
            AddressSpaces = ["default", .. host.Config.AddressSpaces.Keys],
            AllowAnonymous = _security.AllowAnonymous,
            AllowAnyPassword = _security.IsOpen,
            HandshakeTimeoutMs = host.Config.Limits.HandshakeTimeoutMs,
            HeadBytesMax = stomp.HeadBytesMax,
            HeadersMax = stomp.HeadersMax,
            BodyBytesMax = stomp.BodyBytesMax,
            HeartbeatMs = stomp.HeartbeatMs,
            SubscriptionsMax = stomp.SubscriptionsMax,
            TransactionsMax = stomp.TransactionsMax,
            WindowMessages = stomp.WindowMessages,
        };
        _handler = new StompConnectionHandler(
            host.Broker, options, host.Sasl(), host.Seams.Time, host.Seams.LoggerFactory);
    }

    public ListenerProtocol Protocol => ListenerProtocol.Stomp;

    public ConnectionHandler On(ListenerPlan plan) => _handler;

    public void Secure(SaslServers sasl) => _handler.Secure(_security.AllowAnonymous, sasl);

    public void Dispose() => _handler.Dispose();
}
