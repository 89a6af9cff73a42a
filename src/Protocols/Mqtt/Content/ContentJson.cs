using System.Buffers;
using System.Text.Json;
using Pillarbox.Model.Content;

namespace Pillarbox.Protocols.Mqtt.Content;

/// <summary>Maps and lists of values as JSON: bytes in Base64, times in milliseconds. Pure.</summary>
internal static class ContentJson
{
    public static ReadOnlyMemory<byte> Write(in ContentValue value)
    {
        var output = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(output);
        Write(json, value);
        json.Flush();
        return output.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter json, in ContentValue value)
    {
        switch (value.Type)
        {
            case ContentType.Null:
                json.WriteNullValue();
                break;
            case ContentType.Boolean:
                json.WriteBooleanValue(value.Boolean);
                break;
            case ContentType.UInt64:
                json.WriteNumberValue((ulong)value.Integer);
                break;
            case ContentType.Single or ContentType.Double when double.IsFinite(value.Number):
                json.WriteNumberValue(value.Number);
                break;
            case ContentType.List:
                json.WriteStartArray();
                foreach (ContentValue item in value.Items)
                {
                    Write(json, item);
                }

                json.WriteEndArray();
                break;
            case ContentType.Map:
                WriteMap(json, value);
                break;
            default:
                if (value.IsInteger || value.Type == ContentType.Timestamp)
                {
                    json.WriteNumberValue(value.Integer);
                }
                else
                {
                    json.WriteStringValue(value.ToString());
                }

                break;
        }
    }

    private static void WriteMap(Utf8JsonWriter json, in ContentValue value)
    {
        json.WriteStartObject();
        foreach ((string name, ContentValue item) in value.Entries)
        {
            json.WritePropertyName(name);
            Write(json, item);
        }

        json.WriteEndObject();
    }
}
