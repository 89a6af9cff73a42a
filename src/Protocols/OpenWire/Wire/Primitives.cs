using System.Buffers.Binary;

namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>The type byte of a value in a map, a list or a stream.</summary>
internal enum PrimitiveType : byte
{
    Null = 0,
    Boolean = 1,
    Byte = 2,
    Char = 3,
    Short = 4,
    Int = 5,
    Long = 6,
    Double = 7,
    Float = 8,
    String = 9,
    Bytes = 10,
    Map = 11,
    List = 12,
    BigString = 13,
}

/// <summary>One value. Texts and bytes are slices; maps and lists are the bytes behind their type.</summary>
internal readonly struct Primitive(PrimitiveType type, long bits, ReadOnlyMemory<byte> content)
{
    public PrimitiveType Type { get; } = type;

    /// <summary>The number, the truth or the character; of floating-point numbers the bits.</summary>
    public long Bits { get; } = bits;

    /// <summary>The bytes of a text (modified UTF-8), of bytes, of a map or a list.</summary>
    public ReadOnlyMemory<byte> Content { get; } = content;

    public bool IsText => Type is PrimitiveType.String or PrimitiveType.BigString;

    public bool AsBoolean => Type == PrimitiveType.Boolean && Bits != 0;

    public long AsLong => Type is PrimitiveType.Byte or PrimitiveType.Short or PrimitiveType.Int or PrimitiveType.Long
        ? Bits
        : 0;

    public float AsFloat => BitConverter.Int32BitsToSingle((int)Bits);

    public double AsDouble => BitConverter.Int64BitsToDouble(Bits);

    public string? AsText => IsText ? JavaText.Decode(Content.Span) : null;
}

/// <summary>
/// Reads values as maps of properties, map messages and stream messages have them. Errors: <see
/// cref="OpenWireException"/>.
/// </summary>
internal struct PrimitiveReader(ReadOnlyMemory<byte> bytes)
{
    private readonly ReadOnlyMemory<byte> _bytes = bytes;

    /// <summary>Bytes read.</summary>
    public int Position { get; private set; }

    public readonly bool AtEnd => Position >= _bytes.Length;

    /// <summary>The number of entries that follow; 0 for no map.</summary>
    public int ReadCount()
    {
        int count = BinaryPrimitives.ReadInt32BigEndian(Take(4).Span);
        return count switch
        {
            -1 => 0,
            < 0 or > WireLimits.MapEntriesMax =>
                throw new OpenWireException($"a map of {count} entries; at most {WireLimits.MapEntriesMax}"),
            _ => count,
        };
    }

    /// <summary>A key, modified UTF-8.</summary>
    public ReadOnlyMemory<byte> ReadName() => Take(BinaryPrimitives.ReadUInt16BigEndian(Take(2).Span));

    public Primitive ReadValue() => ReadValue(0);

    private Primitive ReadValue(int depth)
    {
        var type = (PrimitiveType)Take(1).Span[0];
        switch (type)
        {
            case PrimitiveType.Null:
                return new Primitive(type, 0, default);
            case PrimitiveType.Boolean:
                return new Primitive(type, Take(1).Span[0] == 0 ? 0 : 1, default);
            case PrimitiveType.Byte:
                return new Primitive(type, (sbyte)Take(1).Span[0], default);
            case PrimitiveType.Char:
                return new Primitive(type, BinaryPrimitives.ReadUInt16BigEndian(Take(2).Span), default);
            case PrimitiveType.Short:
                return new Primitive(type, BinaryPrimitives.ReadInt16BigEndian(Take(2).Span), default);
            case PrimitiveType.Int or PrimitiveType.Float:
                return new Primitive(type, BinaryPrimitives.ReadInt32BigEndian(Take(4).Span), default);
            case PrimitiveType.Long or PrimitiveType.Double:
                return new Primitive(type, BinaryPrimitives.ReadInt64BigEndian(Take(8).Span), default);
            case PrimitiveType.String:
                return new Primitive(type, 0, ReadName());
            case PrimitiveType.BigString or PrimitiveType.Bytes:
                return new Primitive(type, 0, Take(BinaryPrimitives.ReadInt32BigEndian(Take(4).Span)));
            case PrimitiveType.Map or PrimitiveType.List:
                int start = Position;
                Skip(type, depth + 1);
                return new Primitive(type, 0, _bytes[start..Position]);
            default:
                throw new OpenWireException($"there is no value of type {(byte)type}");
        }
    }

