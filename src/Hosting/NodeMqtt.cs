using Microsoft.AspNetCore.Connections;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Protocols.Mqtt;

namespace Pillarbox.Hosting;

/// <summary>Configuration to the MQTT engine: one handler for all listeners; in development mode nobody needs a
/// password.</summary>
internal sealed class NodeMqtt : INodeProtocol
{
    private readonly NodeSecurity _security;
    private readonly MqttConnectionHandler _handler;

    public NodeMqtt(ProtocolHost host)
    {
        PillarboxConfig config = host.Config;
        MqttConfig mqtt = config.Protocols.Mqtt;
        _security = host.Security;
        var options = new MqttOptions
        {
            AllowAnonymous = _security.AllowAnonymous,
            AllowAnyPassword = _security.IsOpen,
            HandshakeTimeoutMs = config.Limits.HandshakeTimeoutMs,
            PacketBytesMax = mqtt.PacketBytesMax,
            KeepAliveSecondsMax = mqtt.KeepAliveSecondsMax,
            SessionExpirySecondsMax = (uint)mqtt.SessionExpirySecondsMax,
            ReceiveMaximum = (ushort)mqtt.ReceiveMaximum,
            InFlightMax = (ushort)mqtt.InFlightMax,
            TopicAliasMaximum = (ushort)mqtt.TopicAliasMaximum,
            WaitingMessagesMax = mqtt.WaitingMessagesMax,
            SubscriptionsMax = mqtt.SubscriptionsMax,
            StreamSubscriptionsMax = mqtt.StreamSubscriptionsMax,
            RetainedMessagesMax = mqtt.RetainedMessagesMax,
            RetainedBytesMax = mqtt.RetainedBytesMax,
            RetainedStream = mqtt.RetainedStream,
            DelayedWillsMax = mqtt.DelayedWillsMax,
            SystemTopicsIntervalMs = mqtt.SystemTopicsIntervalMs,
            ServerReference = mqtt.ServerReference,
        };
        _handler = new MqttConnectionHandler(
            host.Broker, options, host.Sasl(), host.Seams.Time, host.Seams.LoggerFactory);
    }

    public ListenerProtocol Protocol => ListenerProtocol.Mqtt;

    public ConnectionHandler On(ListenerPlan plan) => _handler;

    public void Secure(SaslServers sasl) => _handler.Secure(_security.AllowAnonymous, sasl);

    public void Dispose() => _handler.Dispose();
}
