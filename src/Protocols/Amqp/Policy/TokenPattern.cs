namespace Pillarbox.Protocols.Amqp.Policy;

/// <summary>What stands for the words in a pattern that are of the connection. Immutable.</summary>
/// <param name="User">For <c>${user}</c>.</param>
/// <param name="Host">For <c>${host}</c>.</param>
public readonly record struct PolicyWords(string User, string Host)
{
    public const string UserWord = "${user}";
    public const string HostWord = "${host}";

    /// <summary>A text with its words replaced.</summary>
    public string Fill(string text) => text
        .Replace(UserWord, User ?? "", StringComparison.Ordinal).Replace(HostWord, Host ?? "", StringComparison.Ordinal);

    /// <summary>What a whole token stands for; null: for itself.</summary>
    public string? Of(string token) => token switch
    {
        UserWord => User ?? "",
        HostWord => Host ?? "",
        _ => null,
    };
}

/// <summary>
/// A pattern of tokens between <c>.</c> or <c>/</c>: <c>*</c> is one token, <c>#</c> none or more. A word of the connection
/// is a whole token, and what it stands for is never a wildcard. Immutable.
/// </summary>
internal sealed class TokenPattern
{
    private static readonly char[] Separators = ['.', '/'];

    private readonly Token[] _tokens;

    private TokenPattern(Token[] tokens) => _tokens = tokens;

    private enum Kind : byte
    {
        Text,
        One,
        Any,
    }

    /// <summary>Reads a pattern, for a connection.</summary>
    public static TokenPattern Parse(string text, in PolicyWords words)
    {
        var tokens = new List<Token>();
        foreach (string part in Split(text))
        {
            if (words.Of(part) is { } word)
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

    /// <summary>Whether a name is of this shape.</summary>
    public bool Matches(string name) => Matches(_tokens, Split(name));

    /// <summary>Whether it is the more specific one: a name before *, and * before #.</summary>
    public bool IsBefore(TokenPattern other)
    {
        for (int i = 0; i < Math.Min(_tokens.Length, other._tokens.Length); i++)
        {
            if (_tokens[i].Kind != other._tokens[i].Kind)
            {
                return _tokens[i].Kind < other._tokens[i].Kind;
            }
        }

        return _tokens.Length > other._tokens.Length;
    }

    private static string[] Split(string text) => text.TrimStart(Separators).Split(Separators);

    private static bool Matches(ReadOnlySpan<Token> pattern, ReadOnlySpan<string> tokens)
    {
        // The last # takes more and more, instead of every # by itself: the time is bounded by the product of lengths.
        int at = 0;
        int token = 0;
        int lastAny = -1;
        int anyFrom = 0;
        while (token < tokens.Length)
        {
            if (at < pattern.Length && pattern[at].Kind == Kind.Any)
            {
                (lastAny, anyFrom) = (at++, token);
            }
            else if (at < pattern.Length && (pattern[at].Kind == Kind.One || pattern[at].Text == tokens[token]))
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

        while (at < pattern.Length && pattern[at].Kind == Kind.Any)
        {
            at++;
        }

        return at == pattern.Length;
    }

    private readonly record struct Token(Kind Kind, string Text);
}
