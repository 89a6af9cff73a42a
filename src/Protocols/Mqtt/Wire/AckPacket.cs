using System.Buffers;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>
/// PUBACK, PUBREC, PUBREL and PUBCOMP (MQTT 5.0 §3.4 to §3.7), which are made alike:
/// <code>
/// u16    packet identifier
/// byte   reason code        5.0; absent: success
/// props  properties         5.0; absent: none
/// </code>
/// </summary>
internal readonly record struct AckPacket(PacketType Type, ushort PacketId, ReasonCode Reason = ReasonCode.Success)
{
    /// <summary>Reads what follows the fixed header.</summary>
    public static AckPacket Read(PacketType type, ReadOnlySpan<byte> bytes, MqttVersion version)
    {
        var from = new MqttReader(bytes);
        ushort id = PublishPacket.ReadId(ref from);
        var reason = ReasonCode.Success;
        if (version == MqttVersion.V5 && !from.AtEnd)
        {
            reason = (ReasonCode)from.Byte();
            if (!from.AtEnd)
            {
                new PropertyReader(ref from, type).ReadAll();
            }
        }

        from.End();
        return new AckPacket(type, id, reason);
    }

    private const int ReasonLength = 3;

    /// <summary>Writes the whole packet; the reason only when it says something. A reason string of less than 64 KiB
    /// may be told to clients that want it, where the packet does not become larger than they take.</summary>
    public void Write(
        IBufferWriter<byte> output, MqttVersion version, string? reasonString = null,
        uint packetBytesMax = uint.MaxValue)
    {
        bool isPlain = version != MqttVersion.V5 || Reason == ReasonCode.Success;
        ReadOnlySpan<byte> properties = isPlain || reasonString is null
            ? default
            : new PropertyWriter().Add(PropertyId.ReasonString, reasonString).Written;
        int length = ReasonLength + MqttWriter.VarIntBytes(properties.Length) + properties.Length;
        if (properties.IsEmpty || FixedHeader.BytesFor(length) + length > packetBytesMax)
        {
            properties = default;
            length = isPlain ? ReasonLength - 1 : ReasonLength;
        }

        var to = new MqttWriter(output.GetSpan(FixedHeader.BytesFor(length) + length));
        to.Header(Type, Type == PacketType.PubRel ? 2 : 0, length);
        to.UInt16(PacketId);
        if (!isPlain)
        {
            to.Byte((byte)Reason);
        }

        if (!properties.IsEmpty)
        {
            to.VarInt(properties.Length);
            to.Raw(properties);
        }

        output.Advance(to.Count);
    }
}
