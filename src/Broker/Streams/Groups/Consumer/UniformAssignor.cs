namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>Gives every member as many partitions as the others, and moves as few as that allows. Pure.</summary>
internal static class UniformAssignor
{
    private const int RoundsMax = 16;

    public static Dictionary<string, HashSet<TopicIdPartition>> Assign(
        AssignedMember[] members, IReadOnlyDictionary<Guid, int> topics)
    {
        var target = members.ToDictionary(m => m.Id, _ => new HashSet<TopicIdPartition>());
        bool allAlike = members.Length == 0 || members.All(m => m.Topics.SetEquals(members[0].Topics));
        if (allAlike)
        {
            AssignAlike(members, topics, target);
        }
        else
        {
            AssignMixed(members, topics, target);
        }

        return target;
    }

    // Everybody reads the same: each keeps what it has up to its share, the rest goes round.
    private static void AssignAlike(
        AssignedMember[] members, IReadOnlyDictionary<Guid, int> topics,
        Dictionary<string, HashSet<TopicIdPartition>> target)
    {
        List<TopicIdPartition> all = PartitionsOf(topics, members.Length == 0 ? null : members[0].Topics);
        if (members.Length == 0)
        {
            return;
        }

        HashSet<TopicIdPartition> free = [.. all];
        int share = all.Count / members.Length;
        int larger = all.Count % members.Length;
        // Who has most keeps the places for one more: moving them would be for nothing.
        foreach (AssignedMember member in members.OrderByDescending(m => m.Has.Count))
        {
            int allowed = share + (larger > 0 && member.Has.Count > share ? 1 : 0);
            Keep(member, allowed, free, target[member.Id]);
            larger -= target[member.Id].Count > share ? 1 : 0;
        }

        Queue<TopicIdPartition> rest = new(all.Where(free.Contains));
        foreach (AssignedMember member in members)
        {
            HashSet<TopicIdPartition> mine = target[member.Id];
            bool takesOneMore = mine.Count <= share && larger > 0;
            larger -= takesOneMore ? 1 : 0;
            for (int wanted = share + (takesOneMore ? 1 : 0); mine.Count < wanted && rest.Count > 0;)
            {
                mine.Add(rest.Dequeue());
            }
        }
    }

    private static void Keep(
        AssignedMember member, int allowed, HashSet<TopicIdPartition> free, HashSet<TopicIdPartition> mine)
    {
        foreach (TopicIdPartition partition in InOrder(member.Has))
        {
            if (mine.Count >= allowed)
            {
                return;
            }

            if (free.Remove(partition))
            {
                mine.Add(partition);
            }
        }
    }

    // Subscriptions differ: everything stays where it may, the rest goes to whoever has least, then the most laden
    // give to the least laden as long as that evens out.
    private static void AssignMixed(
        AssignedMember[] members, IReadOnlyDictionary<Guid, int> topics,
        Dictionary<string, HashSet<TopicIdPartition>> target)
    {
        Dictionary<TopicIdPartition, string> owners = [];
        foreach (AssignedMember member in members)
        {
            foreach (TopicIdPartition partition in InOrder(member.Has))
            {
                bool stays = member.Topics.Contains(partition.TopicId)
                    && partition.Partition < topics.GetValueOrDefault(partition.TopicId)
                    && owners.TryAdd(partition, member.Id);
                if (stays)
                {
                    target[member.Id].Add(partition);
                }
            }
        }

        var readers = topics.Keys.ToDictionary(t => t, t => members.Where(m => m.Topics.Contains(t)).ToArray());
        List<TopicIdPartition> all = [.. PartitionsOf(topics, null).OrderBy(p => readers[p.TopicId].Length)];
        foreach (TopicIdPartition partition in all)
        {
            if (!owners.ContainsKey(partition) && Least(readers[partition.TopicId], target) is { } least)
            {
                owners[partition] = least;
                target[least].Add(partition);
            }
        }

        for (int round = 0; round < RoundsMax && EvenOut(all, readers, owners, target); round++)
        {
        }
    }

    private static bool EvenOut(
        List<TopicIdPartition> all, Dictionary<Guid, AssignedMember[]> readers,
        Dictionary<TopicIdPartition, string> owners, Dictionary<string, HashSet<TopicIdPartition>> target)
    {
        bool moved = false;
        foreach (TopicIdPartition partition in all)
        {
            if (!owners.TryGetValue(partition, out string? owner))
            {
                continue;
            }

            string least = Least(readers[partition.TopicId], target)!;
            if (target[least].Count + 1 < target[owner].Count)
            {
                target[owner].Remove(partition);
                target[least].Add(partition);
                owners[partition] = least;
                moved = true;
            }
        }

        return moved;
    }

    private static string? Least(AssignedMember[] readers, Dictionary<string, HashSet<TopicIdPartition>> target)
    {
        string? least = null;
        foreach (AssignedMember reader in readers)
        {
            if (least is null || target[reader.Id].Count < target[least].Count)
            {
                least = reader.Id;
            }
        }

        return least;
    }

    private static List<TopicIdPartition> PartitionsOf(IReadOnlyDictionary<Guid, int> topics, IReadOnlySet<Guid>? only)
    {
        List<TopicIdPartition> partitions = [];
        foreach ((Guid topic, int count) in topics.OrderBy(t => t.Key))
        {
            for (int i = 0; i < count && only?.Contains(topic) != false; i++)
            {
                partitions.Add(new TopicIdPartition(topic, i));
            }
        }

        return partitions;
    }

    private static IEnumerable<TopicIdPartition> InOrder(IReadOnlySet<TopicIdPartition> partitions) =>
        partitions.OrderBy(p => p.TopicId).ThenBy(p => p.Partition);
}
