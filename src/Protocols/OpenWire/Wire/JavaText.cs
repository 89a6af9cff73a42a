using System.Text;

namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>
/// Java's modified UTF-8 (java.io.DataInput): U+0000 is C0 80, and a character outside of the basic plane is its two
/// surrogates in three bytes each. Pure.
/// </summary>
internal static class JavaText
{
    private const char Replacement = '\uFFFD';

    /// <summary>Reads; never fails: what is no text becomes U+FFFD.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (Ascii.IsValid(bytes))
        {
            return Encoding.ASCII.GetString(bytes);
        }

        var text = new StringBuilder(bytes.Length);
        int at = 0;
        while (at < bytes.Length)
        {
            at += DecodeOne(bytes[at..], out char one);
            text.Append(one);
        }

        return text.ToString();
    }

    /// <summary>The encoded bytes of a text.</summary>
    public static byte[] Encode(string text)
    {
        byte[] bytes = new byte[ByteCount(text)];
        Encode(text, bytes);
        return bytes;
    }

    public static int ByteCount(string text)
    {
        int bytes = 0;
        foreach (char c in text)
        {
            bytes += c is > '\0' and < '\u0080' ? 1 : c < '\u0800' ? 2 : 3;
        }

        return bytes;
    }

    public static int Encode(string text, Span<byte> to)
    {
        int at = 0;
        foreach (char c in text)
        {
            if (c is > '\0' and < '\u0080')
            {
                to[at++] = (byte)c;
            }
            else if (c < '\u0800')
            {
                to[at++] = (byte)(0xC0 | (c >> 6));
                to[at++] = (byte)(0x80 | (c & 0x3F));
            }
            else
            {
                to[at++] = (byte)(0xE0 | (c >> 12));
                to[at++] = (byte)(0x80 | ((c >> 6) & 0x3F));
                to[at++] = (byte)(0x80 | (c & 0x3F));
            }
        }

        return at;
    }

    /// <summary>Whether it may travel in the one-byte form: no byte above 7F, and no zero.</summary>
    public static bool IsAscii(ReadOnlySpan<byte> bytes) => Ascii.IsValid(bytes) && !bytes.Contains((byte)0);

    /// <summary>Standard UTF-8 to this form: the same bytes unless there is a zero or a four-byte character.</summary>
    public static ReadOnlyMemory<byte> FromUtf8(ReadOnlyMemory<byte> utf8) =>
        !utf8.Span.Contains((byte)0) && !utf8.Span.ContainsAnyInRange((byte)0xF0, (byte)0xFF)
            ? utf8
            : Encode(Encoding.UTF8.GetString(utf8.Span));

    /// <summary>This form to standard UTF-8: the same bytes unless there is a C0 or a surrogate.</summary>
    public static ReadOnlyMemory<byte> ToUtf8(ReadOnlyMemory<byte> modified) =>
        !modified.Span.ContainsAny((byte)0xC0, (byte)0xED)
            ? modified
            : Encoding.UTF8.GetBytes(Decode(modified.Span));

    private static int DecodeOne(ReadOnlySpan<byte> bytes, out char one)
    {
        int first = bytes[0];
        if (first < 0x80)
        {
            one = (char)first;
            return 1;
        }

        int length = (first & 0xE0) == 0xC0 ? 2 : (first & 0xF0) == 0xE0 ? 3 : 0;
        one = Replacement;
        if (length == 0 || bytes.Length < length || (bytes[1] & 0xC0) != 0x80
            || (length == 3 && (bytes[2] & 0xC0) != 0x80))
        {
            return 1;
        }

        one = length == 2
            ? (char)(((first & 0x1F) << 6) | (bytes[1] & 0x3F))
            : (char)(((first & 0x0F) << 12) | ((bytes[1] & 0x3F) << 6) | (bytes[2] & 0x3F));
        return length;
    }
}
