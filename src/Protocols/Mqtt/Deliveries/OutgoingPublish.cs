using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Deliveries;

/// <summary>A stored message as it goes to one client: the stored bytes, with what belongs to this client before
/// them.</summary>
internal ref struct OutgoingPublish
{
    private const int ExpiryBytes = 5;
    private const int AliasBytes = 3;

    /// <summary>By so much the lengths before it grow at most.</summary>
    private const int AliasLengthBytes = 2;

    public MqttMessageMap Message;
    public int Qos;
    public bool Retain;
    public bool Dup;
    public ushort PacketId;
    public uint MessageExpiry;
    public int[] SubscriptionIds;

    /// <summary>Bytes of the whole packet, without an alias.</summary>
    public readonly long BytesFor(MqttVersion version)
    {
        int length = LengthFor(version, PropertyBytes());
        return FixedHeader.BytesFor(length) + length;
    }

    /// <summary>Writes the PUBLISH; false when it is larger than the client takes, and nothing was written.</summary>
    public readonly bool TryWrite(PacketWriter output, MqttVersion version, SentAliases aliases, uint packetBytesMax)
    {
        ReadOnlySpan<byte> topic = Message.Topic;
        int properties = PropertyBytes();
        int length = LengthFor(version, properties);
        ushort alias = 0;
        long bytes = FixedHeader.BytesFor(length) + length;
        if (bytes > packetBytesMax)
        {
            return false;
        }

        // An alias makes it shorter, except the first time.
        bool mayGrow = version == MqttVersion.V5 && bytes + AliasBytes + AliasLengthBytes <= packetBytesMax;
        if (mayGrow && (alias = aliases.Of(topic, out bool isNew)) != 0)
        {
            length -= isNew ? 0 : topic.Length;
            topic = isNew ? topic : default;
            length += MqttWriter.VarIntBytes(properties + AliasBytes) - MqttWriter.VarIntBytes(properties) + AliasBytes;
            properties += AliasBytes;
        }

        var to = new MqttWriter(output.GetSpan(FixedHeader.BytesFor(length) + length));
        to.Header(PacketType.Publish, (Dup ? 8 : 0) | (Qos << 1) | (Retain ? 1 : 0), length);
        to.Binary(topic);
        if (Qos > 0)
        {
            to.UInt16(PacketId);
        }

        if (version == MqttVersion.V5)
        {
            to.VarInt(properties);
            WriteProperties(ref to, alias);
        }

        to.Raw(Message.Payload);
        output.Advance(to.Count);
        return true;
    }

    private readonly int LengthFor(MqttVersion version, int properties) =>
        2 + Message.Topic.Length + (Qos > 0 ? 2 : 0) + Message.Payload.Length
        + (version == MqttVersion.V5 ? MqttWriter.VarIntBytes(properties) + properties : 0);

    private readonly int PropertyBytes()
    {
        int bytes = Message.Properties.Length + (MessageExpiry > 0 ? ExpiryBytes : 0);
        foreach (int id in SubscriptionIds ?? [])
        {
            bytes += 1 + MqttWriter.VarIntBytes(id);
        }

        return bytes;
    }

    private readonly void WriteProperties(ref MqttWriter to, ushort alias)
    {
        to.Raw(Message.Properties);
        if (MessageExpiry > 0)
        {
            to.Byte((byte)PropertyId.MessageExpiryInterval);
            to.UInt32(MessageExpiry);
        }

        foreach (int id in SubscriptionIds ?? [])
        {
            to.Byte((byte)PropertyId.SubscriptionIdentifier);
            to.VarInt(id);
        }

        if (alias != 0)
        {
            to.Byte((byte)PropertyId.TopicAlias);
            to.UInt16(alias);
        }
    }
}
