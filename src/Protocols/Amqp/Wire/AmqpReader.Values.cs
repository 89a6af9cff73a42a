using System.Buffers.Binary;

namespace Pillarbox.Protocols.Amqp.Wire;

public ref partial struct AmqpReader
{
    /// <summary>Reads any value whole. Not for the message path: it allocates what it decodes.</summary>
    public AmqpValue ReadValue() => ReadValue(0);

    internal AmqpMap ReadMap() => ReadMapBody(ReadCode(), 0);

    private AmqpValue ReadValue(int depth)
    {
        byte code = ReadCode();
        return code == FormatCode.Described ? ReadDescribed(depth) : ReadBody(code, depth);
    }

    private AmqpValue ReadDescribed(int depth)
    {
        CheckDepth(depth);
        AmqpValue descriptor = ReadValue(depth + 1);
        return AmqpValue.Described(descriptor, ReadValue(depth + 1));
    }

    /// <summary>Reads a value whose format code was read, or stands in an array's constructor.</summary>
    private AmqpValue ReadBody(byte code, int depth) => code switch
    {
        FormatCode.Null => AmqpValue.Null,
        FormatCode.True => AmqpValue.Boolean(true),
        FormatCode.False => AmqpValue.Boolean(false),
        FormatCode.Boolean => AmqpValue.Boolean(ReadBooleanBody()),
        FormatCode.UInt0 => AmqpValue.UInt(0),
        FormatCode.SmallUInt => AmqpValue.UInt(Take(1)[0]),
        FormatCode.UInt => AmqpValue.UInt(BinaryPrimitives.ReadUInt32BigEndian(Take(4))),
        FormatCode.ULong0 => AmqpValue.ULong(0),
        FormatCode.SmallULong => AmqpValue.ULong(Take(1)[0]),
        FormatCode.ULong => AmqpValue.ULong(BinaryPrimitives.ReadUInt64BigEndian(Take(8))),
        FormatCode.UByte => AmqpValue.UByte(Take(1)[0]),
        FormatCode.Byte => AmqpValue.Byte((sbyte)Take(1)[0]),
        FormatCode.UShort => AmqpValue.UShort(BinaryPrimitives.ReadUInt16BigEndian(Take(2))),
        FormatCode.Short => AmqpValue.Short(BinaryPrimitives.ReadInt16BigEndian(Take(2))),
        FormatCode.SmallInt => AmqpValue.Int((sbyte)Take(1)[0]),
        FormatCode.Int => AmqpValue.Int(BinaryPrimitives.ReadInt32BigEndian(Take(4))),
        FormatCode.SmallLong => AmqpValue.Long((sbyte)Take(1)[0]),
        FormatCode.Long => AmqpValue.Long(BinaryPrimitives.ReadInt64BigEndian(Take(8))),
        FormatCode.Float => AmqpValue.Float(BinaryPrimitives.ReadSingleBigEndian(Take(4))),
        FormatCode.Double => AmqpValue.Double(BinaryPrimitives.ReadDoubleBigEndian(Take(8))),
        FormatCode.Char => AmqpValue.Char(ReadCharBody()),
        FormatCode.Timestamp => AmqpValue.Timestamp(BinaryPrimitives.ReadInt64BigEndian(Take(8))),
        FormatCode.Uuid => AmqpValue.Uuid(new Guid(Take(16), bigEndian: true)),
        FormatCode.Decimal32 => AmqpValue.Decimal(Take(4).ToArray()),
        FormatCode.Decimal64 => AmqpValue.Decimal(Take(8).ToArray()),
        FormatCode.Decimal128 => AmqpValue.Decimal(Take(16).ToArray()),
        FormatCode.Binary8 => AmqpValue.Binary(Take(Take(1)[0]).ToArray()),
        FormatCode.Binary32 => AmqpValue.Binary(Take(ReadLength32()).ToArray()),
        FormatCode.String8 => AmqpValue.String(DecodeUtf8(Take(Take(1)[0]))),
        FormatCode.String32 => AmqpValue.String(DecodeUtf8(Take(ReadLength32()))),
        FormatCode.Symbol8 => AmqpValue.Symbol(DecodeAscii(Take(Take(1)[0]))),
        FormatCode.Symbol32 => AmqpValue.Symbol(DecodeAscii(Take(ReadLength32()))),
        FormatCode.List0 => AmqpValue.List(),
        FormatCode.List8 => ReadListBody(ReadCompound8(), depth),
        FormatCode.List32 => ReadListBody(ReadCompound32(), depth),
        FormatCode.Map8 or FormatCode.Map32 => AmqpValue.Map(ReadMapBody(code, depth)),
        FormatCode.Array8 or FormatCode.Array32 => AmqpValue.Array(ReadArrayBody(code, depth)),
        _ => throw UnknownCode(code),
    };

    private AmqpValue ReadListBody(CompoundHeader header, int depth)
    {
        CheckDepth(depth);
        AmqpValue[] items = new AmqpValue[header.Count];
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = ReadValue(depth + 1);
        }
        EndCompound(header);
        return AmqpValue.List(items);
    }

    private AmqpMap ReadMapBody(byte code, int depth)
    {
        CheckDepth(depth);
        CompoundHeader header = ReadMapHeader(code);
        int pairs = header.Count / 2;
        AmqpMap map = new(pairs);
        HashSet<AmqpValue> keys = new(pairs);
        for (int i = 0; i < pairs; i++)
        {
            AmqpValue key = ReadValue(depth + 1);
            if (!keys.Add(key))
            {
                throw AmqpException.Decode("a map has the same key twice");
            }
            map.Add(key, ReadValue(depth + 1));
        }
        EndCompound(header);
        return map;
    }

    private AmqpArray ReadArrayBody(byte code, int depth)
    {
        CheckDepth(depth);
        CompoundHeader header = ReadArrayBounds(code);
        List<AmqpValue> descriptors = [];
        byte element = ReadCode();
        while (element == FormatCode.Described)
        {
            CheckDepth(depth + descriptors.Count);
            descriptors.Add(ReadValue(depth + 1));
            element = ReadCode();
        }
        CheckArrayCount(header, element);
        AmqpType type = FormatCode.TypeOf(element) ?? throw UnknownCode(element);
        AmqpValue[] items = new AmqpValue[header.Count];
        for (int i = 0; i < items.Length; i++)
        {
            items[i] = ReadBody(element, depth + 1);
        }
        EndCompound(header);
        return new AmqpArray(type, items, [.. descriptors]);
    }

    private static void CheckDepth(int depth)
    {
        if (depth >= WireLimits.DepthMax)
        {
            throw TooDeep();
        }
    }
}
