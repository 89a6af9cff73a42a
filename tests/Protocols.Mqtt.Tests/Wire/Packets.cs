using System.Buffers;
using System.Text;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Wire;

/// <summary>Packets as bytes, one of each kind and version, and one way to read them all and write them
/// again.</summary>
internal static class Packets
{
    public static readonly MqttVersion[] Versions = [MqttVersion.V31, MqttVersion.V311, MqttVersion.V5];

    /// <summary>A good packet of each kind, for a version.</summary>
    public static IEnumerable<byte[]> All(MqttVersion version) =>
        [.. Connects(version), .. Publishes(version), .. Others(version)];

    private static IEnumerable<byte[]> Connects(MqttVersion version)
    {
        bool isNew = version == MqttVersion.V5;
        var will = new WillMessage
        {
            Topic = "will/topic",
            Payload = [1, 2, 3],
            Qos = 1,
            Retain = true,
            DelayInterval = isNew ? 5u : 0,
            MessageExpiry = isNew ? 6 : null,
            Properties = isNew ? new PropertyWriter().AddPair("a"u8, "b"u8).Written.ToArray() : [],
        };
        yield return Bytes(new ConnectPacket
        {
            Version = version,
            ClientId = "client",
            CleanStart = true,
            KeepAlive = 30,
            Will = will,
            UserName = "user",
            Password = "secret"u8.ToArray(),
            SessionExpiry = isNew ? 100u : 0,
            ReceiveMaximum = isNew ? (ushort)10 : ushort.MaxValue,
            TopicAliasMaximum = isNew ? (ushort)3 : (ushort)0,
        }.Write);
        yield return Bytes(new ConnectPacket { Version = version, ClientId = "c" }.Write);
        yield return Bytes(to => new ConnAckPacket
        {
            SessionPresent = version != MqttVersion.V31,
            Properties = isNew ? new PropertyWriter().Add(PropertyId.ReceiveMaximum, 7).Written.ToArray() : [],
        }.Write(to, version));
    }

    private static IEnumerable<byte[]> Publishes(MqttVersion version)
    {
        bool isNew = version == MqttVersion.V5;
        foreach (byte qos in new byte[] { 0, 1, 2 })
        {
            yield return Bytes(to => new PublishPacket
            {
                Topic = "some/topic"u8,
                Payload = "body"u8,
                Qos = qos,
                Dup = qos > 0,
                Retain = qos == 1,
                PacketId = qos > 0 ? (ushort)515 : (ushort)0,
                Properties = isNew ? AllOfPublish() : default,
            }.Write(to, version));
        }

        foreach (PacketType type in new[]
            { PacketType.PubAck, PacketType.PubRec, PacketType.PubRel, PacketType.PubComp })
        {
            yield return Bytes(to => new AckPacket(type, 515).Write(to, version));
            yield return Bytes(to => new AckPacket(
                type, 3, isNew ? ReasonCode.PacketIdentifierNotFound : ReasonCode.Success).Write(to, version));
        }
    }

    private static IEnumerable<byte[]> Others(MqttVersion version)
    {
        bool isNew = version == MqttVersion.V5;
        yield return Bytes(to => SubscribePacket.Write(
            to, version, 7, isNew ? 300 : 0, ("a/+", (byte)1), ("$share/g/b/#", (byte)(isNew ? 0x2A : 2))));
        yield return Bytes(to => new SubAckPacket(PacketType.SubAck, 7, [1, 0x80]).Write(to, version));
        yield return Bytes(to => UnsubscribePacket.Write(to, version, 8, "a/+", "b/#"));
        yield return Bytes(to => new SubAckPacket(PacketType.UnsubAck, 8, isNew ? [0, 0x11] : []).Write(to, version));
        yield return [0xC0, 0];
        yield return [0xD0, 0];
        yield return Bytes(to => new DisconnectPacket(isNew ? ReasonCode.ServerBusy : ReasonCode.Success)
        {
            ReasonString = isNew ? "later" : null,
            SessionExpiry = isNew ? 9 : null,
            ServerReference = isNew ? "other" : null,
        }.Write(to, version));
        yield return Bytes(to => new DisconnectPacket().Write(to, version));
        if (isNew)
        {
            yield return Bytes(new AuthPacket(ReasonCode.ContinueAuthentication)
            {
                Method = "SCRAM-SHA-256",
                Data = [1, 2],
            }.Write);
        }
    }

    public static byte[] Bytes(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The packet as it is written again after it was read.</summary>
    public static byte[] Again(byte[] packet, MqttVersion version)
    {
        if (!FixedHeader.TryRead(packet.AsSpan(), int.MaxValue, out FixedHeader header))
        {
            MqttException.Malformed("the packet has no whole header");
        }

        ReadOnlySpan<byte> rest = packet.AsSpan(header.HeaderBytes);
        if (rest.Length != header.Length)
        {
            MqttException.Malformed("the packet has another length");
        }

        byte[] body = rest.ToArray();
        return header.Type switch
        {
            PacketType.Connect => Bytes(ConnectPacket.Read(body).Write),
            PacketType.ConnAck => Bytes(to => ConnAckPacket.Read(body, version).Write(to, version)),
            PacketType.Publish => Bytes(to => PublishPacket.Read(header.Flags, body, version).Write(to, version)),
            PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp =>
                Bytes(to => AckPacket.Read(header.Type, body, version).Write(to, version)),
            PacketType.Subscribe => Subscribe(body, version),
            PacketType.SubAck or PacketType.UnsubAck =>
                Bytes(to => SubAckPacket.Read(header.Type, body, version).Write(to, version)),
            PacketType.Unsubscribe => Unsubscribe(body, version),
            PacketType.Disconnect => Bytes(to => DisconnectPacket.Read(body, version).Write(to, version)),
            PacketType.Auth => Bytes(AuthPacket.Read(body).Write),
            _ => body.Length == 0 ? packet : throw new MqttException(ReasonCode.MalformedPacket, "not empty"),
        };
    }

    private static ReadOnlySpan<byte> AllOfPublish() => new PropertyWriter()
        .Add(PropertyId.PayloadFormatIndicator, 1)
        .Add(PropertyId.MessageExpiryInterval, 70_000)
        .Add(PropertyId.TopicAlias, 5)
        .Add(PropertyId.ResponseTopic, "answers")
        .Add(PropertyId.CorrelationData, [1, 2, 3])
        .AddPair("name"u8, "value"u8)
        .AddPair("name"u8, "again"u8)
        .Add(PropertyId.SubscriptionIdentifier, 268_435_455)
        .Add(PropertyId.ContentType, "text/plain")
        .Written;

    private static byte[] Subscribe(byte[] body, MqttVersion version)
    {
        SubscribePacket packet = SubscribePacket.Read(body, version);
        var filters = new List<(string, byte)>();
        while (packet.Next(out SubscriptionRequest request))
        {
            filters.Add((Encoding.UTF8.GetString(request.Filter), request.Options.Bits));
        }

        ushort id = packet.PacketId;
        int subscription = packet.SubscriptionId;
        return Bytes(to => SubscribePacket.Write(to, version, id, subscription, [.. filters]));
    }

    private static byte[] Unsubscribe(byte[] body, MqttVersion version)
    {
        UnsubscribePacket packet = UnsubscribePacket.Read(body, version);
        var filters = new List<string>();
        while (packet.Next(out ReadOnlySpan<byte> filter))
        {
            filters.Add(Encoding.UTF8.GetString(filter));
        }

        ushort id = packet.PacketId;
        return Bytes(to => UnsubscribePacket.Write(to, version, id, [.. filters]));
    }
}
