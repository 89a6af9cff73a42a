using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;

namespace Pillarbox.Broker.Security.Sasl;

/// <summary>The attribute syntax of RFC 5802 section 5.1 and 7: <c>n=...,r=...,</c> with <c>=2C</c> and <c>=3D</c> in
/// names.</summary>
internal static class ScramText
{
    /// <summary>The longest SCRAM message, in bytes. AMQP's SASL frames hold 512 anyway.</summary>
    public const int BytesMax = 4096;

    /// <summary>The longest nonce taken from a peer, in characters.</summary>
    public const int NonceCharsMax = 512;

    /// <summary>Bytes to text; false for what is too long or no UTF-8.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out string text)
    {
        bool fine = bytes.Length <= BytesMax && Utf8.IsValid(bytes);
        text = fine ? Encoding.UTF8.GetString(bytes) : "";
        return fine;
    }

    /// <summary>Takes <c>name=value</c> off the front of <paramref name="rest"/>, up to the next comma; false when it
    /// is not there.</summary>
    public static bool TryTake(ref ReadOnlySpan<char> rest, char name, out ReadOnlySpan<char> value)
    {
        value = default;
        if (rest.Length < 2 || rest[0] != name || rest[1] != '=')
        {
            return false;
        }

        int comma = rest.IndexOf(',');
        value = comma < 0 ? rest[2..] : rest[2..comma];
        rest = comma < 0 ? [] : rest[(comma + 1)..];
        return true;
    }

    /// <summary>A nonce: printable ASCII without comma, not empty, bounded.</summary>
    public static bool IsNonce(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (c is < '!' or > '~' or ',')
            {
                return false;
            }
        }

        return text.Length is > 0 and <= NonceCharsMax;
    }

    /// <summary>Undoes <c>=2C</c> and <c>=3D</c>; false for any other use of <c>=</c>.</summary>
    public static bool TryUnescape(ReadOnlySpan<char> saslName, [NotNullWhen(true)] out string? name)
    {
        name = null;
        var text = new StringBuilder(saslName.Length);
        for (int i = 0; i < saslName.Length; i++)
        {
            if (saslName[i] != '=')
            {
                text.Append(saslName[i]);
                continue;
            }

            ReadOnlySpan<char> code = saslName[(i + 1)..];
            if (!code.StartsWith("2C") && !code.StartsWith("3D"))
            {
                return false;
            }

            text.Append(code[0] == '2' ? ',' : '=');
            i += 2;
        }

        name = text.ToString();
        return name.Length > 0;
    }

    /// <summary>Writes <c>=</c> and <c>,</c> of a name as <c>=3D</c> and <c>=2C</c>.</summary>
    public static string Escape(string name) =>
        name.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal);

    /// <summary>Reads base64; false when it is none.</summary>
    public static bool TryBase64(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        byte[] buffer = new byte[(text.Length * 3 / 4) + 3];
        if (text.IsEmpty || !Convert.TryFromBase64Chars(text, buffer, out int written))
        {
            return false;
        }

        bytes = buffer[..written];
        return true;
    }
}
