namespace Pillarbox.Router.Addresses;

/// <summary>A pattern of addresses: tokens between <c>.</c> or <c>/</c>, <c>*</c> is one, <c>#</c> none or more.
/// Immutable.</summary>
internal sealed class AddressPattern
{
    private static readonly char[] Separators = ['.', '/'];

    private readonly string[] _tokens;

    private AddressPattern(string[] tokens) => _tokens = tokens;

    public static AddressPattern Parse(string text) => new(TokensOf(text));

    /// <summary>The tokens of an address; separators in front count for nothing.</summary>
    public static string[] TokensOf(string text) => text.TrimStart(Separators).Split(Separators);

    /// <summary>Whether an address is one of these.</summary>
    public bool Matches(ReadOnlySpan<string> address) => Matches(_tokens, address);

    /// <summary>The more specific first. Token by token: a name before *, and * before #; a longer pattern before its
    /// beginning.</summary>
    public static int Compare(AddressPattern one, AddressPattern other)
    {
        for (int i = 0; i < Math.Min(one._tokens.Length, other._tokens.Length); i++)
        {
            int difference = Rank(one._tokens[i]) - Rank(other._tokens[i]);
            if (difference != 0)
            {
                return difference;
            }
        }

        return other._tokens.Length - one._tokens.Length;
    }

    // The last # takes more and more, instead of every # by itself: the time is bounded by the product of lengths.
    private static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> tokens)
    {
        (int at, int token, int lastAny, int anyFrom) = (0, 0, -1, 0);
        while (token < tokens.Length)
        {
            if (at < pattern.Length && pattern[at] == "#")
            {
                (lastAny, anyFrom) = (at++, token);
            }
            else if (at < pattern.Length && (pattern[at] == "*" || pattern[at] == tokens[token]))
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

        return !pattern[at..].ContainsAnyExcept("#");
    }

    private static int Rank(string token) => token == "#" ? 2 : token == "*" ? 1 : 0;
}
