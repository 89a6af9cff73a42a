using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Pillarbox.Model.Content;

namespace Pillarbox.Broker.Streams.Records;

/// <summary>Values as the bytes of a record's value or header, and back: text for all but bytes; lists and maps as
/// JSON. Pure.</summary>
internal static class RecordValues
{
    private const int DepthMax = 32;

    public static byte[] ToBytes(in ContentValue value) => value.Type switch
    {
        ContentType.Binary => value.Bytes.ToArray(),
        ContentType.List or ContentType.Map => ToJson(value),
        ContentType.Char => Encoding.UTF8.GetBytes(value.Integer.ToString(CultureInfo.InvariantCulture)),
        _ => Encoding.UTF8.GetBytes(value.ToString()),
    };

    /// <summary>The value of a type; what cannot be read as that is text.</summary>
    public static ContentValue FromBytes(ContentType type, ReadOnlySpan<byte> bytes)
    {
        switch (type)
        {
            case ContentType.Null:
                return ContentValue.Null;
            case ContentType.Binary:
                return ContentValue.From(bytes.ToArray());
            case ContentType.List or ContentType.Map:
                return FromJson(bytes) ?? TextOf(bytes);
            case ContentType.String:
                return TextOf(bytes);
            default:
                return Parse(type, Encoding.UTF8.GetString(bytes)) ?? TextOf(bytes);
        }
    }

    /// <summary>What a header of a record says that a client of streams made: text when it is, else bytes.</summary>
    public static ContentValue Guess(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes)
        ? TextOf(bytes)
        : ContentValue.From(bytes.ToArray());

    /// <summary>A body of JSON; null when it is none.</summary>
    public static ContentValue? FromJson(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Utf8JsonReader reader = new(bytes, new JsonReaderOptions { MaxDepth = DepthMax });
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            return Of(document.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ContentValue TextOf(ReadOnlySpan<byte> bytes) => ContentValue.From(Encoding.UTF8.GetString(bytes));

    private static ContentValue? Parse(ContentType type, string text)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        switch (type)
        {
            case ContentType.Boolean:
                return text is "true" or "false" ? ContentValue.From(text == "true") : null;
            case ContentType.UInt64:
                return ulong.TryParse(text, NumberStyles.None, culture, out ulong big) ? ContentValue.From(big) : null;
            case ContentType.Single:
                return float.TryParse(text, NumberStyles.Float, culture, out float single)
                    ? ContentValue.From(single) : null;
            case ContentType.Double:
                return double.TryParse(text, NumberStyles.Float, culture, out double number)
                    ? ContentValue.From(number) : null;
            case ContentType.Uuid:
                return Guid.TryParse(text, out Guid uuid) ? ContentValue.From(uuid) : null;
            default:
                return long.TryParse(text, NumberStyles.AllowLeadingSign, culture, out long whole)
                    ? OfInteger(type, whole) : null;
        }
    }

    private static ContentValue? OfInteger(ContentType type, long whole) => type switch
    {
        ContentType.Int8 => ContentValue.From((sbyte)whole),
        ContentType.Int16 => ContentValue.From((short)whole),
        ContentType.Int32 => ContentValue.From((int)whole),
        ContentType.Int64 => ContentValue.From(whole),
        ContentType.UInt8 => ContentValue.From((byte)whole),
        ContentType.UInt16 => ContentValue.From((ushort)whole),
        ContentType.UInt32 => ContentValue.From((uint)whole),
        ContentType.Char => ContentValue.Char((int)whole),
        ContentType.Timestamp => ContentValue.Timestamp(whole),
        _ => null,
    };

    private static byte[] ToJson(in ContentValue value)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter writer = new(bytes))
        {
            Write(writer, value, 0);
        }

        return bytes.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, in ContentValue value, int depth)
    {
        switch (value.Type)
        {
            case ContentType.Map when depth < DepthMax:
                writer.WriteStartObject();
                foreach ((string name, ContentValue item) in value.Entries)
                {
                    writer.WritePropertyName(name);
                    Write(writer, item, depth + 1);
                }

                writer.WriteEndObject();
                break;
            case ContentType.List when depth < DepthMax:
                writer.WriteStartArray();
                foreach (ContentValue item in value.Items)
                {
                    Write(writer, item, depth + 1);
                }

                writer.WriteEndArray();
                break;
            case ContentType.Null:
                writer.WriteNullValue();
                break;
            case ContentType.Boolean:
                writer.WriteBooleanValue(value.Boolean);
                break;
            case ContentType.UInt64:
                writer.WriteNumberValue((ulong)value.Integer);
                break;
            case ContentType.Single or ContentType.Double when double.IsFinite(value.Number):
                writer.WriteNumberValue(value.Number);
                break;
            case var type when value.IsInteger || type == ContentType.Timestamp:
                writer.WriteNumberValue(value.Integer);
                break;
            default:
                writer.WriteStringValue(value.ToString());
                break;
        }
    }

    private static ContentValue Of(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => ContentValue.Map(
            [.. element.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, Of(p.Value)))]),
        JsonValueKind.Array => ContentValue.List([.. element.EnumerateArray().Select(Of)]),
        JsonValueKind.String => ContentValue.From(element.GetString()),
        JsonValueKind.True or JsonValueKind.False => ContentValue.From(element.GetBoolean()),
        JsonValueKind.Number => element.TryGetInt64(out long whole)
            ? ContentValue.From(whole) : ContentValue.From(element.GetDouble()),
        _ => ContentValue.Null,
    };
}
