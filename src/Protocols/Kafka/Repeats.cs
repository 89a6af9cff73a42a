namespace Pillarbox.Protocols.Kafka;

/// <summary>What a request names more than once is answered once: a small request could otherwise ask for an answer of
/// any size, or for work without end. Pure.</summary>
internal static class Repeats
{
    /// <summary>Each of them once, in the order of the request.</summary>
    public static T[] Once<T>(this T[] named) => named.Length < 2 ? named : [.. named.Distinct()];

    /// <summary>The first one of each key.</summary>
    public static T[] OnceBy<T, TKey>(this T[] named, Func<T, TKey> key) =>
        named.Length < 2 ? named : [.. named.DistinctBy(key)];

    /// <summary>The keys that more than one has.</summary>
    public static HashSet<TKey> Twice<T, TKey>(this T[] named, Func<T, TKey> key)
    {
        HashSet<TKey> seen = [];
        return [.. named.Select(key).Where(one => !seen.Add(one))];
    }
}
