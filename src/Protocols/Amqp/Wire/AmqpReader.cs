using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// Reads AMQP 1.0 encoded values (part 1) from contiguous bytes. Spans that it returns are slices of the input: they
/// live as long as the input does. Reads allocate nothing except where a string, an array or an <see cref="AmqpValue"/>
/// is asked for. Broken input throws <see cref="AmqpException"/> (<c>amqp:decode-error</c>) and nothing else; the
/// position is undefined after that.
/// </summary>
public ref partial struct AmqpReader
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _bytes;
    private int _position;

    public AmqpReader(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
        _position = 0;
    }

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => _position;

    /// <summary>Bytes left.</summary>
    public readonly int Remaining => _bytes.Length - _position;

    public readonly bool AtEnd => _position == _bytes.Length;

    /// <summary>The bytes that were not read yet, e.g. the payload after a transfer's performative.</summary>
    public readonly ReadOnlySpan<byte> Rest => _bytes[_position..];

    /// <summary>The input from <paramref name="start"/> up to the present position.</summary>
    public readonly ReadOnlySpan<byte> ReadSince(int start) => _bytes[start.._position];

    /// <summary>The next format code, which stays unread.</summary>
    public readonly byte PeekFormatCode()
    {
        if ((uint)_position >= (uint)_bytes.Length)
        {
            ThrowTruncated();
        }
        return _bytes[_position];
    }

    /// <summary>The type of the next value, which stays unread.</summary>
    public readonly AmqpType PeekType() => FormatCode.TypeOf(PeekFormatCode()) ?? throw UnknownCode(PeekFormatCode());

    /// <summary>Reads a null if one comes next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReadNull()
    {
        if (PeekFormatCode() != FormatCode.Null)
        {
            return false;
        }
        _position++;
        return true;
    }

    // Section 1.6.2: 0x56 boolean (one byte, 0x00 or 0x01), 0x41 true, 0x42 false.
    public bool ReadBoolean()
    {
        byte code = ReadCode();
        return code switch
        {
            FormatCode.True => true,
            FormatCode.False => false,
            FormatCode.Boolean => ReadBooleanBody(),
            _ => throw WrongType("boolean", code),
        };
    }

    // Section 1.6.3: 0x50.
    public byte ReadUByte() => Expect(FormatCode.UByte, "ubyte") ? Take(1)[0] : default;

    // Section 1.6.4: 0x60.
    public ushort ReadUShort() =>
        Expect(FormatCode.UShort, "ushort") ? BinaryPrimitives.ReadUInt16BigEndian(Take(2)) : default;

    // Section 1.6.5: 0x70 uint, 0x52 smalluint, 0x43 uint0.
    public uint ReadUInt()
    {
        byte code = ReadCode();
        return code switch
        {
            FormatCode.SmallUInt => Take(1)[0],
            FormatCode.UInt0 => 0,
            FormatCode.UInt => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            _ => throw WrongType("uint", code),
        };
    }

    // Section 1.6.6: 0x80 ulong, 0x53 smallulong, 0x44 ulong0.
    public ulong ReadULong()
    {
        byte code = ReadCode();
        return code switch
        {
            FormatCode.SmallULong => Take(1)[0],
            FormatCode.ULong0 => 0,
            FormatCode.ULong => BinaryPrimitives.ReadUInt64BigEndian(Take(8)),
            _ => throw WrongType("ulong", code),
        };
    }

    // Section 1.6.7: 0x51.
    public sbyte ReadByte() => Expect(FormatCode.Byte, "byte") ? (sbyte)Take(1)[0] : default;

    // Section 1.6.8: 0x61.
    public short ReadShort() =>
        Expect(FormatCode.Short, "short") ? BinaryPrimitives.ReadInt16BigEndian(Take(2)) : default;

    // Section 1.6.9: 0x71 int, 0x54 smallint.
    public int ReadInt()
    {
        byte code = ReadCode();
        return code switch
        {
            FormatCode.SmallInt => (sbyte)Take(1)[0],
            FormatCode.Int => BinaryPrimitives.ReadInt32BigEndian(Take(4)),
            _ => throw WrongType("int", code),
        };
    }

    // Section 1.6.10: 0x81 long, 0x55 smalllong.
    public long ReadLong()
    {
        byte code = ReadCode();
        return code switch
        {
            FormatCode.SmallLong => (sbyte)Take(1)[0],
            FormatCode.Long => BinaryPrimitives.ReadInt64BigEndian(Take(8)),
            _ => throw WrongType("long", code),
        };
    }

    // Section 1.6.11: 0x72.
    public float ReadFloat() =>
        Expect(FormatCode.Float, "float") ? BinaryPrimitives.ReadSingleBigEndian(Take(4)) : default;

    // Section 1.6.12: 0x82.
    public double ReadDouble() =>
        Expect(FormatCode.Double, "double") ? BinaryPrimitives.ReadDoubleBigEndian(Take(8)) : default;

    // Section 1.6.16: 0x73, UTF-32BE.
    public Rune ReadChar() => Expect(FormatCode.Char, "char") ? ReadCharBody() : default;

    /// <summary>Section 1.6.17: 0x83, milliseconds since the Unix epoch.</summary>
    public long ReadTimestamp() =>
        Expect(FormatCode.Timestamp, "timestamp") ? BinaryPrimitives.ReadInt64BigEndian(Take(8)) : default;

    // Section 1.6.18: 0x98, sixteen bytes in network order (RFC 4122).
    public Guid ReadUuid() => Expect(FormatCode.Uuid, "uuid") ? new Guid(Take(16), bigEndian: true) : default;

    /// <summary>Sections 1.6.13 to 1.6.15: the raw bytes (4, 8 or 16) of a decimal, big-endian IEEE 754-2008.</summary>
    public ReadOnlySpan<byte> ReadDecimalBytes()
    {
        byte code = ReadCode();
        return code switch
        {
            FormatCode.Decimal32 => Take(4),
            FormatCode.Decimal64 => Take(8),
            FormatCode.Decimal128 => Take(16),
            _ => throw WrongType("decimal", code),
        };
    }

    // Section 1.6.19: 0xa0 vbin8, 0xb0 vbin32.
    public ReadOnlySpan<byte> ReadBinary() => ReadVariable(FormatCode.Binary8, FormatCode.Binary32, "binary");

    /// <summary>Section 1.6.20: 0xa1 str8, 0xb1 str32. The UTF-8 bytes, which are not validated here.</summary>
    public ReadOnlySpan<byte> ReadStringUtf8() => ReadVariable(FormatCode.String8, FormatCode.String32, "string");

    public string ReadString() => DecodeUtf8(ReadStringUtf8());

    /// <summary>Section 1.6.21: 0xa3 sym8, 0xb3 sym32. The ASCII bytes, which are not validated here.</summary>
    public ReadOnlySpan<byte> ReadSymbolAscii() => ReadVariable(FormatCode.Symbol8, FormatCode.Symbol32, "symbol");

    public string ReadSymbol() => DecodeAscii(ReadSymbolAscii());

    private ReadOnlySpan<byte> ReadVariable(byte code8, byte code32, string type)
    {
        byte code = ReadCode();
        if (code == code8)
        {
            return Take(Take(1)[0]);
        }
        return code == code32 ? Take(ReadLength32()) : throw WrongType(type, code);
    }

    internal static string DecodeUtf8(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return StrictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            throw AmqpException.Decode("a string is not valid UTF-8");
        }
    }

    internal static string DecodeAscii(ReadOnlySpan<byte> ascii) =>
        Ascii.IsValid(ascii) ? Encoding.ASCII.GetString(ascii) : throw AmqpException.Decode("a symbol is not ASCII");

    private bool ReadBooleanBody() => Take(1)[0] switch
    {
        0 => false,
        1 => true,
        var other => throw AmqpException.Decode($"a boolean is 0x{other:x2}, neither 0 nor 1"),
    };

    private Rune ReadCharBody()
    {
        uint scalar = BinaryPrimitives.ReadUInt32BigEndian(Take(4));
        return Rune.IsValid(scalar) ? new Rune(scalar) : throw AmqpException.Decode($"0x{scalar:x8} is no character");
    }

    // A length beyond int.MaxValue is beyond the bytes there as well, which Take finds out.
    private int ReadLength32() => (int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt32BigEndian(Take(4)));

    private byte ReadCode()
    {
        byte code = PeekFormatCode();
        _position++;
        return code;
    }

    private bool Expect(byte expected, string type)
    {
        byte code = ReadCode();
        return code == expected ? true : throw WrongType(type, code);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ReadOnlySpan<byte> Take(int length)
    {
        if ((uint)length > (uint)(_bytes.Length - _position))
        {
            ThrowTruncated();
        }
        ReadOnlySpan<byte> taken = _bytes.Slice(_position, length);
        _position += length;
        return taken;
    }

    private static void ThrowTruncated() => throw AmqpException.Decode("a value is longer than the bytes there");

    private static AmqpException WrongType(string expected, byte code) => AmqpException.Decode(
        $"expected {expected}, found {FormatCode.TypeOf(code)?.ToString().ToLowerInvariant() ?? "code"} 0x{code:x2}");

    private static AmqpException UnknownCode(byte code) => AmqpException.Decode($"unknown format code 0x{code:x2}");
}
