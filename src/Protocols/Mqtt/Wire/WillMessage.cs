using System.Text;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>
/// The will in a CONNECT (MQTT 5.0 §3.1.3.2 to §3.1.3.4): what is published when the connection ends without a
/// DISCONNECT.
/// <code>
/// props    will properties     5.0 only
/// string   will topic
/// binary   will payload
/// </code>
/// </summary>
internal sealed record WillMessage
{
    public required string Topic { get; init; }

    public byte[] Payload { get; init; } = [];

    public byte Qos { get; init; }

    public bool Retain { get; init; }

    /// <summary>Seconds from the end of the connection.</summary>
    public uint DelayInterval { get; init; }

    /// <summary>Seconds that the message lives; null: for ever.</summary>
    public uint? MessageExpiry { get; init; }

    /// <summary>The other properties, as they stand in a PUBLISH, without their length.</summary>
    public byte[] Properties { get; init; } = [];

    public static WillMessage Read(ref MqttReader from, MqttVersion version, byte qos, bool retain)
    {
        uint delay = 0;
        uint? expiry = null;
        var kept = new PropertyWriter();
        if (version == MqttVersion.V5)
        {
            var properties = new PropertyReader(ref from, PropertyTable.Will);
            while (properties.Next())
            {
                switch (properties.Id)
                {
                    case PropertyId.WillDelayInterval:
                        delay = properties.Number;
                        break;
                    case PropertyId.MessageExpiryInterval:
                        expiry = properties.Number;
                        break;
                    case PropertyId.ResponseTopic when !TopicText.IsName(properties.Bytes):
                        throw new MqttException(ReasonCode.ProtocolError, "the response topic is no topic name");
                    default:
                        kept.AddEncoded(properties.Encoded);
                        break;
                }
            }
        }

        ReadOnlySpan<byte> topic = from.Text();
        if (!TopicText.IsName(topic))
        {
            throw new MqttException(ReasonCode.TopicNameInvalid, "the will's topic is no topic name");
        }

        return new WillMessage
        {
            Topic = Encoding.UTF8.GetString(topic),
            Payload = from.Binary().ToArray(),
            Qos = qos,
            Retain = retain,
            DelayInterval = delay,
            MessageExpiry = expiry,
            Properties = kept.Written.ToArray(),
        };
    }

    public int BytesFor(MqttVersion version)
    {
        int properties = AllProperties().Length;
        return (version == MqttVersion.V5 ? MqttWriter.VarIntBytes(properties) + properties : 0)
            + MqttWriter.TextBytes(Topic) + 2 + Payload.Length;
    }

    public void Write(ref MqttWriter to, MqttVersion version)
    {
        if (version == MqttVersion.V5)
        {
            ReadOnlySpan<byte> properties = AllProperties();
            to.VarInt(properties.Length);
            to.Raw(properties);
        }

        to.Text(Topic);
        to.Binary(Payload);
    }

    private ReadOnlySpan<byte> AllProperties()
    {
        var all = new PropertyWriter();
        if (DelayInterval > 0)
        {
            all.Add(PropertyId.WillDelayInterval, DelayInterval);
        }

        if (MessageExpiry is { } expiry)
        {
            all.Add(PropertyId.MessageExpiryInterval, expiry);
        }

        all.AddEncoded(Properties);
        return all.Written;
    }
}
