namespace Pillarbox.Broker.Streams.Groups;

/// <summary>An offset to be committed.</summary>
/// <param name="Partition">For which partition.</param>
/// <param name="Offset">The next record to be read.</param>
/// <param name="LeaderEpoch">Of the last record read; -1 = not known.</param>
/// <param name="Metadata">The client's own words; null counts as empty.</param>
public readonly record struct OffsetToCommit(
    TopicPartition Partition, long Offset, int LeaderEpoch, string? Metadata);

/// <summary>Offsets of a group are to be kept.</summary>
public sealed record OffsetCommitRequest
{
    /// <summary>Who commits. Generation -1 and no member id: from outside of the group.</summary>
    public required GroupMemberRef Member { get; init; }

    public required IReadOnlyList<OffsetToCommit> Offsets { get; init; }

    /// <summary>How long to keep them (request versions 2 to 4); -1 = as configured.</summary>
    public long RetentionMs { get; init; } = -1;

    /// <summary>Whether the request's version knows the error for a group that does not exist (9 and later).</summary>
    public bool KnowsGroupIdNotFound { get; init; }

    /// <summary>The transaction whose commit makes the offsets valid; none = at once.</summary>
    public ProducerStamp Producer { get; init; } = ProducerStamp.None;
}

/// <summary>One error for all, or one for each offset in the order of the request.</summary>
public sealed record OffsetCommitResult : ICoordinatorResult<OffsetCommitResult>
{
    public CoordinatorError Error { get; init; }

    /// <summary>One for each offset of the request; empty when <see cref="Error"/> holds for all.</summary>
    public IReadOnlyList<CoordinatorError> Offsets { get; init; } = [];

    /// <inheritdoc/>
    public static OffsetCommitResult Of(CoordinatorError error) => new() { Error = error };
}

/// <summary>A committed offset.</summary>
/// <param name="Offset">The next record to be read; -1 = none is committed.</param>
/// <param name="LeaderEpoch">-1 = not known.</param>
/// <param name="Metadata">The client's own words.</param>
/// <param name="CommittedMs">When, in milliseconds since the Unix epoch.</param>
/// <param name="ExpiresMs">When it is forgotten; -1 = as configured.</param>
public readonly record struct CommittedOffset(
    long Offset, int LeaderEpoch, string Metadata, long CommittedMs, long ExpiresMs)
{
    /// <summary>Nothing is committed.</summary>
    public static readonly CommittedOffset None = new(-1, -1, "", -1, -1);
}

/// <summary>What is committed?</summary>
public sealed record OffsetFetchRequest
{
    /// <summary>The group, and who asks (generation = member epoch; -1 and no member id: anybody).</summary>
    public required GroupMemberRef Member { get; init; }

    /// <summary>Null: all that the group has.</summary>
    public IReadOnlyList<TopicPartition>? Partitions { get; init; }

    /// <summary>Whether an offset that an open transaction is about to change is an error.</summary>
    public bool RequireStable { get; init; }
}

/// <summary>One fetched offset.</summary>
public readonly record struct FetchedOffset(
    TopicPartition Partition, CommittedOffset Committed, CoordinatorError Error);

/// <summary>What is committed.</summary>
public sealed record OffsetFetchResult : ICoordinatorResult<OffsetFetchResult>
{
    public CoordinatorError Error { get; init; }

    /// <summary>In the order of the request, or by topic and partition when all were asked for.</summary>
    public IReadOnlyList<FetchedOffset> Offsets { get; init; } = [];

    /// <inheritdoc/>
    public static OffsetFetchResult Of(CoordinatorError error) => new() { Error = error };
}
