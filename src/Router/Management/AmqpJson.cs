using System.Buffers;
using System.Text;
using System.Text.Json;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Management;

/// <summary>Writes AMQP values as JSON, for people and tools.</summary>
public static class AmqpJson
{
    /// <summary>The value as text, indented.</summary>
    public static string Write(AmqpValue value)
    {
        ArrayBufferWriter<byte> output = new();
        using (Utf8JsonWriter json = new(output, new JsonWriterOptions { Indented = true }))
        {
            Write(json, value);
        }
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>Writes one value.</summary>
    public static void Write(Utf8JsonWriter json, AmqpValue value)
    {
        switch (value.Type)
        {
            case AmqpType.Null:
                json.WriteNullValue();
                break;
            case AmqpType.Boolean:
                json.WriteBooleanValue(value.AsBoolean());
                break;
            case AmqpType.Map:
                WriteMap(json, value.AsMap()!);
                break;
            case AmqpType.List:
                json.WriteStartArray();
                foreach (AmqpValue item in value.AsList())
                {
                    Write(json, item);
                }
                json.WriteEndArray();
                break;
            default:
                WriteScalar(json, value);
                break;
        }
    }

    private static void WriteMap(Utf8JsonWriter json, AmqpMap map)
    {
        json.WriteStartObject();
        foreach ((AmqpValue key, AmqpValue value) in map)
        {
            json.WritePropertyName(key.AsText() ?? key.ToString());
            Write(json, value);
        }
        json.WriteEndObject();
    }

    private static void WriteScalar(Utf8JsonWriter json, AmqpValue value)
    {
        if (value.TryGetInt64(out long number))
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteStringValue(value.ToString());
        }
    }
}
