using System.Buffers;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>
/// SUBACK and UNSUBACK (MQTT 5.0 §3.9 and §3.11), a view of their bytes:
/// <code>
/// u16     packet identifier
/// props   properties           5.0 only
/// bytes   a reason code for each filter; in UNSUBACK 5.0 only
/// </code>
/// </summary>
internal readonly ref struct SubAckPacket(PacketType type, ushort packetId, ReadOnlySpan<byte> reasons)
{
    public PacketType Type { get; } = type;

    public ushort PacketId { get; } = packetId;

    /// <summary>One for each filter.</summary>
    public ReadOnlySpan<byte> Reasons { get; } = reasons;

    /// <summary>Reads what follows the fixed header.</summary>
    public static SubAckPacket Read(PacketType type, ReadOnlySpan<byte> bytes, MqttVersion version)
    {
        var from = new MqttReader(bytes);
        ushort id = PublishPacket.ReadId(ref from);
        if (version == MqttVersion.V5)
        {
            new PropertyReader(ref from, type).ReadAll();
        }

        return new SubAckPacket(type, id, from.TakeRest());
    }

    /// <summary>Bytes of the whole packet.</summary>
    public int BytesFor(MqttVersion version)
    {
        int length = LengthFor(version);
        return FixedHeader.BytesFor(length) + length;
    }

    /// <summary>Writes the whole packet.</summary>
    public void Write(IBufferWriter<byte> output, MqttVersion version)
    {
        bool hasReasons = HasReasons(version);
        int length = LengthFor(version);
        var to = new MqttWriter(output.GetSpan(FixedHeader.BytesFor(length) + length));
        to.Header(Type, 0, length);
        to.UInt16(PacketId);
        if (version == MqttVersion.V5)
        {
            to.VarInt(0);
        }

        if (hasReasons)
        {
            foreach (byte reason in Reasons)
            {
                // 3.1 and 3.1.1 know but one failure (3.1.1 §3.9.3).
                to.Byte(reason >= 0x80 && version != MqttVersion.V5 ? (byte)0x80 : reason);
            }
        }

        output.Advance(to.Count);
    }

    private bool HasReasons(MqttVersion version) => version == MqttVersion.V5 || Type == PacketType.SubAck;

    private int LengthFor(MqttVersion version) =>
        2 + (version == MqttVersion.V5 ? 1 : 0) + (HasReasons(version) ? Reasons.Length : 0);
}
