using Pillarbox.Model;
using Pillarbox.Model.Content;

namespace Pillarbox.Broker.Streams.Records;

/// <summary>The properties that every message may have, as headers of a record. Names are on disk.</summary>
internal static class RecordProperties
{
    public const string MessageId = "message-id";
    public const string CorrelationId = "correlation-id";
    public const string Subject = "subject";
    public const string GroupId = "group-id";
    public const string ReplyTo = "reply-to";

    private const string To = "to";
    private const string ReplyToRouting = "reply-to-routing";
    private const string ReplyToTemporary = "reply-to-temporary";
    private const string ContentType = "content-type";
    private const string ContentEncoding = "content-encoding";
    private const string UserId = "user-id";
    private const string GroupSequence = "group-sequence";
    private const string ReplyToGroupId = "reply-to-group-id";
    private const string CreationTime = "creation-time";

    public static void WriteTo(RecordHeaderWriter headers, MessageContent content)
    {
        Write(headers, MessageId, content.MessageId);
        Write(headers, CorrelationId, content.CorrelationId);
        Write(headers, To, ContentValue.From(content.To));
        Write(headers, ReplyTo, ContentValue.From(content.ReplyTo));
        Write(headers, ReplyToRouting, ContentValue.From(content.ReplyToRouting?.ToString()));
        Write(
            headers, ReplyToTemporary, content.ReplyToIsTemporary ? ContentValue.From(true) : ContentValue.Null);
        Write(headers, Subject, ContentValue.From(content.Subject));
        Write(headers, ContentType, ContentValue.From(content.ContentType));
        Write(headers, ContentEncoding, ContentValue.From(content.ContentEncoding));
        Write(
            headers, UserId,
            content.UserId.IsEmpty ? ContentValue.Null : ContentValue.From(content.UserId.ToArray()));
        Write(headers, GroupId, ContentValue.From(content.GroupId));
        Write(headers, GroupSequence, content.GroupSequence is { } s ? ContentValue.From(s) : ContentValue.Null);
        Write(headers, ReplyToGroupId, ContentValue.From(content.ReplyToGroupId));
        Write(headers, CreationTime,
            content.CreatedAtMs is { } ms ? ContentValue.Timestamp(ms) : ContentValue.Null);
    }

    public static void Set(MessageContent content, string name, in ContentValue value)
    {
        switch (name)
        {
            case MessageId:
                content.MessageId = value;
                break;
            case CorrelationId:
                content.CorrelationId = value;
                break;
            case To:
                content.To = value.Text;
                break;
            case ReplyTo:
                content.ReplyTo = value.Text;
                break;
            case ReplyToRouting:
                content.ReplyToRouting = Enum.TryParse(value.Text, out RoutingType routing) ? routing : null;
                break;
            case Subject:
                content.Subject = value.Text;
                break;
            default:
                SetRare(content, name, value);
                break;
        }
    }

    private static void SetRare(MessageContent content, string name, in ContentValue value)
    {
        switch (name)
        {
            case ReplyToTemporary:
                content.ReplyToIsTemporary = value.Boolean;
                break;
            case ContentType:
                content.ContentType = value.Text;
                break;
            case ContentEncoding:
                content.ContentEncoding = value.Text;
                break;
            case UserId:
                content.UserId = value.Bytes;
                break;
            case GroupId:
                content.GroupId = value.Text;
                break;
            case GroupSequence:
                content.GroupSequence = (uint)value.Integer;
                break;
            case ReplyToGroupId:
                content.ReplyToGroupId = value.Text;
                break;
            case CreationTime:
                content.CreatedAtMs = value.Integer;
                break;
        }
    }

    private static void Write(RecordHeaderWriter headers, string name, in ContentValue value)
    {
        if (!value.IsNull)
        {
            headers.Write(RecordMarks.Property, name, value);
        }
    }
}
