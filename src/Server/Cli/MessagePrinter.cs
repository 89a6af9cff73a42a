using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Server.Cli;

/// <summary>How messages are printed, one a line.</summary>
internal enum MessageFormat
{
    /// <summary>The bodies, as they are.</summary>
    Text,

    /// <summary>An object with all that a message bears.</summary>
    Json,

    /// <summary>Columns for people; of a long body the beginning.</summary>
    Table,
}

/// <summary>Prints received messages.</summary>
internal sealed class MessagePrinter(Stream output, MessageFormat format)
{
    private const int BodyCharsMax = 120;

    private static readonly JsonWriterOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly ByteQueue _pending = new();
    private bool _hasHeading;

    public void Print(AmqpMessage message)
    {
        if (format == MessageFormat.Json)
        {
            using var writer = new Utf8JsonWriter(_pending, OneLine);
            WriteObject(writer, message);
        }
        else if (format == MessageFormat.Table)
        {
            WriteRow(message);
        }
        else if (message.BodyKind == BodyKind.Data)
        {
            _pending.Append(message.Data.Span);
        }
        else
        {
            _pending.Append(Encoding.UTF8.GetBytes(message.Value.AsText() ?? message.Value.ToString()));
        }
        _pending.Append("\n"u8);
    }

    /// <summary>Hands what was printed to the output.</summary>
    public void Flush()
    {
        if (_pending.Count > 0)
        {
            output.Write(_pending.Bytes);
            output.Flush();
            _pending.Take(_pending.Count);
        }
    }

    private void WriteRow(AmqpMessage message)
    {
        if (!_hasHeading)
        {
            _hasHeading = true;
            _pending.Append(Encoding.UTF8.GetBytes(Row("PRIORITY", "DELIVERIES", "BYTES", "ID", "BODY")));
            _pending.Append("\n"u8);
        }

        HeaderSection header = message.Header ?? default;
        MessageProperties? properties = message.Properties;
        string id = properties?.MessageId?.AsText() ?? properties?.MessageId?.ToString() ?? "";
        bool isText = message.BodyKind != BodyKind.Data || Utf8.IsValid(message.Data.Span);
        string text = message.BodyKind != BodyKind.Data ? message.Value.AsText() ?? message.Value.ToString()
            : isText ? Encoding.UTF8.GetString(message.Data.Span[..Math.Min(message.Data.Length, 4 * BodyCharsMax)])
            : "(not text)";
        string bytes = message.BodyKind == BodyKind.Data ? $"{message.Data.Length}"
            : message.Value.AsText() is { } value ? $"{Encoding.UTF8.GetByteCount(value)}" : "";
        string line = Row(
            $"{header.Priority ?? HeaderSection.PriorityDefault}", $"{header.DeliveryCount}", bytes, id,
            text.Length > BodyCharsMax ? text[..BodyCharsMax] + "..." : text);
        _pending.Append(Encoding.UTF8.GetBytes(Output.Printable(line).TrimEnd()));
    }

    private static string Row(string priority, string deliveries, string bytes, string id, string body) =>
        $"{priority,8}  {deliveries,10}  {bytes,10}  {id,-20}  {body}";

    private static void WriteObject(Utf8JsonWriter writer, AmqpMessage message)
    {
        writer.WriteStartObject();
        HeaderSection header = message.Header ?? default;
        writer.WriteBoolean("durable", header.Durable);
        writer.WriteNumber("priority", header.Priority ?? HeaderSection.PriorityDefault);
        if (header.TtlMs is { } ttl)
        {
            writer.WriteNumber("ttlMs", ttl);
        }
        writer.WriteNumber("deliveryCount", header.DeliveryCount);
        WriteProperties(writer, message.Properties);
        WriteMap(writer, "annotations", message.MessageAnnotations);
        WriteMap(writer, "properties", message.ApplicationProperties);
        WriteBody(writer, message);
        writer.WriteEndObject();
    }

    private static void WriteProperties(Utf8JsonWriter writer, MessageProperties? properties)
    {
        if (properties is null)
        {
            return;
        }
        WriteText(writer, "messageId", properties.MessageId?.AsText() ?? properties.MessageId?.ToString());
        WriteText(writer, "to", properties.To);
        WriteText(writer, "subject", properties.Subject);
        WriteText(writer, "replyTo", properties.ReplyTo);
        WriteText(writer, "correlationId", properties.CorrelationId?.AsText() ?? properties.CorrelationId?.ToString());
        WriteText(writer, "contentType", properties.ContentType);
        WriteText(writer, "groupId", properties.GroupId);
        if (properties.CreationTimeMs is { } created)
        {
            writer.WriteNumber("creationTimeMs", created);
        }
    }

    private static void WriteText(Utf8JsonWriter writer, string name, string? text)
    {
        if (text is not null)
        {
            writer.WriteString(name, text);
        }
    }

    private static void WriteMap(Utf8JsonWriter writer, string name, AmqpMap? map)
    {
        if (map is null || map.Count == 0)
        {
            return;
        }
        writer.WriteStartObject(name);
        foreach ((AmqpValue key, AmqpValue value) in map)
        {
            writer.WritePropertyName(key.AsText() ?? key.ToString());
            WriteValue(writer, value);
        }
        writer.WriteEndObject();
    }

    private static void WriteBody(Utf8JsonWriter writer, AmqpMessage message)
    {
        if (message.BodyKind != BodyKind.Data)
        {
            writer.WritePropertyName("body");
            WriteValue(writer, message.Value);
        }
        else if (Utf8.IsValid(message.Data.Span))
        {
            writer.WriteString("body", message.Data.Span);
        }
        else
        {
            writer.WriteBase64String("bodyBase64", message.Data.Span);
        }
    }

    private static void WriteValue(Utf8JsonWriter writer, AmqpValue value)
    {
        switch (value.Type)
        {
            case AmqpType.Null:
                writer.WriteNullValue();
                break;
            case AmqpType.Boolean:
                writer.WriteBooleanValue(value.AsBoolean());
                break;
            case AmqpType.Binary:
                writer.WriteBase64StringValue(value.AsBinary());
                break;
            case AmqpType.Float or AmqpType.Double:
                WriteDouble(writer, value.Type == AmqpType.Float ? value.AsFloat() : value.AsDouble());
                break;
            case AmqpType.List:
                WriteList(writer, value);
                break;
            case AmqpType.Map:
                WriteEntries(writer, value.AsMap());
                break;
            default:
                WriteNumberOrText(writer, value);
                break;
        }
    }

    private static void WriteNumberOrText(Utf8JsonWriter writer, AmqpValue value)
    {
        if (value.TryGetInt64(out long number))
        {
            writer.WriteNumberValue(number);
        }
        else
        {
            writer.WriteStringValue(value.AsText() ?? value.ToString());
        }
    }

    private static void WriteDouble(Utf8JsonWriter writer, double value)
    {
        if (double.IsFinite(value))
        {
            writer.WriteNumberValue(value);
        }
        else
        {
            writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static void WriteList(Utf8JsonWriter writer, AmqpValue list)
    {
        writer.WriteStartArray();
        foreach (AmqpValue item in list.AsList())
        {
            WriteValue(writer, item);
        }
        writer.WriteEndArray();
    }

    private static void WriteEntries(Utf8JsonWriter writer, AmqpMap? map)
    {
        writer.WriteStartObject();
        foreach ((AmqpValue key, AmqpValue value) in map ?? new AmqpMap())
        {
            writer.WritePropertyName(key.AsText() ?? key.ToString());
            WriteValue(writer, value);
        }
        writer.WriteEndObject();
    }
}
