using System.Buffers.Binary;
using System.Text;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>Writes the data types of MQTT 5.0 §1.5 into a span that has room for them.</summary>
internal ref struct MqttWriter(Span<byte> to)
{
    private readonly Span<byte> _to = to;

    /// <summary>Bytes written.</summary>
    public int Count { get; private set; }

    public void Byte(byte value) => _to[Count++] = value;

    public void UInt16(int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_to[Count..], (ushort)value);
        Count += 2;
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_to[Count..], value);
        Count += 4;
    }

    public void VarInt(int value)
    {
        while (value >= 0x80)
        {
            _to[Count++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _to[Count++] = (byte)value;
    }

    public void Binary(ReadOnlySpan<byte> value)
    {
        UInt16(value.Length);
        Raw(value);
    }

    public void Text(string value)
    {
        int bytes = Encoding.UTF8.GetBytes(value, _to[(Count + 2)..]);
        UInt16(bytes);
        Count += bytes;
    }

    public void Raw(ReadOnlySpan<byte> value)
    {
        value.CopyTo(_to[Count..]);
        Count += value.Length;
    }

    /// <summary>The fixed header of a packet.</summary>
    public void Header(PacketType type, int flags, int length)
    {
        Byte((byte)(((int)type << 4) | flags));
        VarInt(length);
    }

    public static int VarIntBytes(int value) => value switch
    {
        < 1 << 7 => 1,
        < 1 << 14 => 2,
        < 1 << 21 => 3,
        _ => 4,
    };

    /// <summary>Bytes of a string with its length.</summary>
    public static int TextBytes(string value) => 2 + Encoding.UTF8.GetByteCount(value);
}
