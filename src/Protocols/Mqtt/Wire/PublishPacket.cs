using System.Buffers;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>
/// PUBLISH (MQTT 5.0 §3.3), a view of its bytes:
/// <code>
/// flags    3 DUP, 2..1 QoS, 0 RETAIN   in the fixed header
/// string   topic name                  empty only with a topic alias
/// u16      packet identifier           QoS 1 and 2; not 0
/// props    properties                  5.0 only
/// rest     payload
/// </code>
/// </summary>
internal ref struct PublishPacket
{
    public bool Dup { get; init; }

    public byte Qos { get; init; }

    public bool Retain { get; init; }

    public ReadOnlySpan<byte> Topic { get; init; }

    public ushort PacketId { get; init; }

    /// <summary>The properties as they stand there, without their length; checked.</summary>
    public ReadOnlySpan<byte> Properties { get; set; }

    public ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>0: none.</summary>
    public ushort TopicAlias { get; private set; }

    public bool HasTopicAlias { get; private set; }

    /// <summary>Seconds; null: for ever.</summary>
    public uint? MessageExpiry { get; private set; }

    public bool HasSubscriptionId { get; private set; }

    /// <summary>Reads what follows the fixed header.</summary>
    public static PublishPacket Read(byte flags, ReadOnlySpan<byte> bytes, MqttVersion version)
    {
        var from = new MqttReader(bytes);
        var qos = (byte)((flags >> 1) & 3);
        if (qos == 3 || (qos == 0 && (flags & 8) != 0 && version != MqttVersion.V31))
        {
            MqttException.Malformed("the flags of PUBLISH are not as specified");
        }

        ReadOnlySpan<byte> topic = from.Text();
        if (!topic.IsEmpty && !TopicText.IsName(topic))
        {
            throw new MqttException(ReasonCode.TopicNameInvalid, "a topic name holds a wildcard");
        }

        ushort id = qos > 0 ? ReadId(ref from) : (ushort)0;
        ReadOnlySpan<byte> properties = version == MqttVersion.V5 ? from.Take(from.VarInt()) : default;
        var packet = new PublishPacket
        {
            Dup = (flags & 8) != 0,
            Qos = qos,
            Retain = (flags & 1) != 0,
            Topic = topic,
            PacketId = id,
            Payload = from.TakeRest(),
        };
        if (!properties.IsEmpty)
        {
            packet.Take(properties);
        }

        if (topic.IsEmpty && !packet.HasTopicAlias)
        {
            MqttException.Protocol("a topic name is empty");
        }

        return packet;
    }

    /// <summary>Bytes of the whole packet.</summary>
    public readonly int BytesFor(MqttVersion version)
    {
        int length = LengthFor(version);
        return FixedHeader.BytesFor(length) + length;
    }

    /// <summary>Writes the whole packet.</summary>
    public readonly void Write(IBufferWriter<byte> output, MqttVersion version)
    {
        int length = LengthFor(version);
        var to = new MqttWriter(output.GetSpan(FixedHeader.BytesFor(length) + length));
        to.Header(PacketType.Publish, (Dup ? 8 : 0) | (Qos << 1) | (Retain ? 1 : 0), length);
        to.Binary(Topic);
        if (Qos > 0)
        {
            to.UInt16(PacketId);
        }

        if (version == MqttVersion.V5)
        {
            to.VarInt(Properties.Length);
            to.Raw(Properties);
        }

        to.Raw(Payload);
        output.Advance(to.Count);
    }

    internal static ushort ReadId(ref MqttReader from)
    {
        ushort id = from.UInt16();
        if (id == 0)
        {
            MqttException.Protocol("a packet identifier is 0");
        }

        return id;
    }

    private readonly int LengthFor(MqttVersion version) => 2 + Topic.Length + (Qos > 0 ? 2 : 0) + Payload.Length
        + (version == MqttVersion.V5 ? MqttWriter.VarIntBytes(Properties.Length) + Properties.Length : 0);

    private void Take(ReadOnlySpan<byte> raw)
    {
        Properties = raw;
        var properties = new PropertyReader(raw, PacketType.Publish);
        while (properties.Next())
        {
            switch (properties.Id)
            {
                case PropertyId.TopicAlias:
                    HasTopicAlias = true;
                    TopicAlias = (ushort)properties.Number;
                    break;
                case PropertyId.MessageExpiryInterval:
                    MessageExpiry = properties.Number;
                    break;
                case PropertyId.SubscriptionIdentifier:
                    HasSubscriptionId = true;
                    break;
                case PropertyId.ResponseTopic when !TopicText.IsName(properties.Bytes):
                    MqttException.Protocol("the response topic is no topic name");
                    break;
            }
        }
    }
}
