namespace Pillarbox.Broker.Streams.Groups;

/// <summary>A partition by its topic's id.</summary>
/// <param name="TopicId">The topic.</param>
/// <param name="Partition">The partition, from 0.</param>
public readonly record struct TopicIdPartition(Guid TopicId, int Partition);

/// <summary>A member of a group of the <c>consumer</c> protocol tells that it lives, and what is new. Null fields have
/// not changed since the last one.</summary>
public sealed record ConsumerHeartbeatRequest
{
    public required string GroupId { get; init; }

    /// <summary>Empty with epoch 0: the coordinator makes one.</summary>
    public required string MemberId { get; init; }

    /// <summary>0 = joins, -1 = leaves, -2 = a static member leaves for a while, else what the last answer
    /// said.</summary>
    public int MemberEpoch { get; init; }

    /// <summary>The name of a static member, or null.</summary>
    public string? InstanceId { get; init; }

    public string? RackId { get; init; }

    /// <summary>How long the member may take to give partitions up; -1 = as before.</summary>
    public int RebalanceTimeoutMs { get; init; } = -1;

    public IReadOnlyList<string>? SubscribedTopics { get; init; }

    /// <summary>A regular expression over topic names; empty = none any more.</summary>
    public string? SubscribedRegex { get; init; }

    /// <summary><c>uniform</c> or <c>range</c>.</summary>
    public string? ServerAssignor { get; init; }

    /// <summary>What the member has at present.</summary>
    public IReadOnlyCollection<TopicIdPartition>? Owned { get; init; }

    public GroupClient Client { get; init; }

    /// <summary>Which topics the member's user may know of: a regular expression finds no others.</summary>
    public ITopicAccess Access { get; init; } = EveryTopic.Instance;
}

/// <summary>What a member is to know now.</summary>
public sealed record ConsumerHeartbeatResult : ICoordinatorResult<ConsumerHeartbeatResult>
{
    public CoordinatorError Error { get; init; }

    /// <summary>A sentence for the user, with an error; or null.</summary>
    public string? Message { get; init; }

    public string MemberId { get; init; } = "";

    public int MemberEpoch { get; init; }

    public int HeartbeatIntervalMs { get; init; }

    /// <summary>All that the member is to have; null = as before.</summary>
    public IReadOnlyCollection<TopicIdPartition>? Assignment { get; init; }

    /// <inheritdoc/>
    public static ConsumerHeartbeatResult Of(CoordinatorError error) => new() { Error = error };
}

/// <summary>A member of a group of the <c>consumer</c> protocol. Immutable.</summary>
public sealed record ConsumerMemberView
{
    public required string MemberId { get; init; }

    public string? InstanceId { get; init; }

    public string? RackId { get; init; }

    public int MemberEpoch { get; init; }

    public GroupClient Client { get; init; }

    public IReadOnlyList<string> SubscribedTopics { get; init; } = [];

    public string? SubscribedRegex { get; init; }

    public IReadOnlyCollection<TopicIdPartition> Assignment { get; init; } = [];

    public IReadOnlyCollection<TopicIdPartition> Target { get; init; } = [];

    /// <summary>Whether it speaks the classic protocol.</summary>
    public bool IsClassic { get; init; }
}

/// <summary>A group of the <c>consumer</c> protocol, or of the <c>share</c> protocol. Immutable.</summary>
public sealed record ConsumerGroupView : ICoordinatorResult<ConsumerGroupView>
{
    /// <summary><see cref="CoordinatorError.GroupIdNotFound"/> also when the group speaks another protocol.</summary>
    public CoordinatorError Error { get; init; }

    public string GroupId { get; init; } = "";

    public string State { get; init; } = "Dead";

    public int Epoch { get; init; }

    public int AssignmentEpoch { get; init; }

    public string Assignor { get; init; } = "";

    public IReadOnlyList<ConsumerMemberView> Members { get; init; } = [];

    /// <inheritdoc/>
    public static ConsumerGroupView Of(CoordinatorError error) => new() { Error = error };
}
