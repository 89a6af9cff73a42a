using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Pillarbox.Hosting.Listeners;

/// <summary>
/// The subject of a certificate as text (RFC 4514): the last part first, <c>,</c> between parts and <c>+</c> between
/// those of one set. What could be taken for the text's own signs is escaped, so that two subjects never have one text.
/// Pure.
/// </summary>
internal static class SubjectText
{
    private const string Special = ",+\"\\<>;";

    // RFC 4514 section 3, and the names that certificates have besides.
    private static readonly Dictionary<string, string> Keys = new()
    {
        ["2.5.4.3"] = "CN",
        ["2.5.4.4"] = "SN",
        ["2.5.4.5"] = "serialNumber",
        ["2.5.4.6"] = "C",
        ["2.5.4.7"] = "L",
        ["2.5.4.8"] = "ST",
        ["2.5.4.9"] = "street",
        ["2.5.4.10"] = "O",
        ["2.5.4.11"] = "OU",
        ["2.5.4.12"] = "title",
        ["2.5.4.42"] = "GN",
        ["0.9.2342.19200300.100.1.1"] = "UID",
        ["0.9.2342.19200300.100.1.25"] = "DC",
        ["1.2.840.113549.1.9.1"] = "emailAddress",
    };

    /// <summary>One attribute of a subject.</summary>
    /// <param name="Oid">Its type.</param>
    /// <param name="Text">Its value; null: it is no text.</param>
    /// <param name="Encoded">Its value in DER.</param>
    public sealed record Part(string Oid, string? Text, ReadOnlyMemory<byte> Encoded);

    /// <summary>The whole subject.</summary>
    public static string Write(X500DistinguishedName subject) => string.Join(
        ',', SetsOf(subject).Reverse().Select(set => string.Join('+', set.Select(Write))));

    /// <summary>All attributes, in the order of the certificate.</summary>
    public static IEnumerable<Part> PartsOf(X500DistinguishedName subject) => SetsOf(subject).SelectMany(set => set);

    private static IEnumerable<List<Part>> SetsOf(X500DistinguishedName subject) =>
        subject.EnumerateRelativeDistinguishedNames(reversed: false).Select(set => ReadSet(set.RawData));

    // RelativeDistinguishedName ::= SET OF SEQUENCE { type OBJECT IDENTIFIER, value ANY } (RFC 5280 section 4.1.2.4)
    private static List<Part> ReadSet(ReadOnlyMemory<byte> encoded)
    {
        List<Part> parts = [];
        AsnReader set = new AsnReader(encoded, AsnEncodingRules.BER).ReadSetOf(skipSortOrderValidation: true);
        while (set.HasData)
        {
            AsnReader pair = set.ReadSequence();
            string oid = pair.ReadObjectIdentifier();
            parts.Add(new Part(oid, TextOf(pair), pair.PeekEncodedValue()));
        }

        return parts;
    }

    private static string? TextOf(AsnReader value)
    {
        Asn1Tag tag = value.PeekTag();
        bool isText = tag.TagClass == TagClass.Universal && (UniversalTagNumber)tag.TagValue
            is UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String
            or UniversalTagNumber.NumericString or UniversalTagNumber.T61String or UniversalTagNumber.BMPString;
        return isText
            ? new AsnReader(value.PeekEncodedValue(), AsnEncodingRules.BER).ReadCharacterString(
                (UniversalTagNumber)tag.TagValue)
            : null;
    }

    // A type or value that has no text is its bytes (RFC 4514 section 2.4).
    private static string Write(Part part) =>
        Keys.TryGetValue(part.Oid, out string? key) && part.Text is { } text
            ? $"{key}={Escape(text)}"
            : $"{key ?? part.Oid}=#{Convert.ToHexString(part.Encoded.Span)}";

    private static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            bool isAtEdge = (i == 0 && c is '#' or ' ') || (i == text.Length - 1 && c == ' ');
            if (c is < ' ' or > '~')
            {
                int units = char.IsSurrogatePair(text, i) ? 2 : 1;
                AppendBytes(escaped, text.AsSpan(i, units));
                i += units - 1;
            }
            else
            {
                escaped.Append(isAtEdge || Special.Contains(c) ? "\\" : "").Append(c);
            }
        }

        return escaped.ToString();
    }

    private static void AppendBytes(StringBuilder escaped, ReadOnlySpan<char> units)
    {
        Span<byte> bytes = stackalloc byte[4];
        foreach (byte one in bytes[..Encoding.UTF8.GetBytes(units, bytes)])
        {
            escaped.Append(CultureInfo.InvariantCulture, $"\\{one:X2}");
        }
    }
}
