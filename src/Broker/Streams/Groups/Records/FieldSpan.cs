using System.Buffers.Binary;
using System.Text;

namespace Pillarbox.Broker.Streams.Groups.Records;

/// <summary>Reads the fields of coordinators' records; every length is checked against the bytes that are there.
/// Throws <see cref="RecordFormatException"/>.</summary>
internal ref struct FieldSpan(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public byte Byte() => Take(1)[0];

    public short Short() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public int Int() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public long Long() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public Guid Uuid() => new(Take(16), bigEndian: true);

    public string? NullableString()
    {
        int length = Short();
        return length < 0 ? null : Encoding.UTF8.GetString(Take(length));
    }

    public string String() => NullableString() ?? "";

    public byte[] Bytes()
    {
        int length = Int();
        return length < 0 ? [] : Take(length).ToArray();
    }

    /// <summary>A count of items of at least a size each.</summary>
    public int Count(int itemBytesMin) => Checked(Int(), itemBytesMin);

    /// <summary>A count that may say null, which counts as none.</summary>
    public int NullableCount(int itemBytesMin) => Checked(Math.Max(0, Int()), itemBytesMin);

    public uint Unsigned()
    {
        uint value = 0;
        for (int shift = 0; shift < 35; shift += 7)
        {
            byte next = Byte();
            value |= (uint)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new RecordFormatException("a number has too many bytes");
    }

    /// <summary>A count in the compact encoding; null counts as none.</summary>
    public int CompactCount(int itemBytesMin) => Checked(Math.Max(0, (int)Unsigned() - 1), itemBytesMin);

    public string? CompactNullableString()
    {
        uint length = Unsigned();
        return length == 0 ? null : Encoding.UTF8.GetString(Take((int)length - 1));
    }

    public string CompactString() => CompactNullableString() ?? "";

    public byte[] CompactBytes()
    {
        uint length = Unsigned();
        return length == 0 ? [] : Take((int)length - 1).ToArray();
    }

    /// <summary>The tagged fields at the end of a struct; those that nobody asks for are skipped.</summary>
    public TagList Tags()
    {
        TagList tags = default;
        int count = Checked((int)Unsigned(), 2);
        for (int i = 0; i < count; i++)
        {
            uint tag = Unsigned();
            ReadOnlySpan<byte> content = Take((int)Unsigned());
            switch (tag)
            {
                case 0:
                    tags.First = content;
                    break;
                case 1:
                    tags.Second = content;
                    break;
                case 2:
                    tags.Third = content;
                    break;
                case TagList.OwnTag:
                    tags.Own = content;
                    break;
            }
        }

        return tags;
    }

    private readonly int Checked(int count, int itemBytesMin) =>
        count >= 0 && (long)count * itemBytesMin <= _rest.Length
            ? count
            : throw new RecordFormatException($"a count says {count} with {_rest.Length} bytes left");

    private ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)_rest.Length)
        {
            throw new RecordFormatException($"a field of {count} bytes with {_rest.Length} left");
        }

        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}

/// <summary>The contents of the tagged fields 0 to 2 of a struct, and of the one that is this program's own; empty when
/// absent.</summary>
internal ref struct TagList
{
    /// <summary>Far behind those that the field's programs know; they skip it.</summary>
    public const uint OwnTag = 10_000;

    public ReadOnlySpan<byte> First { get; set; }

    public ReadOnlySpan<byte> Second { get; set; }

    public ReadOnlySpan<byte> Third { get; set; }

    public ReadOnlySpan<byte> Own { get; set; }
}
