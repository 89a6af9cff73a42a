using System.Text;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>
/// Properties of AMQP payloads for selectors, read where they lie: JMS names of header and properties fields (as the
/// JMS mapping of AMQP has
/// them), <c>amqp.*</c> for other properties fields, <c>m.NAME</c> for annotations, and application properties by name.
/// A payload that cannot be read has no properties.
/// </summary>
public sealed class AmqpPropertyReader : IPropertyReader
{
    private const string AnnotationPrefix = "m.";
    private const int NameBytesMax = 256;

    /// <inheritdoc/>
    public PayloadFormat Format => PayloadFormat.Amqp;

    /// <inheritdoc/>
    public PropertyValue Read(in MessageHeader header, ReadOnlySpan<byte> payload, string name)
    {
        switch (name)
        {
            case "JMSPriority" or "amqp.priority":
                return PropertyValue.From((long)header.Priority);
            case "JMSDeliveryMode":
                return PropertyValue.From(header.Durable ? "PERSISTENT"u8 : "NON_PERSISTENT"u8);
            case "amqp.durable":
                return PropertyValue.From(header.Durable);
            case "JMSExpiration":
                return PropertyValue.From(header.ExpiresAtMs);
            case "JMSRedelivered":
                return PropertyValue.From(header.DeliveryCount > 0);
            default:
                return ReadSections(header, payload, name);
        }
    }

    private static PropertyValue ReadSections(scoped in MessageHeader header, ReadOnlySpan<byte> payload, string name)
    {
        try
        {
            MessageSections.TryScanHead(payload, out MessageSections sections);
            return FieldOf(name) is { } field
                ? ReadField(header, sections.Properties.ContentOf(payload), field, name)
                : ReadMap(sections, payload, name);
        }
        catch (AmqpException)
        {
            return PropertyValue.Null;
        }
    }

    private static PropertiesField? FieldOf(string name) => name switch
    {
        "JMSMessageID" or "amqp.message-id" => PropertiesField.MessageId,
        "JMSTimestamp" or "amqp.creation-time" => PropertiesField.CreationTime,
        "JMSCorrelationID" or "amqp.correlation-id" => PropertiesField.CorrelationId,
        "JMSType" or "amqp.subject" => PropertiesField.Subject,
        "JMSXGroupID" or "amqp.group-id" => PropertiesField.GroupId,
        "JMSXGroupSeq" or "amqp.group-sequence" => PropertiesField.GroupSequence,
        "JMSXUserID" or "amqp.user-id" => PropertiesField.UserId,
        "JMSDestination" or "amqp.to" => PropertiesField.To,
        "JMSReplyTo" or "amqp.reply-to" => PropertiesField.ReplyTo,
        "amqp.content-type" => PropertiesField.ContentType,
        "amqp.content-encoding" => PropertiesField.ContentEncoding,
        "amqp.absolute-expiry-time" => PropertiesField.AbsoluteExpiryTime,
        "amqp.reply-to-group-id" => PropertiesField.ReplyToGroupId,
        _ => null,
    };

    private static PropertyValue ReadField(
        scoped in MessageHeader header, ReadOnlySpan<byte> properties, PropertiesField field, string name)
    {
        PropertyValue value = properties.IsEmpty
            ? PropertyValue.Null
            : ToProperty(new PropertiesSection(properties).Get(field));
        bool absent = value.Kind == PropertyKind.Null;
        return absent && name == "JMSTimestamp" ? PropertyValue.From(header.PublishedAtMs) : value;
    }

    private static PropertyValue ReadMap(scoped in MessageSections sections, ReadOnlySpan<byte> payload, string name)
    {
        bool annotation = name.StartsWith(AnnotationPrefix, StringComparison.Ordinal);
        SectionRange range = annotation ? sections.MessageAnnotations : sections.ApplicationProperties;
        ReadOnlySpan<char> key = annotation ? name.AsSpan(AnnotationPrefix.Length) : name;
        if (!range.IsPresent || Encoding.UTF8.GetByteCount(key) > NameBytesMax)
        {
            return PropertyValue.Null;
        }

        Span<byte> utf8 = stackalloc byte[NameBytesMax];
        int length = Encoding.UTF8.GetBytes(key, utf8);
        return new MapView(range.ContentOf(payload)).TryGet(utf8[..length], out AmqpScalar value)
            ? ToProperty(value)
            : PropertyValue.Null;
    }

    private static PropertyValue ToProperty(scoped in AmqpScalar value)
    {
        switch (value.Type)
        {
            case AmqpType.Boolean:
                return PropertyValue.From(value.AsBoolean);
            case AmqpType.String or AmqpType.Symbol or AmqpType.Binary:
                return PropertyValue.From(value.Content);
            default:
                return value.TryGetInt64(out long whole) ? PropertyValue.From(whole)
                    : value.TryGetDouble(out double approximate) ? PropertyValue.From(approximate)
                    : PropertyValue.Null;
        }
    }
}
