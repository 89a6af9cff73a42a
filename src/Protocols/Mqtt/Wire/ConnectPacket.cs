using System.Buffers;
using System.Text;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>
/// CONNECT (MQTT 5.0 §3.1; 3.1.1 §3.1):
/// <code>
/// string   protocol name       MQTT; in 3.1 MQIsdp
/// byte     protocol level      3, 4 or 5
/// byte     connect flags       7 user name, 6 password, 5 will retain, 4..3 will QoS, 2 will, 1 clean start, 0 zero
/// u16      keep alive          seconds; 0 = none
/// props    properties          5.0 only
/// string   client identifier
/// props    will properties     5.0, with will
/// string   will topic          with will
/// binary   will payload        with will
/// string   user name           with its flag
/// binary   password            with its flag
/// </code>
/// </summary>
internal sealed record ConnectPacket
{
    private const int UserNameFlag = 0x80;
    private const int PasswordFlag = 0x40;
    private const int WillRetainFlag = 0x20;
    private const int WillFlag = 0x04;
    private const int CleanStartFlag = 0x02;

    /// <summary>Session expiry of one that never ends (§3.1.2.11.2).</summary>
    public const uint NeverExpires = uint.MaxValue;

    public MqttVersion Version { get; init; } = MqttVersion.V5;

    public bool CleanStart { get; init; }

    /// <summary>Seconds; 0 = none.</summary>
    public ushort KeepAlive { get; init; }

    public string ClientId { get; init; } = "";

    public WillMessage? Will { get; init; }

    public string? UserName { get; init; }

    public byte[]? Password { get; init; }

    /// <summary>Seconds that the session outlives the connection.</summary>
    public uint SessionExpiry { get; set; }

    /// <summary>PUBLISH packets of QoS 1 and 2 that the client takes at once.</summary>
    public ushort ReceiveMaximum { get; set; } = ushort.MaxValue;

    /// <summary>Bytes of the largest packet that it takes.</summary>
    public uint MaximumPacketSize { get; set; } = uint.MaxValue;

    public ushort TopicAliasMaximum { get; set; }

    public bool RequestResponseInformation { get; set; }

    public bool RequestProblemInformation { get; set; } = true;

    public string? AuthenticationMethod { get; set; }

    public byte[]? AuthenticationData { get; set; }

    /// <summary>Reads what follows the fixed header.</summary>
    public static ConnectPacket Read(ReadOnlySpan<byte> bytes)
    {
        var from = new MqttReader(bytes);
        MqttVersion version = ReadVersion(ref from);
        int flags = from.Byte();
        CheckFlags(flags, version);
        ushort keepAlive = from.UInt16();
        var read = new ConnectPacket { Version = version };
        if (version == MqttVersion.V5)
        {
            read.TakeProperties(new PropertyReader(ref from, PacketType.Connect));
        }

        string clientId = Encoding.UTF8.GetString(from.Text());
        WillMessage? will = (flags & WillFlag) != 0
            ? WillMessage.Read(ref from, version, (byte)((flags >> 3) & 3), (flags & WillRetainFlag) != 0)
            : null;
        read = read with
        {
            CleanStart = (flags & CleanStartFlag) != 0,
            KeepAlive = keepAlive,
            ClientId = clientId,
            Will = will,
            UserName = Follows(UserNameFlag, flags, version, from)
                ? Encoding.UTF8.GetString(from.Text())
                : null,
            Password = Follows(PasswordFlag, flags, version, from) ? from.Binary().ToArray() : null,
        };
        from.End();
        return read;
    }

    /// <summary>Writes the whole packet.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        string name = Version == MqttVersion.V31 ? "MQIsdp" : "MQTT";
        ReadOnlySpan<byte> properties = Version == MqttVersion.V5 ? Properties().Written : default;
        int length = MqttWriter.TextBytes(name) + 4 + MqttWriter.TextBytes(ClientId)
            + (Version == MqttVersion.V5 ? MqttWriter.VarIntBytes(properties.Length) + properties.Length : 0)
            + (Will?.BytesFor(Version) ?? 0) + (UserName is null ? 0 : MqttWriter.TextBytes(UserName))
            + (Password is null ? 0 : 2 + Password.Length);
        var to = new MqttWriter(output.GetSpan(FixedHeader.BytesFor(length) + length));
        to.Header(PacketType.Connect, 0, length);
        to.Text(name);
        to.Byte((byte)Version);
        to.Byte((byte)((CleanStart ? CleanStartFlag : 0) | (UserName is null ? 0 : UserNameFlag)
            | (Password is null ? 0 : PasswordFlag)
            | (Will is null ? 0 : WillFlag | (Will.Qos << 3) | (Will.Retain ? WillRetainFlag : 0))));
        to.UInt16(KeepAlive);
        if (Version == MqttVersion.V5)
        {
            to.VarInt(properties.Length);
            to.Raw(properties);
        }

