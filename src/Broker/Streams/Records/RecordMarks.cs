using System.Globalization;
using System.Text;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams.Records;

/// <summary>
/// How a message that is no Kafka record is kept as one without loss: its value is the body, its headers are the
/// properties as text, and a last header <c>x-pillarbox</c> says of each header before it what it was. That header's
/// value is ASCII: two letters for the body (form and type), then two for each header (role and type).
/// </summary>
internal static class RecordMarks
{
    /// <summary>The name of the header.</summary>
    public const string Name = "x-pillarbox";

    public const char Property = 'p';
    public const char Application = 'a';
    public const char Annotation = 'n';
    public const char Envelope = 'h';

    public const string Priority = "priority";
    public const string ExpiresAt = "expires-at";
    public const string Publisher = "publisher";

    // By ContentType's number.
    private const string Types = "0bohilOHILfdctuxsjm";

    // By BodyForm's number.
    private const string Forms = "NBTVMLO";

    public static ReadOnlySpan<byte> NameUtf8 => "x-pillarbox"u8;

    public static char LetterOf(ContentType type) => Types[(int)type];

    public static ContentType TypeOf(char letter) => (ContentType)Math.Max(0, Types.IndexOf(letter));

    public static char LetterOf(BodyForm form) => Forms[(int)form];

    public static BodyForm FormOf(char letter) => (BodyForm)Math.Max(0, Forms.IndexOf(letter));

    /// <summary>The marks of a record; empty when it has none, or none that fit its headers.</summary>
    public static ReadOnlySpan<byte> Of(scoped in StreamRecord record)
    {
        RecordHeaderReader headers = record.ReadHeaders();
        ReadOnlySpan<byte> found = default;
        while (headers.TryRead(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value, out _))
        {
            found = name.SequenceEqual(NameUtf8) ? value : default;
        }

        return found.Length == record.HeaderCount * 2 ? found : default;
    }

    /// <summary>The envelope that the record keeps: priority and expiry of a message that another protocol brought, and
    /// whose it is (0: that is not said).</summary>
    public static MessageHeader Complete(in MessageHeader header, in StreamRecord record, out ulong publisher)
    {
        publisher = 0;
        ReadOnlySpan<byte> marks = Of(record);
        MessageHeader complete = header;
        RecordHeaderReader headers = record.ReadHeaders();
        for (int at = 2; at < marks.Length && headers.TryRead(out ReadOnlySpan<byte> name, out var value, out _);
            at += 2)
        {
            if (marks[at] != Envelope
                || !long.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out long number))
            {
                continue;
            }

            string field = Encoding.UTF8.GetString(name);
            publisher = field == Publisher ? unchecked((ulong)number) : publisher;
            complete = field switch
            {
                Priority => complete with { Priority = (byte)Math.Clamp(number, 0, 9) },
                ExpiresAt => complete with { ExpiresAtMs = Math.Max(0, number) },
                _ => complete,
            };
        }

        return complete;
    }
}
