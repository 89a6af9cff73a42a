using System.Globalization;
using Pillarbox.Model.Content;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Content;

/// <summary>
/// Ids of messages: JMS has text, others have numbers, UUIDs and bytes. Those are written as JMS clients over AMQP
/// write them, so that they come back as what they were. Pure.
/// </summary>
internal static class JmsIds
{
    private const string NumberPrefix = "ID:AMQP_ULONG:";
    private const string UuidPrefix = "ID:AMQP_UUID:";
    private const string BinaryPrefix = "ID:AMQP_BINARY:";

    /// <summary>Who is named as the producer of messages that came by another protocol.</summary>
    public static readonly ProducerId Foreign = new() { Connection = "ID:pillarbox", Session = 0, Value = 0 };

    /// <summary>The same of messages that are not on disk: their numbers are others.</summary>
    public static readonly ProducerId ForeignTransient = Foreign with { Value = 1 };

    public static string? ToText(in ContentValue id) => id.Type switch
    {
        ContentType.Null => null,
        ContentType.String => id.Text,
        ContentType.UInt64 => NumberPrefix + ((ulong)id.Integer).ToString(CultureInfo.InvariantCulture),
        ContentType.Uuid => UuidPrefix + id.Uuid,
        ContentType.Binary => BinaryPrefix + Convert.ToHexString(id.Bytes.Span),
        _ => id.ToString(),
    };

    public static ContentValue ToValue(string? text)
    {
        if (text is null || !text.StartsWith("ID:AMQP_", StringComparison.Ordinal))
        {
            return ContentValue.From(text);
        }

        if (text.StartsWith(NumberPrefix, StringComparison.Ordinal)
            && ulong.TryParse(text.AsSpan(NumberPrefix.Length), out ulong number))
        {
            return ContentValue.From(number);
        }

        if (text.StartsWith(UuidPrefix, StringComparison.Ordinal)
            && Guid.TryParse(text.AsSpan(UuidPrefix.Length), out Guid uuid))
        {
            return ContentValue.From(uuid);
        }

        return text.StartsWith(BinaryPrefix, StringComparison.Ordinal) && IsHex(text.AsSpan(BinaryPrefix.Length))
            ? ContentValue.From(Convert.FromHexString(text.AsSpan(BinaryPrefix.Length)))
            : ContentValue.From(text);
    }

    /// <summary>
    /// The id of a message that came by another protocol; its number is set when it is sent, for only then it is known.
    /// </summary>
    public static MessageId ToMessageId(in ContentValue id) => new() { TextView = ToText(id), Producer = Foreign };

    private static bool IsHex(ReadOnlySpan<char> text) =>
        text.Length % 2 == 0 && !text.ContainsAnyExcept(System.Buffers.SearchValues.Create("0123456789ABCDEFabcdef"));
}
