using System.Text;
using Pillarbox.Model.Content;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>Values of AMQP (part 1 section 1.6) to neutral ones and back. Pure.</summary>
internal static class AmqpContentValues
{
    /// <summary>Arrays become lists, described values what they describe, decimals their bytes.</summary>
    public static ContentValue To(in AmqpValue value)
    {
        switch (value.Type)
        {
            case AmqpType.Null:
                return ContentValue.Null;
            case AmqpType.String or AmqpType.Symbol:
                return ContentValue.From(value.AsText());
            case AmqpType.Binary:
                return ContentValue.From(value.AsBinary().ToArray());
            case AmqpType.Uuid:
                return ContentValue.From(value.AsUuid());
            case AmqpType.Decimal32 or AmqpType.Decimal64 or AmqpType.Decimal128:
                return ContentValue.From(value.AsDecimalBytes().ToArray());
            case AmqpType.List:
                return ListOf(value.AsList());
            case AmqpType.Array:
                return ListOf(value.AsArray()!.Items);
            case AmqpType.Map:
                return MapOf(value.AsMap()!);
            case AmqpType.Described:
                return To(value.Undescribed);
            default:
                return NumberOf(value);
        }
    }

    /// <summary>The AMQP value of the same type.</summary>
    public static AmqpValue From(in ContentValue value) => value.Type switch
    {
        ContentType.Null => AmqpValue.Null,
        ContentType.Boolean => AmqpValue.Boolean(value.Boolean),
        ContentType.Int8 => AmqpValue.Byte((sbyte)value.Integer),
        ContentType.Int16 => AmqpValue.Short((short)value.Integer),
        ContentType.Int32 => AmqpValue.Int((int)value.Integer),
        ContentType.Int64 => AmqpValue.Long(value.Integer),
        ContentType.UInt8 => AmqpValue.UByte((byte)value.Integer),
        ContentType.UInt16 => AmqpValue.UShort((ushort)value.Integer),
        ContentType.UInt32 => AmqpValue.UInt((uint)value.Integer),
        ContentType.UInt64 => AmqpValue.ULong((ulong)value.Integer),
        ContentType.Single => AmqpValue.Float((float)value.Number),
        ContentType.Double => AmqpValue.Double(value.Number),
        ContentType.Char => AmqpValue.Char(Rune.IsValid((int)value.Integer)
            ? new Rune((int)value.Integer) : Rune.ReplacementChar),
        ContentType.Timestamp => AmqpValue.Timestamp(value.Integer),
        ContentType.Uuid => AmqpValue.Uuid(value.Uuid),
        ContentType.Binary => AmqpValue.Binary(value.Bytes.ToArray()),
        ContentType.String => AmqpValue.String(value.Text!),
        ContentType.List => AmqpValue.List([.. value.Items.Select(item => From(item))]),
        _ => AmqpValue.Map(MapFrom(value.Entries)),
    };

    private static ContentValue NumberOf(in AmqpValue value) => value.Type switch
    {
        AmqpType.Boolean => ContentValue.From(value.AsBoolean()),
        AmqpType.UByte => ContentValue.From((byte)value.Bits),
        AmqpType.UShort => ContentValue.From((ushort)value.Bits),
        AmqpType.UInt => ContentValue.From((uint)value.Bits),
        AmqpType.ULong => ContentValue.From(value.Bits),
        AmqpType.Byte => ContentValue.From((sbyte)value.Bits),
        AmqpType.Short => ContentValue.From((short)value.Bits),
        AmqpType.Int => ContentValue.From((int)value.Bits),
        AmqpType.Long => ContentValue.From((long)value.Bits),
        AmqpType.Float => ContentValue.From(value.AsFloat()),
        AmqpType.Double => ContentValue.From(value.AsDouble()),
        AmqpType.Char => ContentValue.Char(value.AsChar().Value),
        _ => ContentValue.Timestamp((long)value.Bits),
    };

    private static ContentValue ListOf(IReadOnlyList<AmqpValue> items)
    {
        var values = new ContentValue[items.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = To(items[i]);
        }

        return ContentValue.List(values);
    }

    private static ContentValue MapOf(AmqpMap map)
    {
        var entries = new List<KeyValuePair<string, ContentValue>>(map.Count);
        foreach ((AmqpValue key, AmqpValue value) in map)
        {
            entries.Add(new(key.AsText() ?? key.ToString(), To(value)));
        }

        return ContentValue.Map(entries);
    }

    private static AmqpMap MapFrom(IReadOnlyList<KeyValuePair<string, ContentValue>> entries)
    {
        var map = new AmqpMap();
        foreach ((string name, ContentValue value) in entries)
        {
            map.Set(AmqpValue.String(name), From(value));
        }

        return map;
    }
}
