using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Management;

// application-properties   operation, type, name or identity; for QUERY and GET-...: entityType, offset, count; locales
// properties               reply-to, correlation-id or message-id
// body                     amqp-value map; of QUERY: attributeNames

/// <summary>A request to the management agent.</summary>
public sealed record ManagementRequest
{
    /// <summary>Bytes of a request.</summary>
    public const int BytesMax = 1 << 20;

    /// <summary>Upper case, e.g. QUERY.</summary>
    public required string Operation { get; init; }

    public string? Type { get; init; }

    public string? Name { get; init; }

    public string? Identity { get; init; }

    public string? EntityType { get; init; }

    public long Offset { get; init; }

    /// <summary>Null: all.</summary>
    public long? Count { get; init; }

    /// <summary>Of GET-LOG; null: all.</summary>
    public long? Limit { get; init; }

    public AmqpMap Body { get; init; } = new();

    public string ReplyTo { get; init; } = "";

    public AmqpValue CorrelationId { get; init; }

    /// <summary>What a QUERY asks for; empty: all there is.</summary>
    public ImmutableArray<string> AttributeNames { get; init; } = [];

    /// <summary>
    /// Reads a request. False: it is none that could be answered: broken, too long, or without a place for the reply.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> message, [NotNullWhen(true)] out ManagementRequest? request)
    {
        request = null;
        if (message.Length > BytesMax)
        {
            return false;
        }
        try
        {
            request = From(AmqpMessage.Read(message));
        }
        catch (AmqpException)
        {
            return false;
        }
        return request is not null;
    }

    private static ManagementRequest? From(AmqpMessage message)
    {
        if (message.Properties?.ReplyTo is not { Length: > 0 } replyTo)
        {
            return null;
        }
        AmqpMap properties = message.ApplicationProperties ?? new AmqpMap();
        AmqpMap body = message.Value.AsMap() ?? new AmqpMap();
        return new ManagementRequest
        {
            Operation = TextOf(properties, "operation")?.ToUpperInvariant() ?? "",
            Type = TextOf(properties, "type"),
            Name = TextOf(properties, "name"),
            Identity = TextOf(properties, "identity"),
            EntityType = TextOf(properties, "entityType"),
            Offset = NumberOf(properties, "offset") ?? 0,
            Count = NumberOf(properties, "count"),
            Limit = NumberOf(properties, "limit"),
            Body = body,
            ReplyTo = replyTo,
            CorrelationId = message.Properties.CorrelationId ?? message.Properties.MessageId ?? AmqpValue.Null,
            AttributeNames = NamesOf(body),
        };
    }

    private static ImmutableArray<string> NamesOf(AmqpMap body) =>
        body.TryGet("attributeNames", out AmqpValue names) && names.Type == AmqpType.List
            ? [.. names.AsList().Select(n => n.AsText()).OfType<string>()]
            : [];

    private static string? TextOf(AmqpMap map, string key) =>
        map.TryGet(key, out AmqpValue value) ? value.AsText() : null;

    // Tools send numbers as text too.
    private static long? NumberOf(AmqpMap map, string key) => map.TryGet(key, out AmqpValue value)
        && (value.TryGetInt64(out long number) || long.TryParse(value.AsText(), out number)) && number >= 0
            ? number
            : null;
}
