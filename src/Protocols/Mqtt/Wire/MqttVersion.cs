namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>The protocol level of a connection (MQTT 5.0 §3.1.2.2).</summary>
internal enum MqttVersion : byte
{
    /// <summary>MQTT 3.1, whose protocol name is <c>MQIsdp</c>.</summary>
    V31 = 3,

    /// <summary>MQTT 3.1.1.</summary>
    V311 = 4,

    /// <summary>MQTT 5.0.</summary>
    V5 = 5,
}
