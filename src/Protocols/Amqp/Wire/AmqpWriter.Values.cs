using System.Buffers.Binary;
using System.Text;

namespace Pillarbox.Protocols.Amqp.Wire;

public ref partial struct AmqpWriter
{
    /// <summary>Writes any value.</summary>
    public void WriteValue(in AmqpValue value)
    {
        switch (value.Type)
        {
            case AmqpType.UInt:
                WriteUInt((uint)value.Bits);
                break;
            case AmqpType.ULong:
                WriteULong(value.Bits);
                break;
            case AmqpType.Int:
                WriteInt((int)value.Bits);
                break;
            case AmqpType.Long:
                WriteLong((long)value.Bits);
                break;
            case AmqpType.Boolean:
                WriteBoolean(value.Bits != 0);
                break;
            case AmqpType.Null:
                WriteNull();
                break;
            case AmqpType.List:
                WriteList(value.AsList());
                break;
            case AmqpType.Described:
                Put(FormatCode.Described);
                WriteValue(value.Descriptor);
                WriteValue(value.Undescribed);
                break;
            case AmqpType.Map:
                value.AsMap()!.Write(ref this);
                break;
            case AmqpType.Array:
                WriteArray(value.AsArray()!);
                break;
            default:
                byte code = CodeFor(value.Type, wide: VariableLength(value) > byte.MaxValue);
                Put(code);
                PutBody(value, code);
                break;
        }
    }

    private void WriteList(IReadOnlyList<AmqpValue> items)
    {
        int mark = BeginCompound();
        for (int i = 0; i < items.Count; i++)
        {
            WriteValue(items[i]);
        }
        EndList(mark, items.Count);
    }

    private void WriteArray(AmqpArray array)
    {
        int mark = BeginCompound();
        EndArray(mark, PutArrayItems(array));
    }

    private int PutArrayItems(AmqpArray array)
    {
        foreach (AmqpValue descriptor in array.Descriptors)
        {
            Put(FormatCode.Described);
            WriteValue(descriptor);
        }
        bool wide = false;
        foreach (AmqpValue item in array.ItemSpan)
        {
            wide |= VariableLength(item) > byte.MaxValue;
        }
        byte code = CodeFor(array.ElementType, wide);
        Put(code);
        foreach (AmqpValue item in array.ItemSpan)
        {
            PutBody(item, code);
        }
        return array.ItemSpan.Length;
    }

    // In an array all elements share one format code: the widest of the type, for variable types the one that fits all.
    private static byte CodeFor(AmqpType type, bool wide) => type switch
    {
        AmqpType.Null => FormatCode.Null,
        AmqpType.Boolean => FormatCode.Boolean,
        AmqpType.UByte => FormatCode.UByte,
        AmqpType.UShort => FormatCode.UShort,
        AmqpType.UInt => FormatCode.UInt,
        AmqpType.ULong => FormatCode.ULong,
        AmqpType.Byte => FormatCode.Byte,
        AmqpType.Short => FormatCode.Short,
        AmqpType.Int => FormatCode.Int,
        AmqpType.Long => FormatCode.Long,
        AmqpType.Float => FormatCode.Float,
        AmqpType.Double => FormatCode.Double,
        AmqpType.Decimal32 => FormatCode.Decimal32,
        AmqpType.Decimal64 => FormatCode.Decimal64,
        AmqpType.Decimal128 => FormatCode.Decimal128,
        AmqpType.Char => FormatCode.Char,
        AmqpType.Timestamp => FormatCode.Timestamp,
        AmqpType.Uuid => FormatCode.Uuid,
        AmqpType.Binary => wide ? FormatCode.Binary32 : FormatCode.Binary8,
        AmqpType.String => wide ? FormatCode.String32 : FormatCode.String8,
        AmqpType.Symbol => wide ? FormatCode.Symbol32 : FormatCode.Symbol8,
        AmqpType.List => FormatCode.List32,
        AmqpType.Map => FormatCode.Map32,
        AmqpType.Array => FormatCode.Array32,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "no constructor of its own"),
    };

    private static int VariableLength(in AmqpValue value) => value.Type switch
    {
        AmqpType.Binary => value.AsBinary().Length,
        AmqpType.String => Encoding.UTF8.GetByteCount(value.AsText()!),
        AmqpType.Symbol => value.AsText()!.Length,
        _ => 0,
    };

    private void PutBody(in AmqpValue value, byte code)
    {
        switch (code >> 4)
        {
            case 0x4:
                break;
            case 0x5:
                Put((byte)value.Bits);
                break;
            case 0x6:
                BinaryPrimitives.WriteUInt16BigEndian(Take(2), (ushort)value.Bits);
                break;
            case 0xa or 0xb:
                PutVariableBody(value, wide: code >> 4 == 0xb);
                break;
            case 0xd or 0xf:
                PutWideCompound(value);
                break;
            case 0x7 when code != FormatCode.Decimal32:
                BinaryPrimitives.WriteUInt32BigEndian(Take(4), (uint)value.Bits);
                break;
            case 0x8 when code != FormatCode.Decimal64:
                BinaryPrimitives.WriteUInt64BigEndian(Take(8), value.Bits);
                break;
            case 0x9 when code == FormatCode.Uuid:
                value.AsUuid().TryWriteBytes(Take(16), bigEndian: true, out _);
                break;
            default:
                WriteRaw(value.AsDecimalBytes());
                break;
        }
    }

    private void PutVariableBody(in AmqpValue value, bool wide)
    {
        int length = VariableLength(value);
        PutLength(length, wide);
        switch (value.Type)
        {
            case AmqpType.Binary:
                WriteRaw(value.AsBinary());
                break;
            case AmqpType.String:
                Encoding.UTF8.GetBytes(value.AsText(), Take(length));
                break;
            default:
                PutAscii(value.AsText());
                break;
        }
    }

    // An element of an array of compounds: the value as it stands alone, with its header widened and its code left out.
    private void PutWideCompound(in AmqpValue value)
    {
        int sizeAt = _position;
        Take(8);
        int contentAt = _position;
        int count = PutItems(value);
        BinaryPrimitives.WriteInt32BigEndian(_buffer[sizeAt..], _position - contentAt + 4);
        BinaryPrimitives.WriteInt32BigEndian(_buffer[(sizeAt + 4)..], count);
    }

    private int PutItems(in AmqpValue value)
    {
        if (value.Type == AmqpType.Array)
        {
            return PutArrayItems(value.AsArray()!);
        }
        if (value.Type == AmqpType.Map)
        {
            foreach (KeyValuePair<AmqpValue, AmqpValue> entry in value.AsMap()!)
            {
                WriteValue(entry.Key);
                WriteValue(entry.Value);
            }
            return value.AsMap()!.Count * 2;
        }
        foreach (AmqpValue item in value.AsList())
        {
            WriteValue(item);
        }
        return value.AsList().Count;
    }
}
