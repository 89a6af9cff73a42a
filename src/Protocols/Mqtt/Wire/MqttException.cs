using System.Diagnostics.CodeAnalysis;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>What the peer did wrong. It ends the connection: MQTT has no smaller severity (MQTT 5.0 §4.13).</summary>
internal sealed class MqttException(ReasonCode reason, string message) : Exception(message)
{
    /// <summary>The code that DISCONNECT, or CONNACK, tells.</summary>
    public ReasonCode Reason { get; } = reason;

    [DoesNotReturn]
    public static void Malformed(string what) => throw new MqttException(ReasonCode.MalformedPacket, what);

    [DoesNotReturn]
    public static void Protocol(string what) => throw new MqttException(ReasonCode.ProtocolError, what);
}
