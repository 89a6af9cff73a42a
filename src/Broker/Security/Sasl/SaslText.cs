using System.Text;

namespace Pillarbox.Broker.Security.Sasl;

/// <summary>
/// SASLprep (RFC 4013) as far as it goes without Unicode tables: non-ASCII spaces become U+0020 and the characters
/// commonly mapped to nothing vanish. Normalisation form KC is not applied, for the program runs without culture data:
/// a password of composed letters must be typed in the same form each time (every usual input method gives form C).
/// ASCII is never changed.
/// </summary>
internal static class SaslText
{
    /// <summary>The prepared bytes of a password.</summary>
    public static byte[] Prepare(Secret password)
    {
        ReadOnlySpan<byte> bytes = password.Reveal();
        return Ascii.IsValid(bytes) ? bytes.ToArray() : Encoding.UTF8.GetBytes(Map(Encoding.UTF8.GetString(bytes)));
    }

    /// <summary>The prepared form of a name.</summary>
    public static string Prepare(string name) => Ascii.IsValid(name) ? name : Map(name);

    private static string Map(string text)
    {
        var mapped = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            if (IsSpace(c))
            {
                mapped.Append(' ');
            }
            else if (!IsNothing(c))
            {
                mapped.Append(c);
            }
        }

        return mapped.ToString();
    }

    /// <summary>RFC 3454 table C.1.2.</summary>
    private static bool IsSpace(char c) =>
        c is '\u00A0' or '\u1680' or (>= '\u2000' and <= '\u200A') or '\u202F' or '\u205F' or '\u3000';

    /// <summary>RFC 3454 table B.1.</summary>
    private static bool IsNothing(char c) =>
        c is '\u00AD' or '\u034F' or '\u1806' or (>= '\u180B' and <= '\u180D') or (>= '\u200B' and <= '\u200D')
            or '\u2060' or (>= '\uFE00' and <= '\uFE0F') or '\uFEFF';
}
