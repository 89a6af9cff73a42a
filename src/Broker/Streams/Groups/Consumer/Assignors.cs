namespace Pillarbox.Broker.Streams.Groups.Consumer;

/// <summary>A member as an assignor sees it.</summary>
/// <param name="Id">The member.</param>
/// <param name="Order">What members are put in order by: static members keep their place when they come back.</param>
/// <param name="Topics">What it reads.</param>
/// <param name="Has">What it was to have before.</param>
internal sealed record AssignedMember(
    string Id, string Order, IReadOnlySet<Guid> Topics, IReadOnlySet<TopicIdPartition> Has);

/// <summary>Decides which member gets which partition. Pure.</summary>
internal static class Assignors
{
    public const string Uniform = "uniform";
    public const string Range = "range";

    public static readonly string[] All = [Uniform, Range];

    /// <param name="name">One of <see cref="All"/>.</param>
    /// <param name="members">Everybody.</param>
    /// <param name="topics">Partition counts of all topics that anybody reads.</param>
    public static Dictionary<string, HashSet<TopicIdPartition>> Assign(
        string name, IReadOnlyCollection<AssignedMember> members, IReadOnlyDictionary<Guid, int> topics)
    {
        AssignedMember[] ordered = [.. members.OrderBy(m => m.Order, StringComparer.Ordinal)];
        return name == Range ? AssignRanges(ordered, topics) : UniformAssignor.Assign(ordered, topics);
    }

    /// <summary>Of each topic every subscriber gets a run of partitions, the first ones one more when it does not come
    /// out even.</summary>
    private static Dictionary<string, HashSet<TopicIdPartition>> AssignRanges(
        AssignedMember[] members, IReadOnlyDictionary<Guid, int> topics)
    {
        var target = members.ToDictionary(m => m.Id, _ => new HashSet<TopicIdPartition>());
        foreach ((Guid topic, int partitions) in topics)
        {
            AssignedMember[] readers = [.. members.Where(m => m.Topics.Contains(topic))];
            int next = 0;
            for (int i = 0; i < readers.Length; i++)
            {
                int share = (partitions / readers.Length) + (i < partitions % readers.Length ? 1 : 0);
                for (int end = next + share; next < end; next++)
                {
                    target[readers[i].Id].Add(new TopicIdPartition(topic, next));
                }
            }
        }

        return target;
    }
}
