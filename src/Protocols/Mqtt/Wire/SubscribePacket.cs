using System.Buffers;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>The options of a subscription (MQTT 5.0 §3.8.3.1): bits 1..0 QoS, 2 no local, 3 retain as published, 5..4
/// retain handling, 7..6 zero.</summary>
internal readonly record struct SubscriptionOptions(byte Bits)
{
    public byte Qos => (byte)(Bits & 3);

    public bool NoLocal => (Bits & 4) != 0;

    public bool RetainAsPublished => (Bits & 8) != 0;

    /// <summary>0: retained messages are sent; 1: only when the subscription is new; 2: never.</summary>
    public int RetainHandling => (Bits >> 4) & 3;

    public static SubscriptionOptions Read(byte bits, MqttVersion version)
    {
        // In 3.1 nobody looks at the bits beside the quality of service.
        var options = new SubscriptionOptions(version == MqttVersion.V31 ? (byte)(bits & 3) : bits);
        int allowed = version == MqttVersion.V5 ? 0x3F : 0x03;
        if ((options.Bits & ~allowed) != 0)
        {
            MqttException.Malformed("subscription options are not as specified");
        }

        if (options.Qos == 3 || options.RetainHandling == 3)
        {
            MqttException.Protocol("a quality of service, or a retain handling, is 3");
        }

        return options;
    }
}

/// <summary>One filter of a SUBSCRIBE, a view.</summary>
internal readonly ref struct SubscriptionRequest(ReadOnlySpan<byte> filter, SubscriptionOptions options)
{
    public ReadOnlySpan<byte> Filter { get; } = filter;

    public SubscriptionOptions Options { get; } = options;
}

/// <summary>
/// SUBSCRIBE (MQTT 5.0 §3.8), a view of its bytes:
/// <code>
/// u16      packet identifier
/// props    properties              5.0 only: subscription identifier, user properties
/// string   topic filter            at least once, each with
/// byte     subscription options
/// </code>
/// </summary>
internal ref struct SubscribePacket
{
    private MqttReader _filters;
    private MqttVersion _version;

    public ushort PacketId { get; private set; }

    /// <summary>0: none.</summary>
    public int SubscriptionId { get; private set; }

    /// <summary>Reads what follows the fixed header, up to the filters.</summary>
    public static SubscribePacket Read(ReadOnlySpan<byte> bytes, MqttVersion version)
    {
        var from = new MqttReader(bytes);
        var packet = new SubscribePacket { PacketId = PublishPacket.ReadId(ref from), _version = version };
        if (version == MqttVersion.V5)
        {
            var properties = new PropertyReader(ref from, PacketType.Subscribe);
            while (properties.Next())
            {
                if (properties.Id == PropertyId.SubscriptionIdentifier)
                {
                    packet.SubscriptionId = (int)properties.Number;
                }
            }
        }

        if (from.AtEnd)
        {
            MqttException.Protocol("a SUBSCRIBE without a filter");
        }

        packet._filters = from;
        return packet;
    }

    /// <summary>Takes the next filter; false at the end.</summary>
    public bool Next(out SubscriptionRequest request)
    {
        if (_filters.AtEnd)
        {
            request = default;
            return false;
        }

        ReadOnlySpan<byte> filter = _filters.Text();
        request = new SubscriptionRequest(filter, SubscriptionOptions.Read(_filters.Byte(), _version));
        return true;
    }

    /// <summary>Writes a whole packet.</summary>
    public static void Write(
        IBufferWriter<byte> output, MqttVersion version, ushort packetId, int subscriptionId,
        params ReadOnlySpan<(string Filter, byte Options)> filters)
    {
        ReadOnlySpan<byte> properties = subscriptionId > 0
            ? new PropertyWriter().Add(PropertyId.SubscriptionIdentifier, (uint)subscriptionId).Written
            : default;
        int length = 2
            + (version == MqttVersion.V5 ? MqttWriter.VarIntBytes(properties.Length) + properties.Length : 0);
        foreach ((string filter, _) in filters)
        {
            length += MqttWriter.TextBytes(filter) + 1;
        }

        var to = new MqttWriter(output.GetSpan(FixedHeader.BytesFor(length) + length));
        to.Header(PacketType.Subscribe, 2, length);
        to.UInt16(packetId);
        if (version == MqttVersion.V5)
        {
            to.VarInt(properties.Length);
            to.Raw(properties);
        }

        foreach ((string filter, byte options) in filters)
        {
            to.Text(filter);
            to.Byte(options);
        }

        output.Advance(to.Count);
    }
}
