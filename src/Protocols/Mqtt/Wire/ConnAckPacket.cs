using System.Buffers;
using System.Text;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>
/// CONNACK (MQTT 5.0 §3.2):
/// <code>
/// byte   acknowledge flags   bit 0: a session was there
/// byte   reason code         in 3.1 and 3.1.1 the return codes 0 to 5
/// props  properties          5.0 only
/// </code>
/// </summary>
internal sealed record ConnAckPacket
{
    public bool SessionPresent { get; init; }

    public ReasonCode Reason { get; init; }

    /// <summary>The properties, without their length.</summary>
    public byte[] Properties { get; init; } = [];

    /// <summary>Reads what follows the fixed header.</summary>
    public static ConnAckPacket Read(ReadOnlySpan<byte> bytes, MqttVersion version)
    {
        var from = new MqttReader(bytes);
        byte flags = from.Byte();
        if (flags > 1)
        {
            MqttException.Malformed("the acknowledge flags are not as specified");
        }

        ReasonCode reason = version == MqttVersion.V5 ? (ReasonCode)from.Byte() : FromReturnCode(from.Byte());
        byte[] properties = [];
        if (version == MqttVersion.V5)
        {
            var reader = new PropertyReader(ref from, PacketType.ConnAck);
            reader.ReadAll();
            properties = reader.Raw.ToArray();
        }

        from.End();
        return new ConnAckPacket { SessionPresent = flags == 1, Reason = reason, Properties = properties };
    }

    /// <summary>The text of a property; null when it is not there.</summary>
    public string? Text(PropertyId id)
    {
        var properties = new PropertyReader(Properties, PacketType.ConnAck);
        while (properties.Next())
        {
            if (properties.Id == id)
            {
                return Encoding.UTF8.GetString(properties.Bytes);
            }
        }

        return null;
    }

    /// <summary>The number of a property; null when it is not there.</summary>
    public uint? Number(PropertyId id)
    {
        var properties = new PropertyReader(Properties, PacketType.ConnAck);
        while (properties.Next())
        {
            if (properties.Id == id)
            {
                return properties.Number;
            }
        }

        return null;
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
        bool isNew = version == MqttVersion.V5;
        int length = LengthFor(version);
        var to = new MqttWriter(output.GetSpan(FixedHeader.BytesFor(length) + length));
        to.Header(PacketType.ConnAck, 0, length);
        to.Byte(SessionPresent && version != MqttVersion.V31 ? (byte)1 : (byte)0);
        to.Byte(isNew ? (byte)Reason : ReturnCode(Reason));
        if (isNew)
        {
            to.VarInt(Properties.Length);
            to.Raw(Properties);
        }

        output.Advance(to.Count);
    }

    private int LengthFor(MqttVersion version) =>
        2 + (version == MqttVersion.V5 ? MqttWriter.VarIntBytes(Properties.Length) + Properties.Length : 0);

    private static ReasonCode FromReturnCode(byte code)
    {
        if (code > 5)
        {
            MqttException.Malformed($"there is no return code {code}");
        }

        return code switch
        {
            0 => ReasonCode.Success,
            1 => ReasonCode.UnsupportedProtocolVersion,
            2 => ReasonCode.ClientIdentifierNotValid,
            3 => ReasonCode.ServerUnavailable,
            4 => ReasonCode.BadUserNameOrPassword,
            _ => ReasonCode.NotAuthorized,
        };
    }

    /// <summary>Whether a client of 3.1 or 3.1.1 can be told a reason: where no return code applies it gets no CONNACK
    /// (3.1.1 [MQTT-3.1.4-1], [MQTT-3.2.2-6]).</summary>
    public static bool HasReturnCode(ReasonCode reason) => reason is not (ReasonCode.MalformedPacket
        or ReasonCode.ProtocolError or ReasonCode.KeepAliveTimeout or ReasonCode.SessionTakenOver
        or ReasonCode.AdministrativeAction or ReasonCode.PacketTooLarge);

    /// <summary>The return code of 3.1.1 §3.2.2.3 that comes nearest.</summary>
    private static byte ReturnCode(ReasonCode reason) => reason switch
    {
        ReasonCode.Success => 0,
        ReasonCode.UnsupportedProtocolVersion => 1,
        ReasonCode.ClientIdentifierNotValid => 2,
        ReasonCode.BadUserNameOrPassword => 4,
        // The topic is that of a will that nobody may have.
        ReasonCode.NotAuthorized or ReasonCode.BadAuthenticationMethod or ReasonCode.Banned
            or ReasonCode.TopicNameInvalid => 5,
        _ => 3,
    };
}
