using Microsoft.AspNetCore.Connections;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Protocols.OpenWire;

namespace Pillarbox.Hosting;

/// <summary>Configuration to the OpenWire engine: one handler for all listeners, for its clients see each other.
/// </summary>
internal sealed class NodeOpenWire : INodeProtocol
{
    private readonly ProtocolHost _host;
    private readonly OpenWireConnectionHandler _handler;

    public NodeOpenWire(ProtocolHost host)
    {
        _host = host;
        OpenWireConfig openWire = host.Config.Protocols.OpenWire;
        var options = new OpenWireOptions
        {
            AddressSpaces = ["default", .. host.Config.AddressSpaces.Keys],
            NodeUris = NodeUris(host.Config),
            AllowAnonymous = host.Security.AllowAnonymous,
            AllowAnyPassword = host.Security.IsOpen,
            HandshakeTimeoutMs = host.Config.Limits.HandshakeTimeoutMs,
            LargeMessageBytesMin = host.Config.Limits.LargeMessageBytesMin,
            FrameBytesMax = openWire.FrameBytesMax,
            InactivityMs = openWire.InactivityMs,
            SessionsMax = openWire.SessionsMax,
            ConsumersMax = openWire.ConsumersMax,
            ProducersMax = openWire.ProducersMax,
            WildcardQueuesMax = openWire.WildcardQueuesMax,
            UnacknowledgedMax = openWire.UnacknowledgedMax,
        };
        _handler = new OpenWireConnectionHandler(
            host.Broker, options, host.Sasl(), host.Seams.Time, host.Seams.LoggerFactory);
    }

    public ListenerProtocol Protocol => ListenerProtocol.OpenWire;

    public ConnectionHandler On(ListenerPlan plan) => _handler;

    public void Secure(SaslServers sasl) => _handler.Secure(_host.Security.AllowAnonymous, sasl);

    public void Dispose() => _handler.Dispose();

    // What the operator wrote that clients shall be told; nothing else is known to be reachable from outside.
    private static string[] NodeUris(PillarboxConfig config) =>
    [
        .. config.Listeners
            .Where(entry => entry.Value.Advertised is not null && ConfigValidator.ProtocolOf(entry.Key, entry.Value)
                is ListenerProtocol.OpenWire or ListenerProtocol.All)
            .Select(entry => (entry.Value.Tls is null ? "tcp://" : "ssl://") + entry.Value.Advertised),
    ];
}
