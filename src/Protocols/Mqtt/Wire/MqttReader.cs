using System.Buffers.Binary;
using System.Text.Unicode;

namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>
/// Reads the data types of MQTT 5.0 §1.5 off the bytes of one packet; what it gives are slices of them.
/// <see cref="MqttException"/> when they do not suffice or are not what they should be.
/// </summary>
internal ref struct MqttReader(ReadOnlySpan<byte> bytes)
{
    /// <summary>The largest number that a variable byte integer holds.</summary>
    public const int VarIntMax = 268_435_455;

    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>What is not read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public readonly bool AtEnd => _rest.IsEmpty;

    public byte Byte()
    {
        if (_rest.IsEmpty)
        {
            MqttException.Malformed("the packet ends too early");
        }

        byte value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    /// <summary>A variable byte integer (§1.5.5): seven bits a byte, least significant first, in the fewest
    /// bytes.</summary>
    public int VarInt()
    {
        int value = 0;
        for (int shift = 0; shift < 28; shift += 7)
        {
            byte next = Byte();
            value |= (next & 0x7F) << shift;
            if (next < 0x80)
            {
                if (next == 0 && shift > 0)
                {
                    MqttException.Malformed("a variable byte integer is longer than it need be");
                }

                return value;
            }
        }

        MqttException.Malformed("a variable byte integer has more than four bytes");
        return 0;
    }

    /// <summary>Binary data (§1.5.6): two bytes of length, then so many.</summary>
    public ReadOnlySpan<byte> Binary() => Take(UInt16());

    /// <summary>A string (§1.5.4): binary data that is well-formed UTF-8 without U+0000.</summary>
    public ReadOnlySpan<byte> Text()
    {
        ReadOnlySpan<byte> text = Binary();
        if (!Utf8.IsValid(text) || text.Contains((byte)0))
        {
            MqttException.Malformed("a string is not UTF-8, or holds U+0000");
        }

        return text;
    }

    public ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
        {
            MqttException.Malformed("the packet ends too early");
        }

        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    /// <summary>Everything that is left.</summary>
    public ReadOnlySpan<byte> TakeRest()
    {
        ReadOnlySpan<byte> rest = _rest;
        _rest = default;
        return rest;
    }

    public readonly void End()
    {
        if (!_rest.IsEmpty)
        {
            MqttException.Malformed("the packet goes on behind its end");
        }
    }
}
