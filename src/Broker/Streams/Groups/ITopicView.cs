namespace Pillarbox.Broker.Streams.Groups;

/// <summary>A partition of a topic by names.</summary>
/// <param name="Topic">The topic's name.</param>
/// <param name="Partition">The partition, from 0.</param>
public readonly record struct TopicPartition(string Topic, int Partition);

/// <summary>What a coordinator must know of a topic.</summary>
/// <param name="Name">The topic's name.</param>
/// <param name="Id">The topic's id, which a topic of the same name made later does not have.</param>
/// <param name="PartitionCount">How many partitions it has.</param>
public sealed record TopicInfo(string Name, Guid Id, int PartitionCount);

/// <summary>The topics as they are now. Any thread.</summary>
public interface ITopicView
{
    /// <summary>Grows whenever a topic is made, removed or gets more partitions.</summary>
    long Version { get; }

    /// <summary>The topic of a name, or null.</summary>
    TopicInfo? Find(string name);

    /// <summary>The topic of an id, or null.</summary>
    TopicInfo? Find(Guid id);

    /// <summary>The names of all topics that users made (none of the internal ones).</summary>
    IEnumerable<string> Names { get; }
}
