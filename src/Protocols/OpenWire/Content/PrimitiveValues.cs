using System.Globalization;
using Pillarbox.Model.Content;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Content;

/// <summary>Values of maps and streams to the neutral form and back. Pure.</summary>
internal static class PrimitiveValues
{
    public static ContentValue ToValue(in Primitive primitive) => primitive.Type switch
    {
        PrimitiveType.Boolean => ContentValue.From(primitive.Bits != 0),
        PrimitiveType.Byte => ContentValue.From((sbyte)primitive.Bits),
        PrimitiveType.Char => ContentValue.Char((int)primitive.Bits),
        PrimitiveType.Short => ContentValue.From((short)primitive.Bits),
        PrimitiveType.Int => ContentValue.From((int)primitive.Bits),
        PrimitiveType.Long => ContentValue.From(primitive.Bits),
        PrimitiveType.Float => ContentValue.From(primitive.AsFloat),
        PrimitiveType.Double => ContentValue.From(primitive.AsDouble),
        PrimitiveType.String or PrimitiveType.BigString => ContentValue.From(primitive.AsText),
        PrimitiveType.Bytes => ContentValue.From(primitive.Content.ToArray()),
        PrimitiveType.Map => ContentValue.Map(ReadEntries(primitive.Content)),
        PrimitiveType.List => ContentValue.List(ReadItems(primitive.Content)),
        _ => ContentValue.Null,
    };

    /// <summary>The entries of a map: a count, then names and values.</summary>
    public static List<KeyValuePair<string, ContentValue>> ReadEntries(ReadOnlyMemory<byte> map)
    {
        var reader = new PrimitiveReader(map);
        int count = reader.ReadCount();
        var entries = new List<KeyValuePair<string, ContentValue>>();
        for (int i = 0; i < count; i++)
        {
            string name = JavaText.Decode(reader.ReadName().Span);
            entries.Add(new(name, ToValue(reader.ReadValue())));
        }

        return entries;
    }

    /// <summary>Values to the end: a stream message.</summary>
    public static List<ContentValue> ReadStream(ReadOnlyMemory<byte> stream)
    {
        var reader = new PrimitiveReader(stream);
        var items = new List<ContentValue>();
        while (!reader.AtEnd)
        {
            items.Add(ToValue(reader.ReadValue()));
        }

        return items;
    }

    public static void WriteEntries(
        PrimitiveWriter writer, IReadOnlyCollection<KeyValuePair<string, ContentValue>> entries)
    {
        writer.WriteCount(entries.Count);
        foreach ((string name, ContentValue value) in entries)
        {
            writer.WriteName(JavaText.Encode(name));
            Write(writer, value);
        }
    }

    public static void Write(PrimitiveWriter writer, in ContentValue value)
    {
        switch (value.Type)
        {
            case ContentType.Null:
                writer.WriteNull();
                break;
            case ContentType.Boolean:
                writer.WriteBoolean(value.Boolean);
                break;
            case ContentType.Single:
                writer.WriteFloat((float)value.Number);
                break;
            case ContentType.Double:
                writer.WriteDouble(value.Number);
                break;
            case ContentType.Binary:
                writer.WriteBytes(value.Bytes.Span);
                break;
            case ContentType.List:
                writer.BeginList(value.Items.Count);
                foreach (ContentValue item in value.Items)
                {
                    Write(writer, item);
                }

                break;
            case ContentType.Map:
                writer.BeginMap();
                WriteEntries(writer, value.Entries);
                break;
            default:
                WriteScalar(writer, value);
                break;
        }
    }

    // Java's integers are signed: an unsigned one takes the next larger type, a large ulong becomes text.
    private static void WriteScalar(PrimitiveWriter writer, in ContentValue value)
    {
        switch (value.Type)
        {
            case ContentType.Int8:
                writer.WriteByte((byte)(sbyte)value.Integer);
                break;
            case ContentType.Int16 or ContentType.UInt8:
                writer.WriteShort((short)value.Integer);
                break;
            case ContentType.Int32 or ContentType.UInt16:
                writer.WriteInt((int)value.Integer);
                break;
            case ContentType.Int64 or ContentType.UInt32 or ContentType.Timestamp:
            case ContentType.UInt64 when value.Integer >= 0:
                writer.WriteLong(value.Integer);
                break;
            case ContentType.UInt64:
                writer.WriteText(JavaText.Encode(((ulong)value.Integer).ToString(CultureInfo.InvariantCulture)));
                break;
            case ContentType.Char when value.Integer <= char.MaxValue:
                writer.WriteChar((char)value.Integer);
                break;
            default:
                writer.WriteText(JavaText.Encode(value.ToString()));
                break;
        }
    }

    private static List<ContentValue> ReadItems(ReadOnlyMemory<byte> list)
    {
        var reader = new PrimitiveReader(list);
        int count = reader.ReadCount();
        var items = new List<ContentValue>();
        for (int i = 0; i < count; i++)
        {
            items.Add(ToValue(reader.ReadValue()));
        }

        return items;
    }
}
