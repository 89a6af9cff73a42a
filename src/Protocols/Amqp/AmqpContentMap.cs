using System.Buffers;
using System.Text;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>
/// AMQP payloads to the neutral form and back, for messages that come or go by another protocol (part 3 section 3.2).
/// Footer and delivery-annotations are for AMQP alone and are left out; keys of maps become text; decimals become
/// their bytes. Pure; any thread.
/// </summary>
public sealed class AmqpContentMap : IContentMap
{
    private const string ObjectContentType = "application/x-java-serialized-object";
    private const string PartitionKey = "x-opt-partition-key";

    // JMS over AMQP: 0 a queue, 1 a topic, 2 a temporary queue, 3 a temporary topic.
    private const string ReplyToKind = "x-opt-jms-reply-to";
    private const int TopicBit = 1;
    private const int TemporaryBit = 2;

    private static readonly AmqpOptions Prefixes = new();

    /// <inheritdoc/>
    public PayloadFormat Format => PayloadFormat.Amqp;

    /// <inheritdoc/>
    public MessageContent? Read(in MessageHeader header, string address, ReadOnlyMemory<byte> payload)
    {
        try
        {
            AmqpMessage message = AmqpMessage.Read(payload.Span);
            var content = new MessageContent();
            ReadProperties(message.Properties, content);
            ReadEntries(message.MessageAnnotations, content.Annotations);
            ReadEntries(message.ApplicationProperties, content.Properties);
            content.Key = KeyOf(content);
            TakeReplyToKind(content);
            ReadBody(message, content);
            return content;
        }
        catch (AmqpException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Write(
        in MessageHeader header, string address, MessageContent content, IBufferWriter<byte> output)
    {
        var message = new AmqpMessage
        {
            MessageAnnotations = WriteAnnotations(content),
            Properties = WriteProperties(address, content),
            ApplicationProperties = WriteEntries(content.Properties, symbols: false),
        };
        message = content.Form switch
        {
            BodyForm.Text => message with
            {
                BodyKind = BodyKind.Value,
                Value = AmqpValue.String(Encoding.UTF8.GetString(content.Bytes.Span)),
            },
            BodyForm.Value or BodyForm.Map => message with
            {
                BodyKind = BodyKind.Value,
                Value = AmqpContentValues.From(content.Value),
            },
            BodyForm.List => message with
            {
                BodyKind = BodyKind.Sequence,
                Value = AmqpContentValues.From(content.Value),
            },
            _ => message with { BodyKind = BodyKind.Data, Data = content.Bytes },
        };
        AmqpWriter writer = new(output);
        message.Write(ref writer);
        writer.Commit();
    }

    private static void ReadProperties(MessageProperties? properties, MessageContent content)
    {
        if (properties is null)
        {
            return;
        }

        content.MessageId = AmqpContentValues.To(properties.MessageId ?? AmqpValue.Null);
        content.CorrelationId = AmqpContentValues.To(properties.CorrelationId ?? AmqpValue.Null);
        content.To = properties.To;
        (content.ReplyTo, content.ReplyToRouting) = WithoutPrefix(properties.ReplyTo);
        content.Subject = properties.Subject;
        content.ContentType = properties.ContentType;
        content.ContentEncoding = properties.ContentEncoding;
        content.UserId = properties.UserId;
        content.GroupId = properties.GroupId;
        content.GroupSequence = properties.GroupSequence;
        content.ReplyToGroupId = properties.ReplyToGroupId;
        content.CreatedAtMs = properties.CreationTimeMs;
    }

    private static (string? Address, RoutingType? Routing) WithoutPrefix(string? text)
    {
        if (text is not null
            && Prefixes.AnycastPrefixes.FirstOrDefault(p => text.StartsWith(p, StringComparison.Ordinal)) is { } queue)
        {
            return (text[queue.Length..], RoutingType.Anycast);
        }

        return text is not null
            && Prefixes.MulticastPrefixes.FirstOrDefault(p => text.StartsWith(p, StringComparison.Ordinal)) is { } topic
                ? (text[topic.Length..], RoutingType.Multicast)
                : (text, null);
    }

    private static void ReadEntries(AmqpMap? map, List<KeyValuePair<string, ContentValue>> into)
    {
        foreach ((AmqpValue key, AmqpValue value) in map ?? [])
        {
            into.Add(new(key.AsText() ?? key.ToString(), AmqpContentValues.To(value)));
        }
    }

    private static ReadOnlyMemory<byte>? KeyOf(MessageContent content)
    {
        foreach ((string name, ContentValue value) in content.Annotations)
        {
            if (name == PartitionKey && !value.IsNull)
            {
                return value.Type == Model.Content.ContentType.Binary
                    ? value.Bytes
                    : Encoding.UTF8.GetBytes(value.ToString());
            }
        }

        return null;
    }

    private static void TakeReplyToKind(MessageContent content)
    {
        int at = content.Annotations.FindIndex(entry => entry.Key == ReplyToKind);
        if (at < 0 || content.ReplyTo is null || content.Annotations[at].Value is not
            { Type: Model.Content.ContentType.Int8 or Model.Content.ContentType.UInt8, Integer: >= 0 and <= 3 } kind)
        {
            return;
        }

        content.ReplyToRouting = (kind.Integer & TopicBit) != 0 ? RoutingType.Multicast : RoutingType.Anycast;
        content.ReplyToIsTemporary = (kind.Integer & TemporaryBit) != 0;
        content.Annotations.RemoveAt(at);
    }

    private static void ReadBody(AmqpMessage message, MessageContent content)
    {
        switch (message.BodyKind)
        {
            case BodyKind.Data:
                content.Form = message.Properties?.ContentType == ObjectContentType
                    ? BodyForm.Object : BodyForm.Binary;
                content.Bytes = message.Data;
                break;
            case BodyKind.Sequence:
                content.Form = BodyForm.List;
                content.Value = AmqpContentValues.To(message.Value);
                break;
            case BodyKind.Value:
                ReadValueBody(message.Value, content);
                break;
        }
    }

    private static void ReadValueBody(in AmqpValue body, MessageContent content)
    {
        ContentValue value = AmqpContentValues.To(body);
        content.Form = value.Type switch
        {
            Model.Content.ContentType.Null => BodyForm.None,
            Model.Content.ContentType.String => BodyForm.Text,
            Model.Content.ContentType.Binary => BodyForm.Binary,
            Model.Content.ContentType.Map => BodyForm.Map,
            Model.Content.ContentType.List => BodyForm.List,
            _ => BodyForm.Value,
        };
        content.Bytes = value.Type switch
        {
            Model.Content.ContentType.String => Encoding.UTF8.GetBytes(value.Text!),
            Model.Content.ContentType.Binary => value.Bytes,
            _ => default,
        };
        content.Value = content.Form is BodyForm.Text or BodyForm.Binary ? ContentValue.Null : value;
    }

    private static MessageProperties WriteProperties(string address, MessageContent content) => new()
    {
        MessageId = Identifier(content.MessageId),
        UserId = content.UserId.IsEmpty ? null : content.UserId.ToArray(),
        To = content.To ?? address,
        Subject = content.Subject,
        ReplyTo = content.ReplyTo,
        CorrelationId = Identifier(content.CorrelationId),
        ContentType = content.ContentType is { } type ? Ascii(type)
            : content.Form == BodyForm.Object ? ObjectContentType : null,
        ContentEncoding = content.ContentEncoding is { } encoding ? Ascii(encoding) : null,
        CreationTimeMs = content.CreatedAtMs,
        GroupId = content.GroupId,
        GroupSequence = content.GroupSequence,
        ReplyToGroupId = content.ReplyToGroupId,
    };

    /// <summary>Part 3 sections 3.2.11 to 3.2.14: an identifier is a ulong, uuid, binary or string.</summary>
    private static AmqpValue? Identifier(in ContentValue value) => value.Type switch
    {
        Model.Content.ContentType.Null => (AmqpValue?)null,
        Model.Content.ContentType.UInt64 or Model.Content.ContentType.Uuid or Model.Content.ContentType.Binary
            or Model.Content.ContentType.String => AmqpContentValues.From(value),
        _ => AmqpValue.String(value.ToString()),
    };

    /// <summary>A symbol is ASCII (part 1 section 1.6.21).</summary>
    private static string Ascii(string text) => System.Text.Ascii.IsValid(text)
        ? text
        : string.Concat(text.Select(c => char.IsAscii(c) ? c : '?'));

    private static AmqpMap? WriteAnnotations(MessageContent content)
    {
        AmqpMap? map = WriteEntries(content.Annotations, symbols: true);
        if (content is { ReplyTo: not null, ReplyToRouting: { } routing })
        {
            int kind = (routing == RoutingType.Multicast ? TopicBit : 0)
                | (content.ReplyToIsTemporary ? TemporaryBit : 0);
            map ??= new AmqpMap();
            map.Set(AmqpValue.Symbol(ReplyToKind), AmqpValue.Byte((sbyte)kind));
        }

        if (content.Key is { } key && (map is null || !map.TryGet(PartitionKey, out _)))
        {
            map ??= new AmqpMap();
            map.AddSymbol(PartitionKey, System.Text.Unicode.Utf8.IsValid(key.Span)
                ? AmqpValue.String(Encoding.UTF8.GetString(key.Span))
                : AmqpValue.Binary(key.ToArray()));
        }

        return map;
    }

    private static AmqpMap? WriteEntries(List<KeyValuePair<string, ContentValue>> entries, bool symbols)
    {
        if (entries.Count == 0)
        {
            return null;
        }

        // A map has each key once; of names that repeat the last one counts.
        var values = new Dictionary<string, ContentValue>(StringComparer.Ordinal);
        foreach ((string name, ContentValue value) in entries)
        {
            values[symbols ? Ascii(name) : name] = value;
        }

        var map = new AmqpMap();
        foreach ((string name, ContentValue value) in values)
        {
            map.Add(symbols ? AmqpValue.Symbol(name) : AmqpValue.String(name), AmqpContentValues.From(value));
        }

        return map;
    }
}
