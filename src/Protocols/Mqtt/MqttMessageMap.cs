using System.Buffers;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>
/// An MQTT message as the broker stores it, a view of its bytes. Topic and properties stand there as in a PUBLISH, so
/// that they go out as they came:
/// <code>
/// byte     1..0 QoS, 2 RETAIN, 3 made for one subscription: QoS, RETAIN and properties go out as they are,
///          4 older programs set it where that is a shared one
/// string   topic
/// props    properties without message expiry interval and topic alias
/// rest     payload
/// </code>
/// </summary>
internal ref struct MqttMessageMap
{
    private const int RetainFlag = 4;
    private const int AsItIsFlag = 8;

    public byte Qos { get; init; }

    public bool Retain { get; init; }

    /// <summary>A copy for one subscription.</summary>
    public bool IsAsItIs { get; init; }

    public ReadOnlySpan<byte> Topic { get; init; }

    /// <summary>Without their length.</summary>
    public ReadOnlySpan<byte> Properties { get; init; }

    public ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>Bytes of it.</summary>
    public readonly int Bytes => 3 + Topic.Length + MqttWriter.VarIntBytes(Properties.Length) + Properties.Length
        + Payload.Length;

    /// <summary>Reads one; false when the bytes are none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> stored, out MqttMessageMap message)
    {
        message = default;
        try
        {
            var from = new MqttReader(stored);
            byte flags = from.Byte();
            message = new MqttMessageMap
            {
                Qos = (byte)(flags & 3),
                Retain = (flags & RetainFlag) != 0,
                IsAsItIs = (flags & AsItIsFlag) != 0,
                Topic = from.Binary(),
                Properties = from.Take(from.VarInt()),
                Payload = from.TakeRest(),
            };
            return !message.Topic.IsEmpty;
        }
        catch (MqttException)
        {
            // Not written by this program.
            return false;
        }
    }

    /// <summary>Writes it into a span of at least <see cref="Bytes"/>.</summary>
    public readonly void Write(Span<byte> output)
    {
        var to = new MqttWriter(output);
        to.Byte((byte)(Qos | (Retain ? RetainFlag : 0) | (IsAsItIs ? AsItIsFlag : 0)));
        to.Binary(Topic);
        to.VarInt(Properties.Length);
        to.Raw(Properties);
        to.Raw(Payload);
    }

    /// <summary>The properties of a PUBLISH as they are stored; those of the wire when nothing is left out.</summary>
    public static ReadOnlySpan<byte> Stored(in PublishPacket packet)
    {
        if (!packet.HasTopicAlias && packet.MessageExpiry is null)
        {
            return packet.Properties;
        }

        var kept = new ArrayBufferWriter<byte>(packet.Properties.Length);
        var properties = new PropertyReader(packet.Properties, PacketType.Publish);
        while (properties.Next())
        {
            if (properties.Id is not (PropertyId.TopicAlias or PropertyId.MessageExpiryInterval))
            {
                kept.Write(properties.Encoded);
            }
        }

        return kept.WrittenSpan;
    }
}
