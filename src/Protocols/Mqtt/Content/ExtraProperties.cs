using System.Globalization;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Content;

/// <summary>
/// What other protocols say of a message and MQTT has no place for, as user properties: the names of these begin with
/// <c>x-</c>, so that they meet no application's own. They are understood on the way in too. Pure.
/// </summary>
internal static class ExtraProperties
{
    private const string MessageId = "x-message-id";
    private const string Subject = "x-subject";
    private const string Encoding = "x-content-encoding";
    private const string UserId = "x-user-id";
    private const string GroupId = "x-group-id";
    private const string GroupSequence = "x-group-sequence";
    private const string ReplyToGroupId = "x-reply-to-group-id";
    private const string ReplyToKind = "x-reply-to-kind";
    private const string CreationTime = "x-creation-time";
    private const string Key = "x-key";
    private const string AnnotationPrefix = "x-opt-";
    private const string Temporary = "temp-";

    /// <summary>Takes one user property.</summary>
    public static void Read(string name, string value, MessageContent content)
    {
        switch (name)
        {
            case MessageId:
                content.MessageId = ContentValue.From(value);
                break;
            case Subject:
                content.Subject = value;
                break;
            case Encoding:
                content.ContentEncoding = value;
                break;
            case GroupId:
                content.GroupId = value;
                break;
            case GroupSequence when uint.TryParse(value, CultureInfo.InvariantCulture, out uint sequence):
                content.GroupSequence = sequence;
                break;
            case ReplyToGroupId:
                content.ReplyToGroupId = value;
                break;
            case ReplyToKind when value is "queue" or "topic" or "temp-queue" or "temp-topic":
                content.ReplyToRouting =
                    value.EndsWith("topic", StringComparison.Ordinal) ? RoutingType.Multicast : RoutingType.Anycast;
                content.ReplyToIsTemporary = value.StartsWith(Temporary, StringComparison.Ordinal);
                break;
            case CreationTime when long.TryParse(value, CultureInfo.InvariantCulture, out long time):
                content.CreatedAtMs = time;
                break;
            case Key:
                content.Key = System.Text.Encoding.UTF8.GetBytes(value);
                break;
            default:
                if (name.StartsWith(AnnotationPrefix, StringComparison.Ordinal))
                {
                    content.AddAnnotation(name, ContentValue.From(value));
                }
                else
                {
                    content.AddProperty(name, ContentValue.From(value));
                }

                break;
        }
    }

    /// <summary>Writes the application's properties, then what MQTT has no place for.</summary>
    public static void Write(MessageContent content, PropertyWriter to)
    {
        foreach ((string name, ContentValue value) in content.Properties)
        {
            Add(to, name, value.ToString());
        }

        Add(to, MessageId, content.MessageId.IsNull ? null : content.MessageId.ToString());
        Add(to, Subject, content.Subject);
        Add(to, Encoding, content.ContentEncoding);
        Add(to, UserId, content.UserId.IsEmpty ? null : TextOf(content.UserId));
        Add(to, GroupId, content.GroupId);
        Add(to, GroupSequence, content.GroupSequence?.ToString(CultureInfo.InvariantCulture));
        Add(to, ReplyToGroupId, content.ReplyToGroupId);
        Add(to, ReplyToKind, KindOf(content));
        Add(to, CreationTime, content.CreatedAtMs?.ToString(CultureInfo.InvariantCulture));
        Add(to, Key, content.Key is { } key ? TextOf(key) : null);
        foreach ((string name, ContentValue value) in content.Annotations)
        {
            if (name.StartsWith(AnnotationPrefix, StringComparison.Ordinal))
            {
                Add(to, name, value.ToString());
            }
        }
    }

    private static string? KindOf(MessageContent content) =>
        content is not { ReplyTo: not null, ReplyToRouting: { } routing } ? null
        : (content.ReplyToIsTemporary ? Temporary : "") + (routing == RoutingType.Multicast ? "topic" : "queue");

    private static string TextOf(ReadOnlyMemory<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes.Span)
        ? System.Text.Encoding.UTF8.GetString(bytes.Span)
        : Convert.ToBase64String(bytes.Span);

    // What is longer than a string of MQTT, or holds U+0000, has no place.
    private static void Add(PropertyWriter to, string name, string? value)
    {
        if (value is null || value.Contains('\0', StringComparison.Ordinal)
            || name.Contains('\0', StringComparison.Ordinal))
        {
            return;
        }

        byte[] nameBytes = System.Text.Encoding.UTF8.GetBytes(name);
        byte[] valueBytes = System.Text.Encoding.UTF8.GetBytes(value);
        if (nameBytes.Length <= ushort.MaxValue && valueBytes.Length <= ushort.MaxValue)
        {
            to.AddPair(nameBytes, valueBytes);
        }
    }
}
