namespace Pillarbox.Broker.Streams.Groups;

/// <summary>What a member did with a record. Numbers are those of the field.</summary>
public enum ShareAcknowledgement : byte
{
    /// <summary>There is no such record.</summary>
    Gap = 0,

    /// <summary>Done.</summary>
    Accept = 1,

    /// <summary>Back, for anybody.</summary>
    Release = 2,

    /// <summary>Nobody can do it: never again.</summary>
    Reject = 3,

    /// <summary>Still at it: the lock begins anew.</summary>
    Renew = 4,
}

/// <summary>One partition as one share group sees it.</summary>
public readonly record struct SharePartitionKey(string GroupId, TopicIdPartition Partition);

/// <summary>Records that a member has now, one run with the same number of deliveries.</summary>
/// <param name="First">First offset.</param>
/// <param name="Last">Last offset.</param>
/// <param name="DeliveryCount">How often they were given out, this time included.</param>
public readonly record struct AcquiredRange(long First, long Last, short DeliveryCount);

/// <summary>Records from a fetch that a member shall have.</summary>
public sealed record ShareAcquireRequest
{
    public required SharePartitionKey Key { get; init; }

    public required string MemberId { get; init; }

    /// <summary>The first offset that was read.</summary>
    public long First { get; init; }

    /// <summary>The last offset that was read.</summary>
    public long Last { get; init; }

    public int RecordsMax { get; init; } = int.MaxValue;

    /// <summary>Runs of those that belong to aborted transactions, in order: nobody gets them. Only for groups that
    /// read what is committed.</summary>
    public IReadOnlyList<(long First, long Last)> Aborted { get; init; } = [];
}

/// <summary>What a member has got.</summary>
public sealed record ShareAcquireResult : ICoordinatorResult<ShareAcquireResult>
{
    public CoordinatorError Error { get; init; }

    /// <summary>Only these of the records that were read; may be none.</summary>
    public IReadOnlyList<AcquiredRange> Ranges { get; init; } = [];

    public int LockMs { get; init; }

    /// <inheritdoc/>
    public static ShareAcquireResult Of(CoordinatorError error) => new() { Error = error };
}

/// <summary>What a member did with a run of records.</summary>
/// <param name="First">First offset.</param>
/// <param name="Last">Last offset.</param>
/// <param name="Types">One for all of them, or one for each.</param>
public readonly record struct ShareAcknowledgeRange(long First, long Last, IReadOnlyList<ShareAcknowledgement> Types);

/// <summary>Where a share group stands in a partition.</summary>
/// <param name="Error">Whether there is anything to say.</param>
/// <param name="StartOffset">Everything below is done with; -1 = the group has not read here.</param>
/// <param name="NextOffset">Where to read on for the next acquisition.</param>
/// <param name="InFlight">Records from the start on that are not done with, as far as they were given out.</param>
public readonly record struct SharePosition(
    CoordinatorError Error, long StartOffset, long NextOffset, int InFlight) : ICoordinatorResult<SharePosition>
{
    /// <summary>Whose records the group gets.</summary>
    public Isolation Isolation { get; init; }

    /// <summary>The group has not begun: it does so at the first record that is not older, in milliseconds since the
    /// Unix epoch. Who opens it finds that and opens it again. Null: it has begun.</summary>
    public long? BeginAtMs { get; init; }

    /// <inheritdoc/>
    public static SharePosition Of(CoordinatorError error) => new(error, -1, -1, 0);
}

/// <summary>The limits that count for a share group.</summary>
/// <param name="Error">Whether there is anything to say.</param>
/// <param name="LockMs">How long a member has a record.</param>
public sealed record ShareLimits(CoordinatorError Error, int LockMs) : ICoordinatorResult<ShareLimits>
{
    /// <inheritdoc/>
    public static ShareLimits Of(CoordinatorError error) => new(error, 0);
}

/// <summary>Records that nobody could do, for a dead-letter stream.</summary>
/// <param name="Key">Where.</param>
/// <param name="Offset">Which.</param>
/// <param name="DeliveryCount">How often they were tried.</param>
/// <param name="IsRejected">Whether a member said so; else the tries were used up.</param>
public readonly record struct ShareDeadLetter(
    SharePartitionKey Key, long Offset, short DeliveryCount, bool IsRejected);

/// <summary>Limits and defaults of share groups. Immutable.</summary>
public sealed record ShareOptions
{
    /// <summary>How long a member has a record before others may have it.</summary>
    public int LockMs { get; init; } = 30_000;

    /// <summary>How often a record is given out at most.</summary>
    public int DeliveryCountMax { get; init; } = 5;

    /// <summary>Whether a member may begin the lock of a record anew.</summary>
    public bool MayRenew { get; init; } = true;

    /// <summary>Records of a partition between the start and the last one given out.</summary>
    public int InFlightMax { get; init; } = 2_000;

    /// <summary>Partitions that all share groups of one coordinator read, each counted for each group.</summary>
    public int PartitionsMax { get; init; } = 100_000;

    /// <summary>How long to wait before a state that was refused is written again.</summary>
    public int RetryMs { get; init; } = 500;
}
