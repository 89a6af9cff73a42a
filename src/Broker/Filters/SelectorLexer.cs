using System.Globalization;
using System.Text;

namespace Pillarbox.Broker.Filters;

/// <summary>
/// Splits a selector into words (JMS 2.0 section 3.8.1.1): identifiers as in Java, also quoted ("a-b"); strings in
/// single quotes, a quote doubled; integers as in Java (decimal, 0x hexadecimal, 0 octal, suffix L); approximate
/// numbers as in Java. Words of the language in any case. With <paramref name="hyphens"/> an identifier may also hold
/// <c>-</c> between two of its characters.
/// </summary>
internal sealed class SelectorLexer(string text, bool hyphens)
{
    private int _at;

    public SelectorToken Next()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
        {
            _at++;
        }

        if (_at == text.Length)
        {
            return new SelectorToken(TokenKind.End, _at, "");
        }

        char c = text[_at];
        return c == '\'' ? Quoted(TokenKind.String, c, "string")
            : c == '"' ? Quoted(TokenKind.Identifier, c, "identifier")
            : IsDigit(c) || (c == '.' && IsDigit(Peek(1))) ? Number()
            : IsStart(c) ? Word()
            : Sign();
    }

    private static bool IsDigit(char c) => c is >= '0' and <= '9';

    private static bool IsStart(char c) => char.IsLetter(c) || c is '_' or '$';

    private static bool IsPart(char c) => char.IsLetterOrDigit(c) || c is '_' or '$';

    private char Peek(int ahead) => _at + ahead < text.Length ? text[_at + ahead] : '\0';

    private SelectorToken Sign()
    {
        (TokenKind kind, int length) = (text[_at], Peek(1)) switch
        {
            ('<', '>') => (TokenKind.NotEqual, 2),
            ('<', '=') => (TokenKind.LessOrEqual, 2),
            ('>', '=') => (TokenKind.GreaterOrEqual, 2),
            ('<', _) => (TokenKind.Less, 1),
            ('>', _) => (TokenKind.Greater, 1),
            ('=', _) => (TokenKind.Equal, 1),
            ('+', _) => (TokenKind.Plus, 1),
            ('-', _) => (TokenKind.Minus, 1),
            ('*', _) => (TokenKind.Times, 1),
            ('/', _) => (TokenKind.Divide, 1),
            ('(', _) => (TokenKind.Open, 1),
            (')', _) => (TokenKind.Close, 1),
            (',', _) => (TokenKind.Comma, 1),
            _ => throw SelectorFault.At(_at, $"the character {Show(text[_at])} does not belong into a selector"),
        };
        var token = new SelectorToken(kind, _at, text.Substring(_at, length));
        _at += length;
        return token;
    }

    private static string Show(char c) => c is > ' ' and < '\x7F' ? $"'{c}'" : $"U+{(int)c:X4}";

    private SelectorToken Quoted(TokenKind kind, char quote, string what)
    {
        int start = _at++;
        var value = new StringBuilder();
        while (true)
        {
            if (_at == text.Length)
            {
                throw SelectorFault.At(start, $"the {what} that begins here has no closing {quote}");
            }

            char c = text[_at++];
            if (c != quote)
            {
                value.Append(c);
            }
            else if (Peek(0) == quote)
            {
                value.Append(c);
                _at++;
            }
            else
            {
                break;
            }
        }

        if (kind == TokenKind.Identifier && value.Length == 0)
        {
            throw SelectorFault.At(start, "the identifier is empty");
        }

        return new SelectorToken(kind, start, value.ToString());
    }

    private SelectorToken Word()
    {
        int start = _at;
        while (IsPart(Peek(0)) || (Peek(0) == '.' && IsStart(Peek(1)))
            || (hyphens && Peek(0) == '-' && IsPart(Peek(1))))
        {
            _at++;
        }

        string word = text[start.._at];
        TokenKind kind = word.ToUpperInvariant() switch
        {
            "TRUE" => TokenKind.True,
            "FALSE" => TokenKind.False,
            "NULL" => TokenKind.Null,
            "AND" => TokenKind.And,
            "OR" => TokenKind.Or,
            "NOT" => TokenKind.Not,
            "BETWEEN" => TokenKind.Between,
            "LIKE" => TokenKind.Like,
            "IN" => TokenKind.In,
            "IS" => TokenKind.Is,
            "ESCAPE" => TokenKind.Escape,
            _ => TokenKind.Identifier,
        };
        return new SelectorToken(kind, start, word);
    }

    private SelectorToken Number()
    {
        int start = _at;
        if (text[_at] == '0' && Peek(1) is 'x' or 'X')
        {
            _at += 2;
            return Integer(start, NumberStyles.AllowHexSpecifier, char.IsAsciiHexDigit, text[(start + 2)..]);
        }

        SkipDigits();
        bool exact = Peek(0) != '.' && Peek(0) is not ('e' or 'E' or 'f' or 'F' or 'd' or 'D');
        if (exact)
        {
            _at = start;
            return text[start] == '0' && IsDigit(Peek(1))
                ? Octal(start)
                : Integer(start, NumberStyles.None, IsDigit, text[start..]);
        }

        return Approximate(start);
    }

    private void SkipDigits()
    {
        while (IsDigit(Peek(0)))
        {
            _at++;
        }
    }

    private SelectorToken Integer(int start, NumberStyles style, Func<char, bool> belongs, string rest)
    {
        int length = rest.TakeWhile(belongs).Count();
        _at += length;
        if (!ulong.TryParse(rest[..length], style, CultureInfo.InvariantCulture, out ulong value)
            || value > (ulong)long.MaxValue + 1)
        {
            throw SelectorFault.At(start, "the number does not fit into 64 bits");
        }

        return EndNumber(new SelectorToken(TokenKind.Integer, start, text[start.._at], value), 'l', 'L');
    }

    private SelectorToken Octal(int start)
    {
        ulong value = 0;
        SkipDigits();
        foreach (char c in text.AsSpan(start, _at - start))
        {
            if (c > '7' || value >> 60 != 0)
            {
                throw SelectorFault.At(start, "a number that begins with 0 is octal: digits 0 to 7, at most 63 bits");
            }

            value = (value * 8) + (ulong)(c - '0');
        }

        return EndNumber(new SelectorToken(TokenKind.Integer, start, text[start.._at], value), 'l', 'L');
    }

    private SelectorToken Approximate(int start)
    {
        if (Peek(0) == '.')
        {
            _at++;
            SkipDigits();
        }

        if (Peek(0) is 'e' or 'E')
        {
            _at += Peek(1) is '+' or '-' ? 2 : 1;
            if (!IsDigit(Peek(0)))
            {
                throw SelectorFault.At(start, "the exponent of the number has no digits");
            }

            SkipDigits();
        }

        double value = double.Parse(text.AsSpan(start, _at - start), NumberStyles.Float, CultureInfo.InvariantCulture);
        var token = new SelectorToken(TokenKind.Approximate, start, text[start.._at], 0, value);
        return Peek(0) is 'f' or 'F' ? EndNumber(token, 'f', 'F') : EndNumber(token, 'd', 'D');
    }

    /// <summary>Takes an optional suffix; a letter after it would be a typing error that must not pass as two
    /// words.</summary>
    private SelectorToken EndNumber(SelectorToken token, char suffix, char orSuffix)
    {
        if (Peek(0) == suffix || Peek(0) == orSuffix)
        {
            _at++;
        }

        return IsPart(Peek(0)) ? throw SelectorFault.At(_at, "a number ends here, a letter or digit follows") : token;
    }
}

/// <summary>What is wrong with a selector, and where.</summary>
internal static class SelectorFault
{
    public static BrokerException At(int position, string fault) =>
        new(BrokerError.InvalidField, $"the selector cannot be read at character {position + 1}: {fault}");
}
