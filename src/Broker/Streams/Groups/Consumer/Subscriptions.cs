using System.Text.RegularExpressions;

namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>Which topics the members of a group read, also by regular expressions. One owner: the loop.</summary>
internal sealed class Subscriptions(ITopicView topics, GroupOptions options, TimeProvider time)
{
    // For one name, and for all of them.
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromMilliseconds(100);
    private readonly Dictionary<string, Resolved> _regexes = [];

    /// <summary>Null when a pattern is one that can be used; else a sentence for the user.</summary>
    /// <param name="pattern">The expression.</param>
    /// <param name="used">The expressions of all members; asked for when too many are kept.</param>
    public string? Check(string pattern, Func<IReadOnlySet<string>> used)
    {
        if (pattern.Length > options.RegexCharsMax)
        {
            return $"the regular expression has {pattern.Length} characters, at most {options.RegexCharsMax} may be";
        }

        if (_regexes.ContainsKey(pattern))
        {
            return null;
        }

        if (_regexes.Count >= options.RegexesMax)
        {
            Keep(used());
        }

        if (_regexes.Count >= options.RegexesMax)
        {
            return $"groups use {_regexes.Count} different regular expressions, and no more may be";
        }

        try
        {
            // By itself first: a bracket too many must not end the one around it.
            _ = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, MatchTimeout);
            return Match(Compile(pattern)) is null ? "the regular expression takes too long" : null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return $"the regular expression cannot be used: {e.Message}";
        }
    }

    /// <summary>What a member reads and is there.</summary>
    public List<TopicInfo> TopicsOf(ConsumerMember member)
    {
        List<TopicInfo> found = [];
        HashSet<string> names = [.. member.Topics];
        if (!string.IsNullOrEmpty(member.Regex))
        {
            names.UnionWith(Resolve(member.Regex));
        }

        foreach (string name in names)
        {
            if (topics.Find(name) is { } topic)
            {
                found.Add(topic);
            }
        }

        return found;
    }

    /// <summary>A number that changes when a topic that somebody reads is made, removed or gets partitions.</summary>
    public long HashOf(ConsumerGroup group)
    {
        Dictionary<string, TopicInfo> all = [];
        foreach (ConsumerMember member in group.Members)
        {
            foreach (TopicInfo topic in TopicsOf(member))
            {
                all[topic.Name] = topic;
            }
        }

        return HashOf(all.Values);
    }

    /// <summary>Forgets expressions that no group uses.</summary>
    public void Keep(IReadOnlySet<string> used)
    {
        foreach (string pattern in _regexes.Keys.Where(p => !used.Contains(p)).ToArray())
        {
            _regexes.Remove(pattern);
        }
    }

    private static long HashOf(IEnumerable<TopicInfo> topics)
    {
        const ulong Prime = 0x100000001b3;
        ulong hash = 0xcbf29ce484222325;
        Span<byte> id = stackalloc byte[16];
        foreach (TopicInfo topic in topics.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            topic.Id.TryWriteBytes(id);
            foreach (byte each in id)
            {
                hash = (hash ^ each) * Prime;
            }

            hash = (hash ^ (uint)topic.PartitionCount) * Prime;
        }

        return (long)hash;
    }

    private HashSet<string> Resolve(string pattern)
    {
        if (_regexes.TryGetValue(pattern, out Resolved? resolved) && resolved.Version == topics.Version)
        {
            return resolved.Names;
        }

        // A version is read first: what is made meanwhile is found with the next one.
        long version = topics.Version;
        Regex regex = resolved?.Regex ?? Compile(pattern);
        HashSet<string> names = Match(regex) ?? [];
        _regexes[pattern] = new Resolved(regex, names, version);
        return names;
    }

    // Null when it takes too long.
    private HashSet<string>? Match(Regex compiled)
    {
        HashSet<string> names = [];
        long begunAt = time.GetTimestamp();
        try
        {
            foreach (string name in topics.Names)
            {
                if (compiled.IsMatch(name))
                {
                    names.Add(name);
                }

                if (time.GetElapsedTime(begunAt) > MatchTimeout)
                {
                    return null;
                }
            }
        }
        catch (RegexMatchTimeoutException)
        {
            return null;
        }

        return names;
    }

    // Without backtracking the time is linear in the name, whatever the expression.
    private static Regex Compile(string pattern) => new(
        $@"\A(?:{pattern})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, MatchTimeout);

    private sealed record Resolved(Regex Regex, HashSet<string> Names, long Version);
}
