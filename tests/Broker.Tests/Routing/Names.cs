using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Routing;

/// <summary>Random names and patterns of few words, and matching as the definition says it.</summary>
internal static class Names
{
    private static readonly string[] Words = ["a", "b", ""];
    private static readonly string[] PatternWords = ["a", "b", "", "*", "#", "#"];

    public static string RandomName(IRandom random, int wordsMax) => Random(random, wordsMax, Words);

    public static string RandomPattern(IRandom random, int wordsMax) => Random(random, wordsMax, PatternWords);

    /// <summary>Every name over a, b and c with up to the given number of words.</summary>
    public static IEnumerable<string> All(int wordsMax)
    {
        string[] last = ["a", "b", ""];
        for (int words = 1; words <= wordsMax; words++)
        {
            foreach (string name in last)
            {
                yield return name;
            }

            last = [.. last.SelectMany(name => new[] { name + ".a", name + ".b", name + "." })];
        }
    }

    public static bool Matches(string pattern, string name) => Matches(pattern.Split('.'), name.Split('.'));

    private static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> name)
    {
        if (pattern.IsEmpty)
        {
            return name.IsEmpty;
        }

        if (pattern[0] == "#")
        {
            return Matches(pattern[1..], name) || (!name.IsEmpty && Matches(pattern, name[1..]));
        }

        return !name.IsEmpty && (pattern[0] == "*" || pattern[0] == name[0]) && Matches(pattern[1..], name[1..]);
    }

    private static string Random(IRandom random, int wordsMax, string[] words) =>
        string.Join('.', Enumerable.Range(0, 1 + random.Next(wordsMax)).Select(_ => words[random.Next(words.Length)]));
}
