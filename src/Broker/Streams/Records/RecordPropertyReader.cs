using System.Buffers.Text;
using System.Text;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams.Records;

/// <summary>
/// Properties of records for selectors: headers by name (untyped text, of a Kafka client), and the JMS names of what a
/// message that another protocol brought has. A record that cannot be read has none. Pure; any thread.
/// </summary>
public sealed class RecordPropertyReader : IPropertyReader
{
    private const int NameBytesMax = 256;

    /// <inheritdoc/>
    public PayloadFormat Format => PayloadFormat.KafkaRecord;

    /// <inheritdoc/>
    public PropertyValue Read(in MessageHeader header, ReadOnlySpan<byte> payload, string name)
    {
        switch (name)
        {
            case "JMSPriority":
                return PropertyValue.From((long)header.Priority);
            case "JMSTimestamp":
                return PropertyValue.From(header.PublishedAtMs);
            case "JMSDeliveryMode":
                return PropertyValue.From(header.Durable ? "PERSISTENT"u8 : "NON_PERSISTENT"u8);
            default:
                return StreamRecord.TryParse(payload, out StreamRecord record)
                    ? Find(record, StandardOf(name), name)
                    : PropertyValue.Null;
        }
    }

    private static string? StandardOf(string name) => name switch
    {
        "JMSMessageID" => RecordProperties.MessageId,
        "JMSCorrelationID" => RecordProperties.CorrelationId,
        "JMSType" => RecordProperties.Subject,
        "JMSXGroupID" => RecordProperties.GroupId,
        "JMSReplyTo" => RecordProperties.ReplyTo,
        _ => null,
    };

    private static PropertyValue Find(scoped in StreamRecord record, string? standard, string name)
    {
        ReadOnlySpan<byte> marks = RecordMarks.Of(record);
        char role = standard is null ? RecordMarks.Application : RecordMarks.Property;
        Span<byte> wanted = stackalloc byte[NameBytesMax];
        if (!Encoding.UTF8.TryGetBytes(standard ?? name, wanted, out int length)
            || (marks.IsEmpty && standard is not null))
        {
            return PropertyValue.Null;
        }

        RecordHeaderReader headers = record.ReadHeaders();
        for (int at = 2; headers.TryRead(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out bool hasValue);
            at += 2)
        {
            bool isWanted = key.SequenceEqual(wanted[..length])
                && (marks.IsEmpty || (at < marks.Length && marks[at] == role));
            if (isWanted && hasValue)
            {
                return marks.IsEmpty
                    ? PropertyValue.Untyped(value)
                    : Typed(RecordMarks.TypeOf((char)marks[at + 1]), value);
            }
        }

        return PropertyValue.Null;
    }

    private static PropertyValue Typed(ContentType type, ReadOnlySpan<byte> value)
    {
        switch (type)
        {
            case ContentType.Boolean:
                return PropertyValue.From(value.SequenceEqual("true"u8));
            case ContentType.Single or ContentType.Double:
                return Utf8Parser.TryParse(value, out double number, out _)
                    ? PropertyValue.From(number) : PropertyValue.Null;
            case >= ContentType.Int8 and <= ContentType.UInt64 or ContentType.Timestamp:
                return Utf8Parser.TryParse(value, out long whole, out _)
                    ? PropertyValue.From(whole) : PropertyValue.Null;
            default:
                return PropertyValue.From(value);
        }
    }
}