    private void Skip(PrimitiveType type, int depth)
    {
        if (depth > WireLimits.MapNestingMax)
        {
            throw new OpenWireException($"maps and lists are nested more than {WireLimits.MapNestingMax} deep");
        }

        int count = ReadCount();
        for (int i = 0; i < count; i++)
        {
            if (type == PrimitiveType.Map)
            {
                ReadName();
            }

            ReadValue(depth);
        }
    }

    private ReadOnlyMemory<byte> Take(int length)
    {
        if (length < 0 || length > _bytes.Length - Position)
        {
            throw new OpenWireException($"a value of {length} bytes reaches beyond its map");
        }

        ReadOnlyMemory<byte> taken = _bytes.Slice(Position, length);
        Position += length;
        return taken;
    }
}

/// <summary>Writes values as maps of properties, map messages and stream messages have them.</summary>
internal sealed class PrimitiveWriter
{
    private readonly GrowingBytes _bytes = new();

    public int Length => _bytes.Length;

    public byte[] ToArray() => _bytes.Written.ToArray();

    public void WriteCount(int count) => BinaryPrimitives.WriteInt32BigEndian(_bytes.Take(4), count);

    public void WriteName(ReadOnlySpan<byte> modifiedUtf8)
    {
        ReadOnlySpan<byte> name = modifiedUtf8[..Math.Min(modifiedUtf8.Length, WireLimits.StringBytesMax)];
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.Take(2), (ushort)name.Length);
        name.CopyTo(_bytes.Take(name.Length));
    }

    public void Write(string name, bool value)
    {
        WriteName(JavaText.Encode(name));
        WriteBoolean(value);
    }

    public void Write(string name, int value)
    {
        WriteName(JavaText.Encode(name));
        WriteInt(value);
    }

    public void Write(string name, long value)
    {
        WriteName(JavaText.Encode(name));
        WriteLong(value);
    }

    public void Write(string name, string value)
    {
        WriteName(JavaText.Encode(name));
        WriteText(JavaText.Encode(value));
    }

    public void WriteNull() => _bytes.Add((byte)PrimitiveType.Null);

    public void WriteBoolean(bool value)
    {
        _bytes.Add((byte)PrimitiveType.Boolean);
        _bytes.Add((byte)(value ? 1 : 0));
    }

    public void WriteByte(byte value)
    {
        _bytes.Add((byte)PrimitiveType.Byte);
        _bytes.Add(value);
    }

    public void WriteChar(char value)
    {
        _bytes.Add((byte)PrimitiveType.Char);
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.Take(2), value);
    }

    public void WriteShort(short value)
    {
        _bytes.Add((byte)PrimitiveType.Short);
        BinaryPrimitives.WriteInt16BigEndian(_bytes.Take(2), value);
    }

    public void WriteInt(int value)
    {
        _bytes.Add((byte)PrimitiveType.Int);
        BinaryPrimitives.WriteInt32BigEndian(_bytes.Take(4), value);
    }

    public void WriteLong(long value)
    {
        _bytes.Add((byte)PrimitiveType.Long);
        BinaryPrimitives.WriteInt64BigEndian(_bytes.Take(8), value);
    }

    public void WriteFloat(float value)
    {
        _bytes.Add((byte)PrimitiveType.Float);
        BinaryPrimitives.WriteSingleBigEndian(_bytes.Take(4), value);
    }

    public void WriteDouble(double value)
    {
        _bytes.Add((byte)PrimitiveType.Double);
        BinaryPrimitives.WriteDoubleBigEndian(_bytes.Take(8), value);
    }

    /// <summary>A text in the short form when it fits.</summary>
    public void WriteText(ReadOnlySpan<byte> modifiedUtf8)
    {
        if (modifiedUtf8.Length < short.MaxValue / 4)
        {
            _bytes.Add((byte)PrimitiveType.String);
            WriteName(modifiedUtf8);
            return;
        }

        _bytes.Add((byte)PrimitiveType.BigString);
        WriteRaw(modifiedUtf8);
    }

    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        _bytes.Add((byte)PrimitiveType.Bytes);
        WriteRaw(value);
    }

    /// <summary>Begins a map as a value; its count and entries follow.</summary>
    public void BeginMap() => _bytes.Add((byte)PrimitiveType.Map);

    /// <summary>Begins a list; its values follow.</summary>
    public void BeginList(int count)
    {
        _bytes.Add((byte)PrimitiveType.List);
        WriteCount(count);
    }

    private void WriteRaw(ReadOnlySpan<byte> value)
    {
        WriteCount(value.Length);
        value.CopyTo(_bytes.Take(value.Length));
    }
}
