using System.Buffers;
using System.Text;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Content;

/// <summary>
/// OpenWire payloads to the neutral form and back. What JMS has no field for (media type, annotations) travels as
/// properties with the names that JMS clients over AMQP give it. Pure; any thread.
/// </summary>
public sealed class OpenWireContentMap : IContentMap
{
    private const string ContentTypeProperty = "JMS_AMQP_ContentType";
    private const string ContentEncodingProperty = "JMS_AMQP_ContentEncoding";
    private const string AnnotationPrefix = "JMS_AMQP_MA_";
    private const string ReplyToGroupProperty = "JMS_AMQP_REPLY_TO_GROUP_ID";

    /// <inheritdoc/>
    public PayloadFormat Format => PayloadFormat.OpenWire;

    /// <inheritdoc/>
    public MessageContent? Read(in MessageHeader header, string address, ReadOnlyMemory<byte> payload)
    {
        try
        {
            Message message = new OpenWireMessageMap().Read(header, payload);
            var content = new MessageContent
            {
                MessageId = ContentValue.From(Blank(message.MessageId?.ToString())),
                CorrelationId = JmsIds.ToValue(message.CorrelationId.ToString()),
                To = message.Destination?.PhysicalName,
                ReplyTo = message.ReplyTo?.PhysicalName,
                ReplyToRouting = message.ReplyTo is null ? null
                    : message.ReplyTo.IsTopic ? RoutingType.Multicast : RoutingType.Anycast,
                ReplyToIsTemporary = message.ReplyTo?.IsTemporary == true,
                Subject = message.JmsType.ToString(),
                UserId = JavaText.ToUtf8(message.UserId.Bytes),
                GroupId = message.GroupId.ToString(),
                GroupSequence = message.GroupId.IsPresent ? (uint)message.GroupSequence : null,
                CreatedAtMs = message.Timestamp > 0 ? message.Timestamp : null,
            };
            ReadProperties(message, content);
            ContentBodies.Read(message, content);
            return content;
        }
        catch (Exception e) when (e is OpenWireException or InvalidDataException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Write(in MessageHeader header, string address, MessageContent content, IBufferWriter<byte> output)
    {
        Message message = ContentBodies.ToMessage(content);
        message.MessageId = JmsIds.ToMessageId(content.MessageId);
        message.ProducerId = message.MessageId.Producer;
        message.CorrelationId = WireText.From(JmsIds.ToText(content.CorrelationId));
        message.Destination = null;
        // A client answers to a temporary destination only when an advisory has told it of that one, which there is for
        // those of OpenWire's clients alone: any other goes by its name.
        message.ReplyTo = content.ReplyTo is not { } reply ? null
            : content.ReplyToRouting == RoutingType.Multicast ? Destination.Topic(reply)
            : Destination.Queue(reply);
        message.JmsType = WireText.From(content.Subject);
        message.UserId = content.UserId.IsEmpty ? default : WireText.FromBytes(JavaText.FromUtf8(content.UserId));
        message.GroupId = WireText.From(content.GroupId);
        message.GroupSequence = (int)(content.GroupSequence ?? 0);
        message.Timestamp = content.CreatedAtMs ?? header.PublishedAtMs;
        message.Persistent = header.Durable;
        message.Priority = header.Priority;
        message.Expiration = header.ExpiresAtMs;
        message.MarshalledProperties = WriteProperties(content);
        var writer = new WireWriter();
        writer.Use(OpenWireMessageMap.StoredFormat);
        writer.Write(message, output);
    }

    private static string? Blank(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static void ReadProperties(Message message, MessageContent content)
    {
        if (message.MarshalledProperties is not { } bytes)
        {
            return;
        }

        var reader = new PrimitiveReader(bytes);
        int count = reader.ReadCount();
        for (int i = 0; i < count; i++)
        {
            string name = JavaText.Decode(reader.ReadName().Span);
            Primitive primitive = reader.ReadValue();
            ContentValue value = PrimitiveValues.ToValue(primitive);
            switch (name)
            {
                case ContentTypeProperty:
                    content.ContentType = value.Text;
                    break;
                case ContentEncodingProperty:
                    content.ContentEncoding = value.Text;
                    break;
                case ReplyToGroupProperty:
                    content.ReplyToGroupId = value.Text;
                    break;
                case var _ when name.StartsWith(AnnotationPrefix, StringComparison.Ordinal):
                    content.AddAnnotation(name[AnnotationPrefix.Length..], value);
                    break;
                default:
                    content.AddProperty(name, value);
                    break;
            }
        }
    }

    private static ReadOnlyMemory<byte>? WriteProperties(MessageContent content)
    {
        var entries = new Dictionary<string, ContentValue>(StringComparer.Ordinal);
        foreach ((string name, ContentValue value) in content.Properties)
        {
            entries[name] = value;
        }

        foreach ((string name, ContentValue value) in content.Annotations)
        {
            entries[AnnotationPrefix + name] = value;
        }

        Add(entries, ContentTypeProperty, content.ContentType);
        Add(entries, ContentEncodingProperty, content.ContentEncoding);
        Add(entries, ReplyToGroupProperty, content.ReplyToGroupId);
        if (content.Key is { } key && entries.TryAdd(AnnotationPrefix + "x-opt-partition-key", ContentValue.Null))
        {
            entries[AnnotationPrefix + "x-opt-partition-key"] = System.Text.Unicode.Utf8.IsValid(key.Span)
                ? ContentValue.From(Encoding.UTF8.GetString(key.Span))
                : ContentValue.From(key.ToArray());
        }

        if (entries.Count == 0)
        {
            return null;
        }

        var writer = new PrimitiveWriter();
        PrimitiveValues.WriteEntries(writer, entries);
        return writer.ToArray();
    }

    private static void Add(Dictionary<string, ContentValue> entries, string name, string? value)
    {
        if (value is not null)
        {
            entries[name] = ContentValue.From(value);
        }
    }
}
