using System.Text;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>
/// Properties of OpenWire payloads for selectors, read where they lie: JMS names of the message's fields and
/// application properties by name. A payload that cannot be read has no properties.
/// </summary>
public sealed class OpenWirePropertyReader : IPropertyReader
{
    /// <inheritdoc/>
    public PayloadFormat Format => PayloadFormat.OpenWire;

    /// <inheritdoc/>
    public PropertyValue Read(in MessageHeader header, ReadOnlySpan<byte> payload, string name)
    {
        switch (name)
        {
            case "JMSPriority":
                return PropertyValue.From((long)header.Priority);
            case "JMSDeliveryMode":
                return PropertyValue.From(header.Durable ? "PERSISTENT"u8 : "NON_PERSISTENT"u8);
            case "JMSExpiration":
                return PropertyValue.From(header.ExpiresAtMs);
            case "JMSRedelivered":
                return PropertyValue.From(header.DeliveryCount > 0);
            default:
                StoredFields fields = StoredFields.Scan(payload);
                return fields.IsWhole ? Read(header, fields, name) : PropertyValue.Null;
        }
    }

    private static PropertyValue Read(scoped in MessageHeader header, scoped in StoredFields fields, string name) =>
        name switch
        {
            "JMSTimestamp" => PropertyValue.From(fields.Timestamp > 0 ? fields.Timestamp : header.PublishedAtMs),
            "JMSMessageID" => Text(Encoding.UTF8.GetBytes(fields.MessageIdText())),
            "JMSCorrelationID" => Text(fields.CorrelationId),
            "JMSType" => Text(fields.JmsType),
            "JMSXGroupID" => Text(fields.GroupId),
            "JMSXGroupSeq" => fields.GroupId.IsEmpty
                ? PropertyValue.Null
                : PropertyValue.From((long)fields.GroupSequence),
            "JMSXUserID" => Text(fields.UserId),
            "JMSDestination" => Text(fields.Destination),
            "JMSReplyTo" => Text(fields.ReplyTo),
            _ => ReadProperty(fields.Properties, name),
        };

    private static PropertyValue Text(ReadOnlySpan<byte> text) =>
        text.IsEmpty ? PropertyValue.Null : PropertyValue.From(text);

    private static PropertyValue ReadProperty(ReadOnlySpan<byte> properties, string name)
    {
        var scan = new LooseScan(properties);
        int count = scan.Int();
        for (int i = 0; i < count && !scan.HasFailed; i++)
        {
            ReadOnlySpan<byte> key = scan.Take(scan.Short());
            var type = (PrimitiveType)scan.Byte();
            ReadOnlySpan<byte> value = scan.Value(type);
            if (!scan.HasFailed && Names(key, name))
            {
                return ToProperty(type, value);
            }
        }

        return PropertyValue.Null;
    }

    private static bool Names(ReadOnlySpan<byte> key, string name) => Ascii.IsValid(name)
        ? Ascii.Equals(key, name)
        : JavaText.Decode(key) == name;

    private static PropertyValue ToProperty(PrimitiveType type, ReadOnlySpan<byte> value)
    {
        var scan = new LooseScan(value);
        return type switch
        {
            PrimitiveType.Boolean => PropertyValue.From(scan.Byte() != 0),
            PrimitiveType.Byte => PropertyValue.From((long)(sbyte)scan.Byte()),
            PrimitiveType.Short => PropertyValue.From((long)(short)scan.Short()),
            PrimitiveType.Int => PropertyValue.From((long)scan.Int()),
            PrimitiveType.Long => PropertyValue.From(scan.Long()),
            PrimitiveType.Float => PropertyValue.From((double)BitConverter.Int32BitsToSingle(scan.Int())),
            PrimitiveType.Double => PropertyValue.From(BitConverter.Int64BitsToDouble(scan.Long())),
            PrimitiveType.String or PrimitiveType.BigString => PropertyValue.From(value),
            _ => PropertyValue.Null,
        };
    }
}
