using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Content;

/// <summary>
/// MQTT messages to the neutral form and back, for messages that come or go by another protocol. User properties are
/// the application's properties, in order, and all text; what MQTT has no place for becomes a user property of a name
/// of its own (<see cref="ExtraProperties"/>). Maps and lists become JSON. Pure; any thread.
/// </summary>
public sealed class MqttContentMap : IContentMap
{
    private const string ObjectContentType = "application/x-java-serialized-object";

    /// <inheritdoc/>
    public PayloadFormat Format => PayloadFormat.Mqtt;

    /// <inheritdoc/>
    public MessageContent? Read(in MessageHeader header, string address, ReadOnlyMemory<byte> payload)
    {
        if (!MqttMessageMap.TryRead(payload.Span, out MqttMessageMap message))
        {
            return null;
        }

        try
        {
            var content = new MessageContent { To = TopicNames.ToAddress(message.Topic) };
            bool isText = ReadProperties(message.Properties, content);
            ReadOnlyMemory<byte> body = payload[^message.Payload.Length..];
            content.Bytes = body;
            content.Form = content.ContentType == ObjectContentType ? BodyForm.Object
                : isText && Utf8.IsValid(body.Span) ? BodyForm.Text
                : BodyForm.Binary;
            return content;
        }
        catch (MqttException)
        {
            // Not written by this program.
            return null;
        }
    }

    /// <inheritdoc/>
    public void Write(in MessageHeader header, string address, MessageContent content, IBufferWriter<byte> output)
    {
        var properties = new PropertyWriter();
        ReadOnlyMemory<byte> body = BodyOf(content, out bool isText, out string? bodyType);
        if (isText)
        {
            properties.Add(PropertyId.PayloadFormatIndicator, 1);
        }

        AddText(properties, PropertyId.ContentType, content.ContentType ?? bodyType);
        if (content.ReplyTo is { } replyTo)
        {
            byte[] topic = TopicNames.ToTopic(Encoding.UTF8.GetBytes(replyTo));
            AddBytes(properties, PropertyId.ResponseTopic, TopicText.IsName(topic) ? topic : []);
        }

        AddBytes(properties, PropertyId.CorrelationData, CorrelationOf(content.CorrelationId));
        ExtraProperties.Write(content, properties);
        var stored = new MqttMessageMap
        {
            // What a subscription takes at most: its own quality of service decides.
            Qos = 2,
            Topic = TopicNames.ToTopic(Encoding.UTF8.GetBytes(address)),
            Properties = properties.Written,
            Payload = body.Span,
        };
        int bytes = stored.Bytes;
        stored.Write(output.GetSpan(bytes));
        output.Advance(bytes);
    }

    // True: the sender says that the payload is text.
    private static bool ReadProperties(ReadOnlySpan<byte> raw, MessageContent content)
    {
        bool isText = false;
        var properties = new PropertyReader(raw, PacketType.Publish);
        while (properties.Next())
        {
            switch (properties.Id)
            {
                case PropertyId.PayloadFormatIndicator:
                    isText = properties.Number == 1;
                    break;
                case PropertyId.ContentType:
                    content.ContentType = Encoding.UTF8.GetString(properties.Bytes);
                    break;
                case PropertyId.ResponseTopic:
                    content.ReplyTo = TopicNames.ToAddress(properties.Bytes);
                    break;
                case PropertyId.CorrelationData:
                    // Bytes on the wire, but most often text, which other protocols tell apart.
                    content.CorrelationId = Utf8.IsValid(properties.Bytes)
                        ? ContentValue.From(Encoding.UTF8.GetString(properties.Bytes))
                        : ContentValue.From(properties.Bytes.ToArray());
                    break;
                case PropertyId.UserProperty:
                    ExtraProperties.Read(
                        Encoding.UTF8.GetString(properties.Bytes), Encoding.UTF8.GetString(properties.Value), content);
                    break;
            }
        }

        return isText;
    }

    private static ReadOnlyMemory<byte> BodyOf(MessageContent content, out bool isText, out string? type)
    {
        type = content.Form == BodyForm.Object ? ObjectContentType : null;
        isText = content.Form is BodyForm.Text or BodyForm.Value or BodyForm.Map or BodyForm.List;
        switch (content.Form)
        {
            case BodyForm.Value:
                return Encoding.UTF8.GetBytes(content.Value.ToString());
            case BodyForm.Map or BodyForm.List:
                type = ContentJson.MediaType;
                return ContentJson.Write(content.Value);
            default:
                return content.Bytes;
        }
    }

    private static byte[] CorrelationOf(in ContentValue value) => value.Type switch
    {
        ContentType.Null => [],
        ContentType.Binary => value.Bytes.ToArray(),
        _ => Encoding.UTF8.GetBytes(value.ToString()),
    };

    private static void AddText(PropertyWriter properties, PropertyId id, string? text)
    {
        if (text is not null && !text.Contains('\0', StringComparison.Ordinal))
        {
            AddBytes(properties, id, Encoding.UTF8.GetBytes(text));
        }
    }

    private static void AddBytes(PropertyWriter properties, PropertyId id, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is > 0 and <= ushort.MaxValue)
        {
            properties.Add(id, bytes);
        }
    }
}
