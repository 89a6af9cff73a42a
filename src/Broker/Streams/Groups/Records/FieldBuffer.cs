using System.Buffers.Binary;
using System.Text;

namespace Pillarbox.Broker.Streams.Groups.Records;

/// <summary>A coordinator's record refers to fields that are not there: the record is damaged, or of a format that is
/// not known here.</summary>
internal sealed class RecordFormatException(string message) : Exception(message);

/// <summary>Writes the fields of coordinators' records: big-endian, in the plain or the compact encoding.</summary>
internal sealed class FieldBuffer
{
    private byte[] _bytes = new byte[64];
    private int _count;

    public byte[] ToArray() => _bytes.AsSpan(0, _count).ToArray();

    public FieldBuffer Byte(byte value)
    {
        Room(1)[0] = value;
        return this;
    }

    public FieldBuffer Short(short value)
    {
        BinaryPrimitives.WriteInt16BigEndian(Room(2), value);
        return this;
    }

    public FieldBuffer Int(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(Room(4), value);
        return this;
    }

    public FieldBuffer Long(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(Room(8), value);
        return this;
    }

    public FieldBuffer Uuid(Guid value)
    {
        value.TryWriteBytes(Room(16), bigEndian: true, out _);
        return this;
    }

    /// <summary>A string with a length of two bytes; null as -1.</summary>
    public FieldBuffer String(string? value)
    {
        if (value is null)
        {
            return Short(-1);
        }

        int bytes = Encoding.UTF8.GetByteCount(value);
        Short(checked((short)bytes));
        Encoding.UTF8.GetBytes(value, Room(bytes));
        return this;
    }

    /// <summary>Bytes with a length of four bytes.</summary>
    public FieldBuffer Bytes(ReadOnlySpan<byte> value)
    {
        Int(value.Length);
        value.CopyTo(Room(value.Length));
        return this;
    }

    public FieldBuffer Unsigned(uint value)
    {
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }

        return Byte((byte)value);
    }

    /// <summary>A count of items in the compact encoding.</summary>
    public FieldBuffer CompactCount(int count) => Unsigned((uint)count + 1);

    public FieldBuffer CompactString(string? value)
    {
        if (value is null)
        {
            return Unsigned(0);
        }

        int bytes = Encoding.UTF8.GetByteCount(value);
        CompactCount(bytes);
        Encoding.UTF8.GetBytes(value, Room(bytes));
        return this;
    }

    public FieldBuffer CompactBytes(ReadOnlySpan<byte> value)
    {
        CompactCount(value.Length);
        value.CopyTo(Room(value.Length));
        return this;
    }

    /// <summary>A struct that ends without tagged fields.</summary>
    public FieldBuffer NoTags() => Byte(0);

    /// <summary>One tagged field.</summary>
    public FieldBuffer Tag(uint tag, FieldBuffer content)
    {
        Unsigned(tag);
        Unsigned((uint)content._count);
        content._bytes.AsSpan(0, content._count).CopyTo(Room(content._count));
        return this;
    }

    private Span<byte> Room(int bytes)
    {
        if (_count + bytes > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _count + bytes));
        }

        _count += bytes;
        return _bytes.AsSpan(_count - bytes, bytes);
    }
}
