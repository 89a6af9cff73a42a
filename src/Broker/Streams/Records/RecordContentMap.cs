using System.Buffers;
using System.Text;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams.Records;

/// <summary>
/// Records of streams to the neutral form and back. Of a record that a client of streams made, the value is the body,
/// headers are the application's properties, the key is the key. What another protocol brought is written so that it
/// comes back as it was (see <see cref="RecordMarks"/>). Pure; any thread.
/// </summary>
public sealed class RecordContentMap : IContentMap
{
    private const string ContentTypeHeader = "content-type";
    private const string PartitionKey = "x-opt-partition-key";

    /// <inheritdoc/>
    public PayloadFormat Format => PayloadFormat.KafkaRecord;

    /// <inheritdoc/>
    public MessageContent? Read(in MessageHeader header, string address, ReadOnlyMemory<byte> payload)
    {
        if (!StreamRecord.TryParse(payload.Span, out StreamRecord record))
        {
            return null;
        }

        var content = new MessageContent { Key = record.HasKey ? record.Key.ToArray() : null };
        ReadOnlySpan<byte> marks = RecordMarks.Of(record);
        if (marks.IsEmpty)
        {
            content.CreatedAtMs = header.PublishedAtMs;
            content.Form = record.HasValue ? BodyForm.Binary : BodyForm.None;
            content.Bytes = record.Value.ToArray();
            ReadHeaders(record, content);
        }
        else
        {
            ReadBody(record, marks, content);
            ReadMarked(record, marks[2..], content);
        }

        return content;
    }

    /// <inheritdoc/>
    public void Write(in MessageHeader header, string address, MessageContent content, IBufferWriter<byte> output)
    {
        var headers = new RecordHeaderWriter();
        WriteProperties(header, content, headers);
        ContentType type = content.Form is BodyForm.Value or BodyForm.Map or BodyForm.List
            ? content.Value.Type
            : content.Form == BodyForm.Text ? ContentType.String : ContentType.Binary;
        bool isPlain = headers.IsPlain && content.Form is BodyForm.Binary or BodyForm.None;
        if (!isPlain)
        {
            headers.WriteMarks(content.Form, type);
        }

        ReadOnlyMemory<byte> key = content.Key
            ?? (content.GroupId is { } group ? Encoding.UTF8.GetBytes(group) : ReadOnlyMemory<byte>.Empty);
        ReadOnlyMemory<byte> value = content.Form is BodyForm.Value or BodyForm.Map or BodyForm.List
            ? RecordValues.ToBytes(content.Value)
            : content.Bytes;
        RecordEncoder.Write(output, new RecordContent
        {
            HasKey = content.Key is not null || content.GroupId is not null,
            Key = key.Span,
            HasValue = content.Form != BodyForm.None,
            Value = value.Span,
            HeaderCount = headers.Count,
            Headers = headers.Written,
        });
    }

    private static void ReadBody(in StreamRecord record, ReadOnlySpan<byte> marks, MessageContent content)
    {
        content.Form = RecordMarks.FormOf((char)marks[0]);
        if (content.Form is BodyForm.Value or BodyForm.Map or BodyForm.List)
        {
            content.Value = RecordValues.FromBytes(RecordMarks.TypeOf((char)marks[1]), record.Value);
        }
        else
        {
            content.Bytes = record.Value.ToArray();
        }
    }

    private static void ReadHeaders(in StreamRecord record, MessageContent content)
    {
        RecordHeaderReader headers = record.ReadHeaders();
        while (headers.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value, out bool hasValue))
        {
            string key = Encoding.UTF8.GetString(name);
            ContentValue read = hasValue ? RecordValues.Guess(value) : ContentValue.Null;
            content.AddProperty(key, read);
            if (key == ContentTypeHeader)
            {
                content.ContentType = read.Text;
            }
        }
    }

    private static void ReadMarked(in StreamRecord record, ReadOnlySpan<byte> marks, MessageContent content)
    {
        RecordHeaderReader headers = record.ReadHeaders();
        for (int at = 0; at < marks.Length && headers.TryRead(out ReadOnlySpan<byte> name, out var value, out _);
            at += 2)
        {
            string key = Encoding.UTF8.GetString(name);
            ContentValue read = RecordValues.FromBytes(RecordMarks.TypeOf((char)marks[at + 1]), value);
            switch ((char)marks[at])
            {
                case RecordMarks.Application:
                    content.AddProperty(key, read);
                    break;
                case RecordMarks.Annotation:
                    content.AddAnnotation(key, read);
                    break;
                case RecordMarks.Property:
                    RecordProperties.Set(content, key, read);
                    break;
            }
        }
    }

    private static void WriteProperties(in MessageHeader header, MessageContent content, RecordHeaderWriter headers)
    {
        if (header.Priority != MessageHeader.DefaultPriority)
        {
            headers.Write(RecordMarks.Envelope, RecordMarks.Priority, ContentValue.From((long)header.Priority));
        }

        if (header.ExpiresAtMs > 0)
        {
            headers.Write(RecordMarks.Envelope, RecordMarks.ExpiresAt, ContentValue.From(header.ExpiresAtMs));
        }

        if (content.Publisher != 0)
        {
            headers.Write(
                RecordMarks.Envelope, RecordMarks.Publisher, ContentValue.From(unchecked((long)content.Publisher)));
        }

        RecordProperties.WriteTo(headers, content);
        foreach ((string name, ContentValue value) in content.Annotations)
        {
            // The key says it already.
            if (name != PartitionKey || content.Key is null)
            {
                headers.Write(RecordMarks.Annotation, name, value);
            }
        }

        foreach ((string name, ContentValue value) in content.Properties)
        {
            headers.Write(RecordMarks.Application, name, value);
        }
    }
}
