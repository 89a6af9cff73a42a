namespace Pillarbox.Broker.Routing;

/// <summary>
/// Address patterns: words split by <c>.</c>; <c>*</c> stands for exactly one word, <c>#</c> for any number of words,
/// also none. Not regular expressions. All members are pure and run in time bounded by (words of one) x (words of the
/// other).
/// </summary>
public static class AddressPattern
{
    /// <summary>Splits a name into words.</summary>
    public const char Delimiter = '.';

    /// <summary>Matches exactly one word.</summary>
    public const string SingleWord = "*";

    /// <summary>Matches any number of words, also none.</summary>
    public const string AnyWords = "#";

    /// <summary>The most words of a pattern that holds wildcards; bounds what matching one name can cost.</summary>
    public const int WordsMax = 128;

    /// <summary>Whether a word of the name is a wildcard.</summary>
    public static bool IsWildcard(ReadOnlySpan<char> name)
    {
        foreach (Range word in name.Split(Delimiter))
        {
            if (name[word] is SingleWord or AnyWords)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A sentence that says what is wrong with a pattern, or null when it is fine.</summary>
    public static string? Check(string pattern)
    {
        if (Model.AddressName.Check(pattern, "address pattern") is { } fault)
        {
            return fault;
        }

        int words = pattern.AsSpan().Count(Delimiter) + 1;
        return words > WordsMax && IsWildcard(pattern)
            ? $"the address pattern has {words} words; at most {WordsMax} are allowed"
            : null;
    }

    /// <summary>Whether the pattern matches the name.</summary>
    public static bool Matches(string pattern, string name)
    {
        string[] words = Words(pattern);
        string[] text = name.Split(Delimiter);
        bool[] reached = new bool[text.Length + 1];
        reached[0] = true;
        foreach (string word in words)
        {
            Advance(reached, text, word);
        }

        return reached[^1];
    }

    /// <summary>
    /// Whether every name that <paramref name="inner"/> matches is matched by <paramref name="outer"/> too.
    /// Never true when that is not so; false for a few exotic pairs where it would be.
    /// </summary>
    public static bool Covers(string outer, string inner)
    {
        string[] a = Words(outer);
        string[] b = Words(inner);
        return Relate(a, b, static (x, y) => x == SingleWord ? y != AnyWords : x == y, innerAnyIsFree: false);
    }

    /// <summary>Whether some name is matched by both patterns.</summary>
    public static bool Overlaps(string one, string other)
    {
        string[] a = Words(one);
        string[] b = Words(other);
        return Relate(a, b, static (x, y) => x == SingleWord || y == SingleWord || x == y, innerAnyIsFree: true);
    }

    /// <summary>
    /// Orders patterns that match the same name: the more specific one is greater. Word by word from the left, a
    /// literal beats <c>*</c>, which beats <c>#</c>; a name that ends beats one that goes on with <c>#</c>; then the
    /// ordinal order of the texts.
    /// </summary>
    public static int CompareSpecificity(string one, string other)
    {
        string[] a = Words(one);
        string[] b = Words(other);
        for (int i = 0; i < Math.Max(a.Length, b.Length); i++)
        {
            int order = Rank(a, i).CompareTo(Rank(b, i));
            if (order != 0)
            {
                return order;
            }
        }

        return string.CompareOrdinal(one, other);
    }

    /// <summary>
    /// The words of a pattern in the one form that all equal patterns share: <c>#.#</c> becomes <c>#</c>, <c>#.*</c>
    /// becomes <c>*.#</c>.
    /// </summary>
    internal static string[] Words(string pattern)
    {
        var words = new List<string>();
        bool any = false;
        foreach (string word in pattern.Split(Delimiter))
        {
            if (word == AnyWords)
            {
                any = true;
                continue;
            }

            if (any && word != SingleWord)
            {
                words.Add(AnyWords);
                any = false;
            }

            words.Add(word);
        }

        if (any)
        {
            words.Add(AnyWords);
        }

        return [.. words];
    }

    private static int Rank(string[] words, int at) =>
        at >= words.Length ? 1 : words[at] switch { AnyWords => 0, SingleWord => 2, _ => 3 };

    /// <summary>One word of the pattern later: which prefixes of the text can be matched now.</summary>
    private static void Advance(bool[] reached, string[] text, string word)
    {
        if (word == AnyWords)
        {
            int first = Array.IndexOf(reached, true);
            if (first >= 0)
            {
                reached.AsSpan(first).Fill(true);
            }

            return;
        }

        for (int i = text.Length; i > 0; i--)
        {
            reached[i] = reached[i - 1] && (word == SingleWord || word == text[i - 1]);
        }

        reached[0] = false;
    }

    /// <summary>The table of "the rest of a from i stands in the relation to the rest of b from j", filled from the
    /// ends.</summary>
    private static bool Relate(string[] a, string[] b, Func<string, string, bool> words, bool innerAnyIsFree)
    {
        bool[,] holds = new bool[a.Length + 1, b.Length + 1];
        for (int i = a.Length; i >= 0; i--)
        {
            for (int j = b.Length; j >= 0; j--)
            {
                bool outerAny = i < a.Length && a[i] == AnyWords;
                bool innerAny = innerAnyIsFree && j < b.Length && b[j] == AnyWords;
                holds[i, j] = (i == a.Length && j == b.Length)
                    || (outerAny && (holds[i + 1, j] || (j < b.Length && holds[i, j + 1])))
                    || (innerAny && (holds[i, j + 1] || (i < a.Length && holds[i + 1, j])))
                    || (!outerAny && !innerAny && i < a.Length && j < b.Length
                        && words(a[i], b[j]) && holds[i + 1, j + 1]);
            }
        }

        return holds[0, 0];
    }
}
