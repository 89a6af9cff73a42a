namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>
/// Reads the properties of a packet one by one (MQTT 5.0 §2.2.2):
/// <code>
/// variable byte integer  property length, counts what follows
/// again and again        identifier (variable byte integer), value by its type
/// </code>
/// What a packet may not bear, or bears twice, is a protocol error.
/// </summary>
internal ref struct PropertyReader
{
    private readonly PacketType _packet;
    private MqttReader _rest;
    private ulong _seen;

    /// <summary>Takes the properties with their length off a packet.</summary>
    public PropertyReader(ref MqttReader packet, PacketType type)
        : this(packet.Take(packet.VarInt()), type)
    {
    }

    /// <summary>Over the properties without their length.</summary>
    public PropertyReader(ReadOnlySpan<byte> properties, PacketType type)
    {
        _packet = type;
        _rest = new MqttReader(properties);
        Raw = properties;
    }

    /// <summary>All of them, without the length.</summary>
    public ReadOnlySpan<byte> Raw { get; }

    /// <summary>What the current one is.</summary>
    public PropertyId Id { get; private set; }

    /// <summary>The current one's value, when it is a number.</summary>
    public uint Number { get; private set; }

    /// <summary>The current one's value, when it is text or binary; of a user property the name.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Of a user property the value.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>The current one as it stands in the packet, with its identifier.</summary>
    public ReadOnlySpan<byte> Encoded { get; private set; }

    /// <summary>Whether a property was there.</summary>
    public readonly bool Has(PropertyId id) => (_seen & (1UL << (int)id)) != 0;

    /// <summary>Goes to the next; false at the end.</summary>
    public bool Next()
    {
        if (_rest.AtEnd)
        {
            return false;
        }

        ReadOnlySpan<byte> from = _rest.Rest;
        int id = _rest.VarInt();
        PropertyValueKind kind = PropertyTable.KindOf(id);
        if (kind == PropertyValueKind.None)
        {
            MqttException.Malformed($"there is no property {id}");
        }

        if (!PropertyTable.Allows(_packet, id))
        {
            MqttException.Protocol($"property {id} does not belong into {_packet}");
        }

        if ((_seen & (1UL << id)) != 0 && !PropertyTable.MayRepeat(_packet, id))
        {
            MqttException.Protocol($"property {id} stands there twice");
        }

        _seen |= 1UL << id;
        Id = (PropertyId)id;
        ReadValue(kind);
        Encoded = from[..^_rest.Rest.Length];
        return true;
    }

    /// <summary>Checks all that are left.</summary>
    public void ReadAll()
    {
        while (Next())
        {
        }
    }

    private void ReadValue(PropertyValueKind kind)
    {
        switch (kind)
        {
            case PropertyValueKind.Flag:
                Number = _rest.Byte();
                if (Number > 1)
                {
                    MqttException.Protocol($"property {(int)Id} is neither 0 nor 1");
                }

                break;
            case PropertyValueKind.UInt16:
                Number = _rest.UInt16();
                break;
            case PropertyValueKind.UInt32:
                Number = _rest.UInt32();
                break;
            case PropertyValueKind.VarInt:
                Number = (uint)_rest.VarInt();
                break;
            case PropertyValueKind.Text:
                Bytes = _rest.Text();
                break;
            case PropertyValueKind.Binary:
                Bytes = _rest.Binary();
                break;
            default:
                Bytes = _rest.Text();
                Value = _rest.Text();
                break;
        }

        CheckValue();
    }

    // Those for which 0 is no value (§3.1.2.11.3, §3.1.2.11.4, §3.3.2.3.8; an alias of 0 is the session's to refuse).
    private readonly void CheckValue()
    {
        bool isNeverZero = Id is PropertyId.ReceiveMaximum or PropertyId.MaximumPacketSize
            or PropertyId.SubscriptionIdentifier;
        if (isNeverZero && Number == 0)
        {
            MqttException.Protocol($"property {(int)Id} is 0");
        }
    }
}
