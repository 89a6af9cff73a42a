namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// A router's pattern of names: tokens between <c>.</c> or <c>/</c>, of which <c>*</c> is one and <c>#</c> none or
/// more; separators in front count for nothing. Matching takes time bounded by (tokens of the pattern) x (tokens of the
/// name), and no stack. Immutable.
/// </summary>
public sealed class TokenPattern
{
    private static readonly char[] Separators = ['.', '/'];

    private readonly Token[] _tokens;

    private TokenPattern(Token[] tokens) => _tokens = tokens;

    // In the order of precedence.
    private enum Kind : byte
    {
        Text,
        One,
        Any,
    }

    /// <summary>Reads a pattern.</summary>
    public static TokenPattern Parse(string text) => Parse(text, static _ => null);

    /// <summary>Reads a pattern with words in it that stand for something else, which is never a wildcard.</summary>
    /// <param name="text">The pattern.</param>
    /// <param name="wordOf">What a whole token stands for; null: for itself.</param>
    public static TokenPattern Parse(string text, Func<string, string?> wordOf)
    {
        var tokens = new List<Token>();
        foreach (string part in TokensOf(text))
        {
            if (wordOf(part) is { } word)
            {
                tokens.AddRange(word.Split(Separators).Select(piece => new Token(Kind.Text, piece)));
            }
            else
            {
                tokens.Add(new Token(part == "*" ? Kind.One : part == "#" ? Kind.Any : Kind.Text, part));
            }
        }

        return new TokenPattern([.. tokens]);
    }

    /// <summary>The tokens of a name.</summary>
    public static string[] TokensOf(string text) => text.TrimStart(Separators).Split(Separators);

    /// <summary>The more specific first. Token by token: a text before *, and * before #; a longer pattern before its
    /// beginning.</summary>
    public static int Compare(TokenPattern one, TokenPattern other)
    {
        for (int i = 0; i < Math.Min(one._tokens.Length, other._tokens.Length); i++)
        {
            int difference = (int)one._tokens[i].Kind - (int)other._tokens[i].Kind;
            if (difference != 0)
            {
                return difference;
            }
        }

        return other._tokens.Length - one._tokens.Length;
    }

    /// <summary>Whether a name with these tokens is of this shape.</summary>
    public bool Matches(ReadOnlySpan<string> name)
    {
        // The last # takes more and more, instead of every # by itself.
        (int at, int token, int lastAny, int anyFrom) = (0, 0, -1, 0);
        while (token < name.Length)
        {
            if (at < _tokens.Length && _tokens[at].Kind == Kind.Any)
            {
                (lastAny, anyFrom) = (at++, token);
            }
            else if (at < _tokens.Length && _tokens[at].Takes(name[token]))
            {
                (at, token) = (at + 1, token + 1);
            }
            else if (lastAny >= 0)
            {
                (at, token) = (lastAny + 1, ++anyFrom);
            }
            else
            {
                return false;
            }
        }

        while (at < _tokens.Length && _tokens[at].Kind == Kind.Any)
        {
            at++;
        }

        return at == _tokens.Length;
    }

    private readonly record struct Token(Kind Kind, string Text)
    {
        public bool Takes(string token) => Kind == Kind.One || (Kind == Kind.Text && Text == token);
    }
}
