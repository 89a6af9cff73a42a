using System.Buffers.Binary;

namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// Where a list or a map ends in the input, and how many items it declares (a map: keys plus values).
/// </summary>
public readonly record struct CompoundHeader(int Count, int End);

/// <summary>An array's constructor after its header: the items follow without format codes.</summary>
public readonly record struct ArrayHeader(int Count, int End, byte ElementCode);

public ref partial struct AmqpReader
{
    /// <summary>Section 1.6.22: 0x45 list0, 0xc0 list8, 0xd0 list32. End it with <see cref="EndCompound"/>.</summary>
    public CompoundHeader ReadListHeader()
    {
        byte code = ReadCode();
        return code switch
        {
            FormatCode.List8 => ReadCompound8(),
            FormatCode.List0 => new CompoundHeader(0, _position),
            FormatCode.List32 => ReadCompound32(),
            _ => throw WrongType("list", code),
        };
    }

    /// <summary>Section 1.6.23: 0xc1 map8, 0xd1 map32. The count is of keys plus values, and is even.</summary>
    public CompoundHeader ReadMapHeader() => ReadMapHeader(ReadCode());

    private CompoundHeader ReadMapHeader(byte code)
    {
        CompoundHeader header = code switch
        {
            FormatCode.Map8 => ReadCompound8(),
            FormatCode.Map32 => ReadCompound32(),
            _ => throw WrongType("map", code),
        };
        return (header.Count & 1) == 0 ? header : throw AmqpException.Decode("a map has a key without a value");
    }

    /// <summary>Section 1.6.24: 0xe0 array8, 0xf0 array32. Refuses arrays of described elements.</summary>
    public ArrayHeader ReadArrayHeader()
    {
        CompoundHeader header = ReadArrayBounds(ReadCode());
        byte element = ReadCode();
        CheckArrayCount(header, element);
        return element == FormatCode.Described
            ? throw AmqpException.Decode("an array of described values where plain ones are expected")
            : new ArrayHeader(header.Count, header.End, element);
    }

    /// <summary>Checks that what was read of a list or map is as long as its size said.</summary>
    public readonly void EndCompound(in CompoundHeader header)
    {
        if (_position != header.End)
        {
            throw AmqpException.Decode("the size of a list, map or array disagrees with its items");
        }
    }

    /// <summary>
    /// Reads 0x00 and the descriptor of a described value. Returns the numeric code; a symbolic descriptor of the
    /// specification gives the same code. The described value comes next. Zero: a descriptor nobody knows.
    /// </summary>
    public ulong ReadDescriptor()
    {
        byte code = ReadCode();
        if (code != FormatCode.Described)
        {
            throw WrongType("a described value", code);
        }
        switch (PeekFormatCode())
        {
            case FormatCode.SmallULong or FormatCode.ULong or FormatCode.ULong0:
                return ReadULong();
            case FormatCode.Symbol8 or FormatCode.Symbol32:
                return Descriptors.FromSymbol(ReadSymbolAscii());
            default:
                Skip();
                return 0;
        }
    }

    /// <summary>The descriptor of the next value, which stays unread. Zero: it is not described or not known.</summary>
    public readonly ulong PeekDescriptor()
    {
        if (PeekFormatCode() != FormatCode.Described)
        {
            return 0;
        }
        AmqpReader ahead = this;
        return ahead.ReadDescriptor();
    }

    internal void ExpectDescriptor(ulong expected, string name)
    {
        ulong found = ReadDescriptor();
        if (found != expected)
        {
            throw AmqpException.Decode($"expected {name}, found descriptor 0x{found:x}");
        }
    }

    /// <summary>
    /// Steps over one value of any type in constant time per level of description. What lies inside a list, map or
    /// array is not looked at.
    /// </summary>
    public void Skip()
    {
        if (!TrySkip())
        {
            ThrowTruncated();
        }
    }

    /// <summary>The same; false when the bytes end before the value does, and then nothing is stepped over.</summary>
    public bool TrySkip()
    {
        int start = _position;
        int described = 0;
        for (int pending = 1; pending > 0;)
        {
            if (AtEnd)
            {
                _position = start;
                return false;
            }
            byte code = _bytes[_position++];
            if (code == FormatCode.Described)
            {
                pending++;
                described = described < WireLimits.DepthMax ? described + 1 : throw TooDeep();
            }
            else if (TrySkipBody(code))
            {
                pending--;
            }
            else
            {
                _position = start;
                return false;
            }
        }
        return true;
    }

    /// <summary>Steps over one value and returns its encoded bytes.</summary>
    public ReadOnlySpan<byte> ReadEncoded()
    {
        int start = _position;
        Skip();
        return _bytes[start.._position];
    }

    /// <summary>
    /// A field of type symbol with multiple="true" (part 1 section 1.4): null, one symbol, or an array of symbols.
    /// The null is for the caller to handle.
    /// </summary>
    public string[] ReadSymbols()
    {
        if (PeekFormatCode() is not (FormatCode.Array8 or FormatCode.Array32))
        {
            return [ReadSymbol()];
        }
        ArrayHeader header = ReadArrayHeader();
        string[] symbols = new string[header.Count];
        for (int i = 0; i < symbols.Length; i++)
        {
            symbols[i] = header.ElementCode switch
            {
                FormatCode.Symbol8 => DecodeAscii(Take(Take(1)[0])),
                FormatCode.Symbol32 => DecodeAscii(Take(ReadLength32())),
                _ => throw WrongType("symbol", header.ElementCode),
            };
        }
        EndCompound(new CompoundHeader(header.Count, header.End));
        return symbols;
    }

    private bool TrySkipBody(byte code)
    {
        if (FormatCode.TypeOf(code) is null)
        {
            throw UnknownCode(code);
        }
        int width = code >> 4;
        long length = width switch
        {
            0x4 => 0,
            0x5 => 1,
            0x6 => 2,
            0x7 => 4,
            0x8 => 8,
            0x9 => 16,
            0xa or 0xc or 0xe => Remaining >= 1 ? 1 + _bytes[_position] : long.MaxValue,
            _ => Remaining >= 4 ? 4L + BinaryPrimitives.ReadUInt32BigEndian(_bytes[_position..]) : long.MaxValue,
        };
        if (length > Remaining)
        {
            return false;
        }
        _position += (int)length;
        return true;
    }

    private CompoundHeader ReadArrayBounds(byte code) => code switch
    {
        FormatCode.Array8 => ReadCompound8(),
        FormatCode.Array32 => ReadCompound32(),
        _ => throw WrongType("array", code),
    };

    private CompoundHeader ReadCompound8()
    {
        int size = Take(1)[0];
        int end = _position + size;
        return size >= 1 && end <= _bytes.Length
            ? CheckCount(Take(1)[0], end)
            : throw AmqpException.Decode($"a compound of {size} bytes, {_bytes.Length - _position} are there");
    }

    private CompoundHeader ReadCompound32()
    {
        int size = ReadLength32();
        if (size < 4 || size > Remaining)
        {
            throw AmqpException.Decode($"a compound of {size} bytes, {Remaining} are there");
        }
        int end = _position + size;
        uint count = BinaryPrimitives.ReadUInt32BigEndian(Take(4));
        return CheckCount(count, end);
    }

    // Every item of a list or map takes a byte at least. Arrays are checked once more when their constructor is known.
    private readonly CompoundHeader CheckCount(uint count, int end) =>
        count <= Math.Max((uint)(end - _position), WireLimits.ZeroWidthElementsMax)
            ? new CompoundHeader((int)count, end)
            : throw AmqpException.Decode($"a compound declares {count} items in {end - _position} bytes");

    private readonly void CheckArrayCount(in CompoundHeader header, byte element)
    {
        int least = (element >> 4) == 0x4 ? 0 : 1;
        int there = header.End - _position;
        if (there < 0 || (least == 1 && header.Count > there))
        {
            throw AmqpException.Decode($"an array declares {header.Count} items in {there} bytes");
        }
        if (least == 0 && header.Count > WireLimits.ZeroWidthElementsMax)
        {
            throw AmqpException.Decode($"an array declares {header.Count} items of no width");
        }
    }

    private static AmqpException TooDeep() => AmqpException.Decode($"nested deeper than {WireLimits.DepthMax} levels");
}
