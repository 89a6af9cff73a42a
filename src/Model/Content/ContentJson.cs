using System.Buffers;
using System.Text.Json;

namespace Pillarbox.Model.Content;

/// <summary>Maps and lists of values as JSON, for protocols whose bodies are text or bytes: bytes in Base64, times in
/// milliseconds. Pure.</summary>
public static class ContentJson
{
    /// <summary>What such a body is, as a media type.</summary>
    public const string MediaType = "application/json";

    /// <summary>The value as JSON in UTF-8. Does not throw: what is no Unicode becomes U+FFFD.</summary>
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
                    json.WriteStringValue(Unicode(value.ToString()));
                }

                break;
        }
    }

    // Java's strings may hold halves of characters, for which the writer would throw.
    private static byte[] Unicode(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    private static void WriteMap(Utf8JsonWriter json, in ContentValue value)
    {
        json.WriteStartObject();
        foreach ((string name, ContentValue item) in value.Entries)
        {
            json.WritePropertyName(Unicode(name));
            Write(json, item);
        }

        json.WriteEndObject();
    }
}
