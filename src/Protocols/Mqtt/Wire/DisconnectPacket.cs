using System.Buffers;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>
/// DISCONNECT (MQTT 5.0 §3.14):
/// <code>
/// byte   reason code   5.0; absent: normal
/// props  properties    5.0; absent: none
/// </code>
/// </summary>
internal sealed record DisconnectPacket(ReasonCode Reason = ReasonCode.Success)
{
    /// <summary>Seconds; null: as CONNECT said.</summary>
    public uint? SessionExpiry { get; init; }

    public string? ReasonString { get; init; }

    /// <summary>Another server to go to.</summary>
    public string? ServerReference { get; init; }

    /// <summary>Reads what follows the fixed header.</summary>
    public static DisconnectPacket Read(ReadOnlySpan<byte> bytes, MqttVersion version)
    {
        var from = new MqttReader(bytes);
        if (version != MqttVersion.V5 || from.AtEnd)
        {
            from.End();
            return new DisconnectPacket();
        }

        var packet = new DisconnectPacket((ReasonCode)from.Byte());
        if (from.AtEnd)
        {
            return packet;
        }

        var properties = new PropertyReader(ref from, PacketType.Disconnect);
        while (properties.Next())
        {
            packet = properties.Id switch
            {
                PropertyId.SessionExpiryInterval => packet with { SessionExpiry = properties.Number },
                PropertyId.ReasonString => packet with { ReasonString = TopicText.ToText(properties.Bytes) },
                PropertyId.ServerReference => packet with { ServerReference = TopicText.ToText(properties.Bytes) },
                _ => packet,
            };
        }

        from.End();
        return packet;
    }

    /// <summary>Writes the whole packet, without its properties when it would be larger than the other side takes.
    /// </summary>
    public void Write(IBufferWriter<byte> output, MqttVersion version, uint packetBytesMax = uint.MaxValue)
    {
        ReadOnlySpan<byte> properties = Properties().Written;
        int whole = 1 + MqttWriter.VarIntBytes(properties.Length) + properties.Length;
        properties = FixedHeader.BytesFor(whole) + whole > packetBytesMax ? default : properties;
        int bytes = properties.Length;
        int length = version != MqttVersion.V5 || (Reason == ReasonCode.Success && bytes == 0)
            ? 0
            : 1 + MqttWriter.VarIntBytes(bytes) + bytes;
        var to = new MqttWriter(output.GetSpan(FixedHeader.BytesFor(length) + length));
        to.Header(PacketType.Disconnect, 0, length);
        if (length > 0)
        {
            to.Byte((byte)Reason);
            to.VarInt(bytes);
            to.Raw(properties);
        }

        output.Advance(to.Count);
    }

    private PropertyWriter Properties()
    {
        var properties = new PropertyWriter();
        if (SessionExpiry is { } expiry)
        {
            properties.Add(PropertyId.SessionExpiryInterval, expiry);
        }

        if (ReasonString is { } reason)
        {
            properties.Add(PropertyId.ReasonString, reason);
        }

        if (ServerReference is { } server)
        {
            properties.Add(PropertyId.ServerReference, server);
        }

        return properties;
    }
}
