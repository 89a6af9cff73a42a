using System.Buffers;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>
/// UNSUBSCRIBE (MQTT 5.0 §3.10), a view of its bytes:
/// <code>
/// u16      packet identifier
/// props    properties          5.0 only: user properties
/// string   topic filter        at least once
/// </code>
/// </summary>
internal ref struct UnsubscribePacket
{
    private MqttReader _filters;

    public ushort PacketId { get; private set; }

    /// <summary>Reads what follows the fixed header, up to the filters.</summary>
    public static UnsubscribePacket Read(ReadOnlySpan<byte> bytes, MqttVersion version)
    {
        var from = new MqttReader(bytes);
        var packet = new UnsubscribePacket { PacketId = PublishPacket.ReadId(ref from) };
        if (version == MqttVersion.V5)
        {
            new PropertyReader(ref from, PacketType.Unsubscribe).ReadAll();
        }

        if (from.AtEnd)
        {
            MqttException.Protocol("an UNSUBSCRIBE without a filter");
        }

        packet._filters = from;
        return packet;
    }

    /// <summary>Takes the next filter; false at the end.</summary>
    public bool Next(out ReadOnlySpan<byte> filter)
    {
        filter = default;
        if (_filters.AtEnd)
        {
            return false;
        }

        filter = _filters.Text();
        if (filter.IsEmpty)
        {
            MqttException.Malformed("a topic filter is empty");
        }

        return true;
    }

    /// <summary>Writes a whole packet.</summary>
    public static void Write(
        IBufferWriter<byte> output, MqttVersion version, ushort packetId, params ReadOnlySpan<string> filters)
    {
        int length = 2 + (version == MqttVersion.V5 ? 1 : 0);
        foreach (string filter in filters)
        {
            length += MqttWriter.TextBytes(filter);
        }

        var to = new MqttWriter(output.GetSpan(FixedHeader.BytesFor(length) + length));
        to.Header(PacketType.Unsubscribe, 2, length);
        to.UInt16(packetId);
        if (version == MqttVersion.V5)
        {
            to.VarInt(0);
        }

        foreach (string filter in filters)
        {
            to.Text(filter);
        }

        output.Advance(to.Count);
    }
}
