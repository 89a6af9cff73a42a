namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>What kind of value a property has (MQTT 5.0 §2.2.2.2, third column).</summary>
internal enum PropertyValueKind : byte
{
    /// <summary>There is no such property.</summary>
    None,

    /// <summary>A byte that is 0 or 1.</summary>
    Flag,
    UInt16,
    UInt32,
    VarInt,
    Text,
    Binary,
    Pair,
}

/// <summary>
/// The table of properties (MQTT 5.0 §2.2.2.2): identifier, type, and the packets that may bear it. Will properties
/// stand under bit 0, which is no packet type.
/// </summary>
internal static class PropertyTable
{
    /// <summary>Where will properties stand in place of a packet type.</summary>
    public const PacketType Will = 0;

    private const ushort AcksFromBoth = (1 << (int)PacketType.PubAck) | (1 << (int)PacketType.PubRec)
        | (1 << (int)PacketType.PubRel) | (1 << (int)PacketType.PubComp);

    private static readonly PropertyValueKind[] Kinds = new PropertyValueKind[64];
    private static readonly ushort[] Packets = new ushort[64];

    static PropertyTable()
    {
        Add(PropertyId.PayloadFormatIndicator, PropertyValueKind.Flag, PacketType.Publish, Will);
        Add(PropertyId.MessageExpiryInterval, PropertyValueKind.UInt32, PacketType.Publish, Will);
        Add(PropertyId.ContentType, PropertyValueKind.Text, PacketType.Publish, Will);
        Add(PropertyId.ResponseTopic, PropertyValueKind.Text, PacketType.Publish, Will);
        Add(PropertyId.CorrelationData, PropertyValueKind.Binary, PacketType.Publish, Will);
        Add(PropertyId.SubscriptionIdentifier, PropertyValueKind.VarInt, PacketType.Publish, PacketType.Subscribe);
        Add(PropertyId.SessionExpiryInterval, PropertyValueKind.UInt32, PacketType.Connect, PacketType.ConnAck,
            PacketType.Disconnect);
        Add(PropertyId.AssignedClientIdentifier, PropertyValueKind.Text, PacketType.ConnAck);
        Add(PropertyId.ServerKeepAlive, PropertyValueKind.UInt16, PacketType.ConnAck);
        Add(PropertyId.AuthenticationMethod, PropertyValueKind.Text, PacketType.Connect, PacketType.ConnAck,
            PacketType.Auth);
        Add(PropertyId.AuthenticationData, PropertyValueKind.Binary, PacketType.Connect, PacketType.ConnAck,
            PacketType.Auth);
        Add(PropertyId.RequestProblemInformation, PropertyValueKind.Flag, PacketType.Connect);
        Add(PropertyId.WillDelayInterval, PropertyValueKind.UInt32, Will);
        Add(PropertyId.RequestResponseInformation, PropertyValueKind.Flag, PacketType.Connect);
        Add(PropertyId.ResponseInformation, PropertyValueKind.Text, PacketType.ConnAck);
        Add(PropertyId.ServerReference, PropertyValueKind.Text, PacketType.ConnAck, PacketType.Disconnect);
        Add(PropertyId.ReasonString, PropertyValueKind.Text, PacketType.ConnAck, PacketType.SubAck,
            PacketType.UnsubAck, PacketType.Disconnect, PacketType.Auth);
        Packets[(int)PropertyId.ReasonString] |= AcksFromBoth;
        Add(PropertyId.ReceiveMaximum, PropertyValueKind.UInt16, PacketType.Connect, PacketType.ConnAck);
        Add(PropertyId.TopicAliasMaximum, PropertyValueKind.UInt16, PacketType.Connect, PacketType.ConnAck);
        Add(PropertyId.TopicAlias, PropertyValueKind.UInt16, PacketType.Publish);
        Add(PropertyId.MaximumQos, PropertyValueKind.Flag, PacketType.ConnAck);
        Add(PropertyId.RetainAvailable, PropertyValueKind.Flag, PacketType.ConnAck);
        Add(PropertyId.UserProperty, PropertyValueKind.Pair, PacketType.Connect, PacketType.ConnAck,
            PacketType.Publish, Will, PacketType.Subscribe, PacketType.SubAck, PacketType.Unsubscribe,
            PacketType.UnsubAck, PacketType.Disconnect, PacketType.Auth);
        Packets[(int)PropertyId.UserProperty] |= AcksFromBoth;
        Add(PropertyId.MaximumPacketSize, PropertyValueKind.UInt32, PacketType.Connect, PacketType.ConnAck);
        Add(PropertyId.WildcardSubscriptionAvailable, PropertyValueKind.Flag, PacketType.ConnAck);
        Add(PropertyId.SubscriptionIdentifierAvailable, PropertyValueKind.Flag, PacketType.ConnAck);
        Add(PropertyId.SharedSubscriptionAvailable, PropertyValueKind.Flag, PacketType.ConnAck);
    }

    /// <summary>The kind of a property's value; None when there is none of that number.</summary>
    public static PropertyValueKind KindOf(int id) => id < Kinds.Length ? Kinds[id] : PropertyValueKind.None;

    /// <summary>Whether a packet may bear a property that there is.</summary>
    public static bool Allows(PacketType packet, int id) => (Packets[id] & (1 << (int)packet)) != 0;

    /// <summary>User properties may be given again and again, subscription identifiers only to a client
    /// (§3.3.2.3.8).</summary>
    public static bool MayRepeat(PacketType packet, int id) => id == (int)PropertyId.UserProperty
        || (id == (int)PropertyId.SubscriptionIdentifier && packet == PacketType.Publish);

    private static void Add(PropertyId id, PropertyValueKind kind, params ReadOnlySpan<PacketType> packets)
    {
        Kinds[(int)id] = kind;
        foreach (PacketType packet in packets)
        {
            Packets[(int)id] |= (ushort)(1 << (int)packet);
        }
    }
}
