using Pillarbox.Broker.Streams.Groups.Classic;
using Pillarbox.Broker.Streams.Groups.Consumer;
using Pillarbox.Broker.Streams.Groups.Offsets;
using Pillarbox.Broker.Streams.Groups.Share;

namespace Pillarbox.Broker.Streams.Groups;

/// <summary>All that the coordinator knows under one group id. One owner: the loop.</summary>
internal sealed class Group(string id, int partition, OffsetMemory offsets)
{
    public string Id { get; } = id;

    /// <summary>The partition of the coordinator's stream that keeps the group.</summary>
    public int Partition { get; } = partition;

    /// <summary>The last write that says something of the group; answers wait for it.</summary>
    public long LastWrite { get; set; }

    public GroupType Type => Consumer is not null ? GroupType.Consumer
        : Share is not null ? GroupType.Share
        : GroupType.Classic;

    /// <summary>What it takes of memory: its name and what its members brought along.</summary>
    public long MemberBytes => MemberWeight.Of(Id) + Classic.Weight.Bytes + (Consumer?.Weight.Bytes ?? 0)
        + (Share?.Weight.Bytes ?? 0);

    /// <summary>As much of that as the coordinator's sum has.</summary>
    public long CountedBytes { get; set; }

    /// <summary>Members of the classic protocol; also what a group of offsets alone is.</summary>
    public ClassicGroup Classic { get; set; } = new();

    /// <summary>Members of the <c>consumer</c> protocol; null when the group speaks another one.</summary>
    public ConsumerGroup? Consumer { get; set; }

    /// <summary>Members of the <c>share</c> protocol; null when the group speaks another one.</summary>
    public ShareGroup? Share { get; set; }

    /// <summary>Whether nobody is in it and nothing is known of it: it may become whatever comes first.</summary>
    public bool IsBlank => Consumer is null && Share is null && Classic.Members.Count == 0
        && Classic.Generation == 0 && Classic.PendingCount == 0 && Offsets.IsEmpty && !Offsets.HasPending;

    public GroupOffsets Offsets { get; } = new(offsets);
}
