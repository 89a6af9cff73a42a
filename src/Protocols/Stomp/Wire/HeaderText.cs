using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Pillarbox.Protocols.Stomp.Wire;

/// <summary>
/// Header names and values (1.2, "Value Encoding"): UTF-8, in which since 1.1 <c>\n</c>, <c>\c</c> and <c>\\</c>, since
/// 1.2 also <c>\r</c> stand for octets that lines cannot hold; any other escape is an error. The canonical form, in
/// which messages are kept, is 1.2's. A NUL, which other protocols may have in a text, becomes a space: see
/// <see cref="FrameReader"/>. Pure.
/// </summary>
internal static class HeaderText
{
    private const byte Escape = (byte)'\\';
    private static readonly SearchValues<byte> Special = SearchValues.Create("\\:\n\r\0"u8);

    /// <summary>The text of a name or value as a peer of <paramref name="version"/> wrote it.</summary>
    public static string Decode(ReadOnlySpan<byte> raw, StompVersion version)
    {
        if (!Utf8.IsValid(raw))
        {
            throw new StompException("a header is not UTF-8");
        }

        if (version == StompVersion.V10 || !raw.Contains(Escape))
        {
            return Encoding.UTF8.GetString(raw);
        }

        byte[] plain = new byte[raw.Length];
        int length = Unescape(raw, plain, version);
        return Encoding.UTF8.GetString(plain, 0, length);
    }

    /// <summary>The plain octets of canonical text; a slice of it where nothing is escaped.</summary>
    public static ReadOnlySpan<byte> Plain(ReadOnlySpan<byte> canonical)
    {
        if (!canonical.Contains(Escape))
        {
            return canonical;
        }

        byte[] plain = new byte[canonical.Length];
        return plain.AsSpan(0, Unescape(canonical, plain, StompVersion.V12));
    }

    /// <summary>
    /// Appends a name or value as a peer of <paramref name="version"/> wrote it, in canonical form. Errors: an escape
    /// that the version does not know.
    /// </summary>
    public static void AppendCanonical(ref ByteBuilder output, ReadOnlySpan<byte> raw, StompVersion version)
    {
        if (version == StompVersion.V10)
        {
            AppendEscaped(ref output, raw);
            return;
        }

        if (!raw.ContainsAny(Special))
        {
            output.Append(raw);
            return;
        }

        CheckEscapes(raw, version);
        foreach (byte b in raw)
        {
            // Since 1.1 a value may not hold ':', but old clients write it; and a CR of 1.1 is no end of line.
            AppendOctet(ref output, b, keepsEscapes: true);
        }
    }

    /// <summary>Appends plain text in canonical form.</summary>
    public static void AppendEscaped(ref ByteBuilder output, ReadOnlySpan<byte> plain)
    {
        if (!plain.ContainsAny(Special))
        {
            output.Append(plain);
            return;
        }

        foreach (byte b in plain)
        {
            AppendOctet(ref output, b, keepsEscapes: false);
        }
    }

    /// <summary>
    /// Appends canonical lines as a peer of <paramref name="version"/> reads them. 1.0 knows no way to write an end of
    /// line in a header: it becomes a space, in 1.1 a CR stands as it is.
    /// </summary>
    public static void AppendFor(ref ByteBuilder output, ReadOnlySpan<byte> canonical, StompVersion version)
    {
        if (version == StompVersion.V12 || !canonical.Contains(Escape))
        {
            output.Append(canonical);
            return;
        }

        for (int i = 0; i < canonical.Length; i++)
        {
            if (canonical[i] != Escape || i + 1 == canonical.Length)
            {
                output.Append(canonical[i]);
                continue;
            }

            byte code = canonical[++i];
            if (version == StompVersion.V11 && code != (byte)'r')
            {
                output.Append(Escape);
                output.Append(code);
            }
            else
            {
                byte octet = OctetOf(code);
                bool endsLine = octet == (byte)'\n' || (version == StompVersion.V10 && octet == (byte)'\r');
                output.Append(endsLine ? (byte)' ' : octet);
            }
        }
    }

    private static void AppendOctet(ref ByteBuilder output, byte b, bool keepsEscapes)
    {
        switch (b)
        {
            case (byte)'\n':
                output.Append("\\n"u8);
                break;
            case (byte)'\r':
                output.Append("\\r"u8);
                break;
            case (byte)':':
                output.Append("\\c"u8);
                break;
            case Escape when !keepsEscapes:
                output.Append("\\\\"u8);
                break;
            case 0:
                output.Append((byte)' ');
                break;
            default:
                output.Append(b);
                break;
        }
    }

    private static void CheckEscapes(ReadOnlySpan<byte> raw, StompVersion version)
    {
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] == Escape)
            {
                CheckEscape(i + 1 < raw.Length ? raw[i + 1] : (byte)0, version);
                i++;
            }
        }
    }

    private static void CheckEscape(byte code, StompVersion version)
    {
        bool known = code is (byte)'n' or (byte)'c' or Escape || (code == (byte)'r' && version == StompVersion.V12);
        if (!known)
        {
            throw new StompException("a header holds an escape sequence that this version does not know");
        }
    }

    private static int Unescape(ReadOnlySpan<byte> raw, Span<byte> plain, StompVersion version)
    {
        int length = 0;
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] == Escape)
            {
                byte code = i + 1 < raw.Length ? raw[i + 1] : (byte)0;
                CheckEscape(code, version);
                plain[length++] = OctetOf(code);
                i++;
            }
            else
            {
                plain[length++] = raw[i];
            }
        }

        return length;
    }

    private static byte OctetOf(byte code) => code switch
    {
        (byte)'n' => (byte)'\n',
        (byte)'r' => (byte)'\r',
        (byte)'c' => (byte)':',
        _ => Escape,
    };
}
