using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <summary>
/// STOMP payloads to the neutral form and back, for messages that come or go by another protocol. STOMP has headers of
/// text and a body of text or bytes: types of properties are lost, maps and lists go as JSON, single values as text.
/// Pure.
/// </summary>
public sealed class StompContentMap : IContentMap
{
    private const string BinaryType = "application/octet-stream";
    private const string ObjectType = "application/x-java-serialized-object";

    /// <summary>Headers that the node itself writes into a MESSAGE: a property of such a name is left out.</summary>
    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal)
    {
        "destination", "subscription", "message-id", "ack", "redelivered", "timestamp", "persistent", "priority",
        "expires", "content-length", "receipt", "transaction", "destination-type", "reply-to", "correlation-id",
        "content-type", "content-encoding", "type", "JMSXGroupID", "JMSXGroupSeq", PartitionKey,
        MessageId, Timestamp, UserId, ReplyToGroup,
    };

    // By the names that JMS has for them.
    private const string MessageId = "JMSMessageID";
    private const string Timestamp = "JMSTimestamp";
    private const string UserId = "JMSXUserID";
    private const string ReplyToGroup = "JMS_AMQP_REPLY_TO_GROUP_ID";

    /// <summary>ActiveMQ's header that says what JMS is to make of the body: <c>text</c> or <c>bytes</c>.</summary>
    private const string MessageKind = "amq-msg-type";

    /// <summary>How the names of annotations begin.</summary>
    private const string AnnotationPrefix = "x-opt-";

    /// <summary>The partition key, by its name as an annotation.</summary>
    private const string PartitionKey = "x-opt-partition-key";

    private static readonly StompOptions Prefixes = new();

    /// <inheritdoc/>
    public PayloadFormat Format => PayloadFormat.Stomp;

    /// <inheritdoc/>
    public MessageContent? Read(in MessageHeader header, string address, ReadOnlyMemory<byte> payload)
    {
        int bodyAt = StompMessageMap.BodyAt(payload.Span);
        if (bodyAt < 0)
        {
            return null;
        }

        var content = new MessageContent { Bytes = payload[bodyAt..] };
        try
        {
            KeptLines lines = new(payload.Span);
            while (lines.MoveNext())
            {
                string name = Encoding.UTF8.GetString(HeaderText.Plain(lines.Name));
                Take(content, name, Encoding.UTF8.GetString(HeaderText.Plain(lines.Value)));
            }
        }
        catch (StompException)
        {
            return null;
        }

        content.Form = FormOf(payload.Span[0], content);
        return content;
    }

    /// <inheritdoc/>
    public void Write(in MessageHeader header, string address, MessageContent content, IBufferWriter<byte> output)
    {
        ByteBuilder kept = default;
        (bool isText, ReadOnlyMemory<byte> body, string? type) = BodyOf(content);
        kept.Append(isText ? StompMessageMap.Text : StompMessageMap.Bytes);
        Append(ref kept, "correlation-id", IdentifierOf(content.CorrelationId));
        Append(ref kept, "reply-to", ReplyToOf(content));
        Append(ref kept, "type", content.Subject);
        Append(ref kept, "content-type", content.ContentType ?? type);
        Append(ref kept, "content-encoding", content.ContentEncoding);
        Append(ref kept, "JMSXGroupID", content.GroupId);
        Append(ref kept, "JMSXGroupSeq", content.GroupSequence?.ToString(CultureInfo.InvariantCulture));
        Append(ref kept, MessageId, IdentifierOf(content.MessageId));
        Append(ref kept, Timestamp, content.CreatedAtMs?.ToString(CultureInfo.InvariantCulture));
        Append(ref kept, UserId, content.UserId.IsEmpty ? null : TextOf(content.UserId));
        Append(ref kept, ReplyToGroup, content.ReplyToGroupId);
        Append(ref kept, PartitionKey, content.Key is { } key ? TextOf(key) : null);
        AppendAll(ref kept, content.Annotations);
        AppendAll(ref kept, content.Properties);

        kept.Append((byte)'\n');
        output.Write(kept.Span);
        output.Write(body.Span);
    }

    private static void Take(MessageContent content, string name, string value)
    {
        switch (name)
        {
            case "destination":
                content.To ??= WithoutPrefix(value, out _);
                break;
            case "reply-to" when content.ReplyTo is null:
                content.ReplyTo = WithoutPrefix(value, out RoutingType? routing);
                content.ReplyToRouting = routing;
                break;
            case "correlation-id" when content.CorrelationId.IsNull:
                content.CorrelationId = ContentValue.From(value);
                break;
            case "type":
                content.Subject ??= value;
                break;
            case "content-type":
                content.ContentType ??= value;
                break;
            case "content-encoding":
                content.ContentEncoding ??= value;
                break;
            case "JMSXGroupID":
                content.GroupId ??= value;
                break;
            case "JMSXGroupSeq" when uint.TryParse(value, CultureInfo.InvariantCulture, out uint sequence):
                content.GroupSequence ??= sequence;
                break;
            case PartitionKey:
                content.Key ??= Encoding.UTF8.GetBytes(value);
                break;
            default:
                if (!TryTakeOrigin(content, name, value))
                {
                    TakeOther(content, name, value);
                }

                break;
        }
    }

    // Where another protocol's message came from.
    private static bool TryTakeOrigin(MessageContent content, string name, string value)
    {
        switch (name)
        {
            case MessageId when content.MessageId.IsNull:
                content.MessageId = ContentValue.From(value);
                return true;
            case Timestamp when long.TryParse(value, CultureInfo.InvariantCulture, out long ms):
                content.CreatedAtMs ??= ms;
                return true;
            case UserId:
                content.UserId = content.UserId.IsEmpty ? Encoding.UTF8.GetBytes(value) : content.UserId;
                return true;
            case ReplyToGroup:
                content.ReplyToGroupId ??= value;
                return true;
            default:
                return false;
        }
    }

    // 1.2, "Repeated Header Entries": the first one counts, the others are its history.
    private static void TakeOther(MessageContent content, string name, string value)
    {
        List<KeyValuePair<string, ContentValue>> entries =
            name.StartsWith(AnnotationPrefix, StringComparison.Ordinal) ? content.Annotations : content.Properties;
        if (!entries.Exists(entry => entry.Key == name))
        {
            entries.Add(new(name, ContentValue.From(value)));
        }
    }

    private static BodyForm FormOf(byte kind, MessageContent content) =>
        content.ContentType == ObjectType ? BodyForm.Object
        : KindOf(content) is { } told ? told
        : kind == StompMessageMap.Text && Utf8.IsValid(content.Bytes.Span) ? BodyForm.Text
        : content.Bytes.IsEmpty ? BodyForm.Binary
        : IsTextual(content.ContentType) && Utf8.IsValid(content.Bytes.Span) ? BodyForm.Text
        : BodyForm.Binary;

    // ActiveMQ's clients say so when content-length does not mean bytes, or text is to come as bytes.
    private static BodyForm? KindOf(MessageContent content) => content.Property(MessageKind).ToString() switch
    {
        "text" when Utf8.IsValid(content.Bytes.Span) => BodyForm.Text,
        "bytes" => BodyForm.Binary,
        _ => null,
    };

    private static bool IsTextual(string? type) =>
        type is not null
        && (type.StartsWith("text/", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("application/xml", StringComparison.OrdinalIgnoreCase));

    private static (bool IsText, ReadOnlyMemory<byte> Body, string? Type) BodyOf(MessageContent content) =>
        content.Form switch
        {
            // A NUL would end the frame: such a text needs its length, and a type that says that it is one.
            BodyForm.Text when content.Bytes.Span.Contains((byte)0) => (false, content.Bytes, "text/plain"),
            BodyForm.Text => (true, content.Bytes, "text/plain"),
            BodyForm.Map or BodyForm.List => (true, ContentJson.Write(content.Value), ContentJson.MediaType),
            BodyForm.Value =>
                (true, Encoding.UTF8.GetBytes(content.Value.ToString().Replace('\0', ' ')), "text/plain"),
            BodyForm.Object => (false, content.Bytes, ObjectType),
            BodyForm.None => (false, default, null),
            _ => (false, content.Bytes, BinaryType),
        };

    // Some protocols have identifiers of bytes only, which most often are text.
    private static string? IdentifierOf(in ContentValue value) => value.IsNull ? null
        : value.Type == Model.Content.ContentType.Binary ? TextOf(value.Bytes)
        : value.ToString();

    // STOMP's headers are text: what is none goes as Base64.
    private static string TextOf(ReadOnlyMemory<byte> bytes) =>
        Utf8.IsValid(bytes.Span) ? Encoding.UTF8.GetString(bytes.Span) : Convert.ToBase64String(bytes.Span);

    private static string? ReplyToOf(MessageContent content) => content.ReplyTo is null ? null
        : (content.ReplyToRouting == RoutingType.Multicast ? "/topic/" : "/queue/") + content.ReplyTo;

    private static string WithoutPrefix(string text, out RoutingType? routing)
    {
        routing = null;
        foreach ((IReadOnlyList<string> prefixes, RoutingType type) in new[]
            {
                (Prefixes.AnycastPrefixes, RoutingType.Anycast), (Prefixes.MulticastPrefixes, RoutingType.Multicast),
            })
        {
            if (prefixes.FirstOrDefault(p => text.StartsWith(p, StringComparison.Ordinal)) is { } prefix)
            {
                routing = type;
                return text[prefix.Length..];
            }
        }

        return text;
    }

    private static void AppendAll(ref ByteBuilder kept, List<KeyValuePair<string, ContentValue>> entries)
    {
        foreach ((string name, ContentValue value) in entries)
        {
            if (!Reserved.Contains(name) && name.Length > 0)
            {
                Append(ref kept, name, value.ToString());
            }
        }
    }

    private static void Append(ref ByteBuilder kept, string name, string? value)
    {
        if (value is not null)
        {
            HeaderText.AppendEscaped(ref kept, Encoding.UTF8.GetBytes(name));
            kept.Append((byte)':');
            HeaderText.AppendEscaped(ref kept, Encoding.UTF8.GetBytes(value));
            kept.Append((byte)'\n');
        }
    }
}
