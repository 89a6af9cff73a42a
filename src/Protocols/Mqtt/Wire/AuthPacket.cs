using System.Buffers;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>
/// AUTH (MQTT 5.0 §3.15), 5.0 only:
/// <code>
/// byte   reason code   success, continue authentication, re-authenticate; absent: success
/// props  properties    authentication method and data
/// </code>
/// </summary>
internal sealed record AuthPacket(ReasonCode Reason)
{
    public string? Method { get; init; }

    public byte[]? Data { get; init; }

    /// <summary>Reads what follows the fixed header.</summary>
    public static AuthPacket Read(ReadOnlySpan<byte> bytes)
    {
        var from = new MqttReader(bytes);
        if (from.AtEnd)
        {
            return new AuthPacket(ReasonCode.Success);
        }

        var packet = new AuthPacket((ReasonCode)from.Byte());
        if (packet.Reason is not (ReasonCode.Success or ReasonCode.ContinueAuthentication
            or ReasonCode.ReAuthenticate))
        {
            MqttException.Malformed("the reason code of AUTH is not one of its own");
        }

        if (!from.AtEnd)
        {
            var properties = new PropertyReader(ref from, PacketType.Auth);
            while (properties.Next())
            {
                packet = properties.Id switch
                {
                    PropertyId.AuthenticationMethod => packet with { Method = TopicText.ToText(properties.Bytes) },
                    PropertyId.AuthenticationData => packet with { Data = properties.Bytes.ToArray() },
                    _ => packet,
                };
            }
        }

        from.End();
        return packet;
    }

    /// <summary>Writes the whole packet.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var properties = new PropertyWriter();
        if (Method is not null)
        {
            properties.Add(PropertyId.AuthenticationMethod, Method);
        }

        if (Data is not null)
        {
            properties.Add(PropertyId.AuthenticationData, Data.AsSpan());
        }

        int bytes = properties.Written.Length;
        int length = 1 + MqttWriter.VarIntBytes(bytes) + bytes;
        var to = new MqttWriter(output.GetSpan(FixedHeader.BytesFor(length) + length));
        to.Header(PacketType.Auth, 0, length);
        to.Byte((byte)Reason);
        to.VarInt(bytes);
        to.Raw(properties.Written);
        output.Advance(to.Count);
    }
}