        to.Text(ClientId);
        Will?.Write(ref to, Version);
        if (UserName is not null)
        {
            to.Text(UserName);
        }

        if (Password is not null)
        {
            to.Binary(Password);
        }

        output.Advance(to.Count);
    }

    // In 3.1 the length of the packet takes precedence over the flags, for the sake of clients of the first version 3.
    private static bool Follows(int flag, int flags, MqttVersion version, in MqttReader from) =>
        (flags & flag) != 0 && (version != MqttVersion.V31 || !from.AtEnd);

    private static MqttVersion ReadVersion(ref MqttReader from)
    {
        ReadOnlySpan<byte> name = from.Text();
        byte level = from.Byte();
        if (name.SequenceEqual("MQTT"u8) && level is 4 or 5)
        {
            return (MqttVersion)level;
        }

        if (name.SequenceEqual("MQIsdp"u8) && level == 3)
        {
            return MqttVersion.V31;
        }

        if (!name.SequenceEqual("MQTT"u8) && !name.SequenceEqual("MQIsdp"u8))
        {
            MqttException.Malformed("this is not MQTT");
        }

        throw new MqttException(ReasonCode.UnsupportedProtocolVersion, $"protocol level {level} is not spoken here");
    }

    private static void CheckFlags(int flags, MqttVersion version)
    {
        bool isReserved = (flags & 1) != 0 && version != MqttVersion.V31;
        bool hasWill = (flags & WillFlag) != 0;
        // In 3.1 nobody looks at what is said of a will that is not there.
        bool isWillless = !hasWill && (flags & 0x38) != 0 && version != MqttVersion.V31;
        bool isPasswordOnly = (flags & UserNameFlag) == 0 && (flags & PasswordFlag) != 0 && version != MqttVersion.V5;
        if (isReserved || isWillless || isPasswordOnly || (hasWill && (flags & 0x18) == 0x18))
        {
            MqttException.Malformed("the connect flags are not as specified");
        }
    }

    private void TakeProperties(PropertyReader properties)
    {
        while (properties.Next())
        {
            switch (properties.Id)
            {
                case PropertyId.SessionExpiryInterval:
                    SessionExpiry = properties.Number;
                    break;
                case PropertyId.ReceiveMaximum:
                    ReceiveMaximum = (ushort)properties.Number;
                    break;
                case PropertyId.MaximumPacketSize:
                    MaximumPacketSize = properties.Number;
                    break;
                case PropertyId.TopicAliasMaximum:
                    TopicAliasMaximum = (ushort)properties.Number;
                    break;
                case PropertyId.RequestResponseInformation:
                    RequestResponseInformation = properties.Number == 1;
                    break;
                case PropertyId.RequestProblemInformation:
                    RequestProblemInformation = properties.Number == 1;
                    break;
                case PropertyId.AuthenticationMethod:
                    AuthenticationMethod = Encoding.UTF8.GetString(properties.Bytes);
                    break;
                case PropertyId.AuthenticationData:
                    AuthenticationData = properties.Bytes.ToArray();
                    break;
            }
        }

        if (AuthenticationData is not null && AuthenticationMethod is null)
        {
            MqttException.Protocol("authentication data without a method");
        }
    }

    private PropertyWriter Properties()
    {
        var to = new PropertyWriter();
        AddUnless(to, PropertyId.SessionExpiryInterval, SessionExpiry, 0);
        AddUnless(to, PropertyId.ReceiveMaximum, ReceiveMaximum, ushort.MaxValue);
        AddUnless(to, PropertyId.MaximumPacketSize, MaximumPacketSize, uint.MaxValue);
        AddUnless(to, PropertyId.TopicAliasMaximum, TopicAliasMaximum, 0);
        AddUnless(to, PropertyId.RequestResponseInformation, RequestResponseInformation ? 1u : 0, 0);
        AddUnless(to, PropertyId.RequestProblemInformation, RequestProblemInformation ? 1u : 0, 1);
        if (AuthenticationMethod is not null)
        {
            to.Add(PropertyId.AuthenticationMethod, AuthenticationMethod);
        }

        if (AuthenticationData is not null)
        {
            to.Add(PropertyId.AuthenticationData, AuthenticationData.AsSpan());
        }

        return to;
    }

    private static void AddUnless(PropertyWriter to, PropertyId id, uint value, uint standard)
    {
        if (value != standard)
        {
            to.Add(id, value);
        }
    }
}
