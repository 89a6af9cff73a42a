namespace Pillarbox.Broker.Addresses;

/// <summary>Whether a pattern of words ('#' = any words, '*' = one word) takes an address.</summary>
internal static class WildcardMatch
{
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> address)
    {
        while (true)
        {
            if (pattern.IsEmpty)
            {
                return address.IsEmpty;
            }

            ReadOnlySpan<char> word = Head(pattern, out ReadOnlySpan<char> rest);
            if (word is "#")
            {
                return rest.IsEmpty || MatchesAnywhere(rest, address);
            }

            if (address.IsEmpty)
            {
                return false;
            }

            ReadOnlySpan<char> given = Head(address, out ReadOnlySpan<char> others);
            if (word is not "*" && !word.SequenceEqual(given))
            {
                return false;
            }

            pattern = rest;
            address = others;
        }
    }

    private static bool MatchesAnywhere(ReadOnlySpan<char> pattern, ReadOnlySpan<char> address)
    {
        while (true)
        {
            if (Matches(pattern, address))
            {
                return true;
            }

            if (address.IsEmpty)
            {
                return false;
            }

            Head(address, out address);
        }
    }

    private static ReadOnlySpan<char> Head(ReadOnlySpan<char> words, out ReadOnlySpan<char> rest)
    {
        int dot = words.IndexOf('.');
        rest = dot < 0 ? default : words[(dot + 1)..];
        return dot < 0 ? words : words[..dot];
    }
}
