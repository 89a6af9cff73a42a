namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>Which topics the members of a group read, also by regular expressions. One owner: the loop.</summary>
internal sealed class Subscriptions(ITopicView topics, GroupOptions options, TimeProvider time)
{
    private const ulong HashPrime = 0x100000001b3;
    private const ulong HashBasis = 0xcbf29ce484222325;

    private readonly TopicPatterns _patterns = new(topics, time);

    /// <summary>The members of all groups: what they use is kept.</summary>
    public Func<IEnumerable<ConsumerMember>> Members { get; set; } = () => [];

    /// <summary>Null when a pattern is one that can be used; else a sentence for the user.</summary>
    public string? Check(string pattern)
    {
        if (pattern.Length > options.RegexCharsMax)
        {
            return $"the regular expression has {pattern.Length} characters, at most {options.RegexCharsMax} may be";
        }

        if (_patterns.Has(pattern))
        {
            return null;
        }

        if (_patterns.Count >= options.RegexesMax)
        {
            Keep();
        }

        return _patterns.Count >= options.RegexesMax
            ? $"groups use {_patterns.Count} different regular expressions, and no more may be"
            : _patterns.Add(pattern);
    }

    /// <summary>
    /// What a member reads and is there. An expression finds what the member's user may know of; who he is is not on
    /// disk, so that until the member's first heartbeat after a start it finds what the member is to have anyway.
    /// </summary>
    public List<TopicInfo> TopicsOf(ConsumerGroup group, ConsumerMember member)
    {
        HashSet<string> names = [.. member.Topics];
        if (member.Regex is { } pattern && member.Access is { } access)
        {
            if (_patterns.ViewCount >= 2 * options.RegexesMax)
            {
                Keep();
            }

            names.UnionWith(_patterns.Find(pattern, access));
        }

        List<TopicInfo> found = [];
        foreach (string name in names)
        {
            if (topics.Find(name) is { } topic)
            {
                found.Add(topic);
            }
        }

        if (member is { Regex: not null, Access: null })
        {
            found.AddRange(group.TargetOf(member).Select(p => p.TopicId).Distinct()
                .Select(topics.Find).OfType<TopicInfo>().Where(topic => !names.Contains(topic.Name)));
        }

        return found;
    }

    /// <summary>A number that changes when a topic that somebody reads is made, removed or gets partitions, and when an
    /// expression finds other topics for its member. The same after a start.</summary>
    public long HashOf(ConsumerGroup group)
    {
        Dictionary<string, TopicInfo> all = [];
        ulong found = 0;
        foreach (ConsumerMember member in group.Members)
        {
            List<TopicInfo> own = TopicsOf(group, member);
            foreach (TopicInfo topic in own)
            {
                all[topic.Name] = topic;
            }

            // A sum, for members have no order.
            found += member.Regex is null ? 0 : HashOf(member.Id, HashOf(own));
        }

        return (long)(HashOf(all.Values) + found);
    }

    /// <summary>Forgets expressions that no member uses.</summary>
    public void Keep() => _patterns.Keep(Members());

    private static ulong HashOf(string text, ulong hash)
    {
        foreach (char each in text)
        {
            hash = (hash ^ each) * HashPrime;
        }

        return hash;
    }

    private static ulong HashOf(IEnumerable<TopicInfo> topics)
    {
        ulong hash = HashBasis;
        Span<byte> id = stackalloc byte[16];
        foreach (TopicInfo topic in topics.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            topic.Id.TryWriteBytes(id);
            foreach (byte each in id)
            {
                hash = (hash ^ each) * HashPrime;
            }

            hash = (hash ^ (uint)topic.PartitionCount) * HashPrime;
        }

        return hash;
    }
}
