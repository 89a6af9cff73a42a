namespace Pillarbox.Broker.Streams.Groups;

/// <summary>Limits and defaults of groups. Immutable.</summary>
public sealed record GroupOptions
{
    /// <summary>Shortest session time-out that a classic member may ask for.</summary>
    public int SessionTimeoutMsMin { get; init; } = 6_000;

    /// <summary>Longest session time-out that a classic member may ask for.</summary>
    public int SessionTimeoutMsMax { get; init; } = 1_800_000;

    /// <summary>How long a new classic group waits for more members before its first assignment.</summary>
    public int InitialRebalanceDelayMs { get; init; } = 3_000;

    /// <summary>How long a member that never joined before may wait for its first assignment.</summary>
    public int NewMemberJoinTimeoutMs { get; init; } = 300_000;

    /// <summary>Members of one group.</summary>
    public int MembersMax { get; init; } = 10_000;

    /// <summary>Groups of one coordinator.</summary>
    public int GroupsMax { get; init; } = 100_000;

    /// <summary>Bytes of one member's metadata or assignment, or of the names of the topics that it reads.</summary>
    public int MemberBytesMax { get; init; } = 1 << 20;

    /// <summary>Bytes that all members of one group together may make the node keep: names, metadata, assignments,
    /// subscriptions. A group of the classic protocol is one record of about that size.</summary>
    public int GroupBytesMax { get; init; } = 16 << 20;

    /// <summary>Bytes that the members of all groups of one coordinator together may make the node keep.</summary>
    public long MembersBytesMax { get; init; } = 256 << 20;

    /// <summary>Topics that one member names.</summary>
    public int MemberTopicsMax { get; init; } = 10_000;

    /// <summary>UTF-8 bytes of a committed offset's metadata.</summary>
    public int OffsetMetadataBytesMax { get; init; } = 4096;

    /// <summary>Bytes of memory that the committed offsets of all groups of one coordinator may take, with their
    /// metadata and with those of open transactions. About a million offsets without metadata.</summary>
    public long OffsetsBytesMax { get; init; } = 128 << 20;

    /// <summary>How long offsets stay after their group became empty, in milliseconds. Default 7 days.</summary>
    public long OffsetRetentionMs { get; init; } = 7L * 24 * 3600 * 1000;

    /// <summary>How often expired offsets are looked for.</summary>
    public int OffsetSweepMs { get; init; } = 600_000;

    /// <summary>Session time-out of members of the <c>consumer</c> protocol.</summary>
    public int ConsumerSessionTimeoutMs { get; init; } = 45_000;

    /// <summary>Time between heartbeats of a member that has what it should have. A second, not the field's usual five:
    /// a member learns of a rebalance by its next heartbeat, and a heartbeat costs next to nothing here.</summary>
    public int HeartbeatIntervalMs { get; init; } = 1_000;

    /// <summary>Time between heartbeats of a member that waits for partitions of others.</summary>
    public int WaitingHeartbeatIntervalMs { get; init; } = 200;

    /// <summary>At least so long between two assignments of one group.</summary>
    public int AssignmentIntervalMs { get; init; } = 250;

    /// <summary>Characters of a regular expression of a subscription.</summary>
    public int RegexCharsMax { get; init; } = 1024;

    /// <summary>Different regular expressions in the subscriptions of one coordinator's groups: each is kept
    /// compiled.</summary>
    public int RegexesMax { get; init; } = 1_000;

    /// <summary>Groups of one coordinator that have settings of their own.</summary>
    public int ConfigsMax { get; init; } = 10_000;

    /// <summary>Members of one share group.</summary>
    public int ShareMembersMax { get; init; } = 200;
}
