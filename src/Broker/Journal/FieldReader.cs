using System.Buffers.Binary;
using System.Text;

namespace Pillarbox.Broker.Journal;

/// <summary>
/// Reads fields out of a record, bounded: past the end, or with a length that is not there, everything reads as zero
/// and
/// <see cref="Failed"/> tells.
/// </summary>
internal ref struct FieldReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Something was missing: the record is not what it says.</summary>
    public bool Failed { get; private set; }

    public readonly ReadOnlySpan<byte> Rest => _rest;

    public readonly bool AtEnd => _rest.IsEmpty;

    public byte Byte()
    {
        ReadOnlySpan<byte> taken = Take(1);
        return taken.IsEmpty ? (byte)0 : taken[0];
    }

    public long Int64()
    {
        ReadOnlySpan<byte> taken = Take(sizeof(long));
        return taken.IsEmpty ? 0 : BinaryPrimitives.ReadInt64LittleEndian(taken);
    }

    public ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte part = Byte();
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }

        Failed = true;
        return 0;
    }

    /// <summary>A whole number that may be negative.</summary>
    public long SignedVarint()
    {
        ulong value = Varint();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    public ReadOnlySpan<byte> Bytes()
    {
        ulong length = Varint();
        return length > (ulong)_rest.Length ? Fail() : Take((int)length);
    }

    public string Text() => Encoding.UTF8.GetString(Bytes());

    public string? OptionalText() => Byte() == 0 ? null : Text();

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
        {
            return Fail();
        }

        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    private ReadOnlySpan<byte> Fail()
    {
        Failed = true;
        _rest = default;
        return default;
    }
}
