using Pillarbox.Broker.Streams.Groups.Classic;
using Pillarbox.Broker.Streams.Groups.Offsets;

namespace Pillarbox.Broker.Streams.Groups;

/// <summary>All that the coordinator knows under one group id. One owner: the loop.</summary>
internal sealed class Group(string id, int partition)
{
    public string Id { get; } = id;

    /// <summary>The partition of the coordinator's stream that keeps the group.</summary>
    public int Partition { get; } = partition;

    /// <summary>The last write that says something of the group; answers wait for it.</summary>
    public long LastWrite { get; set; }

    public GroupType Type { get; set; }

    /// <summary>Members of the classic protocol; also what a group of offsets alone is.</summary>
    public ClassicGroup Classic { get; set; } = new();

    public GroupOffsets Offsets { get; } = new();
}
