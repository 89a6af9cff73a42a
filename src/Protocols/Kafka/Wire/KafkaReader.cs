using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Pillarbox.Protocols.Kafka.Wire;

/// <summary>
/// Reads the protocol's primitive types from the bytes of one frame. Pure. No length is believed: what it claims must
/// be there, and the elements of one frame are bounded by <see cref="ElementsMax"/>. Every fault is a
/// <see cref="KafkaException"/>.
/// </summary>
internal ref struct KafkaReader
{
    /// <summary>The most elements of all arrays of one frame together, and of tagged fields.</summary>
    public const int ElementsMax = 500_000;

    private readonly ReadOnlyMemory<byte> _memory;
    private readonly ReadOnlySpan<byte> _span;
    private int _position;
    private int _elements;

    /// <summary>Reads from a frame. Views of records that it gives out last as long as the memory.</summary>
    public KafkaReader(ReadOnlyMemory<byte> memory)
    {
        _memory = memory;
        _span = memory.Span;
    }

    /// <summary>Whether lengths are compact and structs end with tagged fields.</summary>
    public bool IsFlexible { get; set; }

    /// <summary>Bytes that are left.</summary>
    public readonly int Remaining => _span.Length - _position;

    /// <summary>Bytes that were read.</summary>
    public readonly int Position => _position;

    public bool ReadBoolean() => Take(1)[0] != 0;

    public sbyte ReadInt8() => (sbyte)Take(1)[0];

    public short ReadInt16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public int ReadInt32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public long ReadInt64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public double ReadFloat64() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    public Guid ReadUuid() => new(Take(16), bigEndian: true);

    /// <summary>An unsigned varint of at most five bytes.</summary>
    public uint ReadUnsignedVarint()
    {
        uint value = 0;
        for (int shift = 0; shift < 35; shift += 7)
        {
            byte part = Take(1)[0];
            if (shift == 28 && part > 0x0f)
            {
                break;
            }

            value |= (uint)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }

        KafkaException.Throw("a varint is longer than five bytes");
        return 0;
    }

    public string ReadString() => ReadNullableString() ?? Missing<string>("string");

    public string? ReadNullableString()
    {
        int length = IsFlexible ? ReadCompactLength() : ReadInt16();
        return length < 0 ? null : length == 0 ? "" : Text(Take(length));
    }

    public byte[] ReadBytes() => ReadNullableBytes() ?? Missing<byte[]>("bytes");

    /// <summary>A copy: it may outlive the frame.</summary>
    public byte[]? ReadNullableBytes()
    {
        int length = ReadBytesLength();
        return length < 0 ? null : Take(length).ToArray();
    }

    /// <summary>A view of the frame, not a copy.</summary>
    public RecordBytes ReadRecords()
    {
        int length = ReadBytesLength();
        if (length < 0)
        {
            return default;
        }

        int start = _position;
        Take(length);
        return new RecordBytes(_memory.Slice(start, length));
    }

    /// <summary>The number of elements of an array; -1 for null. Each element takes at least one byte.</summary>
    public int ReadArrayLength(bool nullable)
    {
        int count = IsFlexible ? ReadCompactLength() : ReadInt32();
        if (count < 0)
        {
            return nullable ? -1 : Missing<int[]>("array").Length;
        }

        _elements += Math.Min(count, ElementsMax + 1);
        if (count > Remaining || _elements > ElementsMax)
        {
            KafkaException.Throw("an array claims more elements than the frame can hold");
        }

        return count;
    }

    /// <summary>The number of tagged fields of a struct.</summary>
    public int ReadTagCount()
    {
        uint count = ReadUnsignedVarint();
        _elements += (int)Math.Min(count, ElementsMax + 1);
        if (count > Remaining || _elements > ElementsMax)
        {
            KafkaException.Throw("a struct claims more tagged fields than the frame can hold");
        }

        return (int)count;
    }

    /// <summary>The number of a tagged field, and where its data ends.</summary>
    public int ReadTag(out int end)
    {
        uint tag = ReadUnsignedVarint();
        uint size = ReadUnsignedVarint();
        if (tag > int.MaxValue || size > Remaining)
        {
            KafkaException.Throw("a tagged field is larger than the frame");
        }

        end = _position + (int)size;
        return (int)tag;
    }

    /// <summary>Leaves a tagged field: one that nobody knows is skipped, a known one must have ended here.</summary>
    public void EndTag(int end, bool known)
    {
        if (known && _position != end)
        {
            KafkaException.Throw("a tagged field does not end where its size says");
        }

        _position = end;
    }

    /// <summary>Skips all tagged fields of a struct that knows none.</summary>
    public void SkipTags()
    {
        for (int count = ReadTagCount(); count > 0; count--)
        {
            ReadTag(out int end);
            EndTag(end, known: false);
        }
    }

    /// <summary>Every byte of a body belongs to it.</summary>
    public readonly void End()
    {
        if (Remaining != 0)
        {
            KafkaException.Throw("a frame is longer than its body");
        }
    }

    // Replaced characters would make a string longer than it came, perhaps too long for the answer that repeats it.
    private static string Text(ReadOnlySpan<byte> bytes)
    {
        if (!Utf8.IsValid(bytes))
        {
            KafkaException.Throw("a string is not UTF-8");
        }

        return Encoding.UTF8.GetString(bytes);
    }

    private int ReadBytesLength() => IsFlexible ? ReadCompactLength() : ReadInt32();

    // Length plus one; zero is null.
    private int ReadCompactLength()
    {
        uint length = ReadUnsignedVarint();
        if (length > int.MaxValue)
        {
            KafkaException.Throw("a length is beyond any frame");
        }

        return (int)length - 1;
    }

    private static T Missing<T>(string what)
    {
        KafkaException.Throw($"a {what} is null that must not be");
        return default!;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)Remaining)
        {
            KafkaException.Throw("a frame ends within a field");
        }

        ReadOnlySpan<byte> taken = _span.Slice(_position, count);
        _position += count;
        return taken;
    }
}
