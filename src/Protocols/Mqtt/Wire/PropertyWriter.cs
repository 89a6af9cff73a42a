using System.Buffers;
using System.Text;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>Collects properties, which stand in a packet behind their length (MQTT 5.0 §2.2.2). For packets that are
/// rare.</summary>
internal sealed class PropertyWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new(64);

    /// <summary>What was collected, without the length.</summary>
    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <summary>Adds a number by the property's type.</summary>
    public PropertyWriter Add(PropertyId id, uint value)
    {
        MqttWriter to = Begin(id, 4);
        switch (PropertyTable.KindOf((int)id))
        {
            case PropertyValueKind.Flag:
                to.Byte((byte)value);
                break;
            case PropertyValueKind.UInt16:
                to.UInt16((int)value);
                break;
            case PropertyValueKind.VarInt:
                to.VarInt((int)value);
                break;
            default:
                to.UInt32(value);
                break;
        }

        _bytes.Advance(to.Count);
        return this;
    }

    public PropertyWriter Add(PropertyId id, ReadOnlySpan<byte> value)
    {
        MqttWriter to = Begin(id, value.Length + 2);
        to.Binary(value);
        _bytes.Advance(to.Count);
        return this;
    }

    /// <summary>Text is cut to what a string holds.</summary>
    public PropertyWriter Add(PropertyId id, string value)
    {
        byte[] text = Encoding.UTF8.GetBytes(value);
        return Add(id, text.Length > ushort.MaxValue ? text.AsSpan(0, ushort.MaxValue) : text);
    }

    public PropertyWriter AddPair(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        MqttWriter to = Begin(PropertyId.UserProperty, name.Length + value.Length + 4);
        to.Binary(name);
        to.Binary(value);
        _bytes.Advance(to.Count);
        return this;
    }

    /// <summary>One as it stood in another packet.</summary>
    public void AddEncoded(ReadOnlySpan<byte> property) => _bytes.Write(property);

    private MqttWriter Begin(PropertyId id, int room)
    {
        var to = new MqttWriter(_bytes.GetSpan(room + 1));
        to.Byte((byte)id);
        return to;
    }
}
