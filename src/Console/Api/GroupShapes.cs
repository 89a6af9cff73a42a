namespace Pillarbox.ConsoleApi;

/// <summary>A group that reads streams, as the API shows it.</summary>
public sealed record GroupResource
{
    public required string Name { get; init; }

    /// <summary>classic, consumer or share.</summary>
    public required string Type { get; init; }

    /// <summary>In the field's words: Stable, Empty, ...</summary>
    public required string State { get; init; }

    public int MemberCount { get; init; }

    /// <summary>Records between what is committed and the ends of the partitions.</summary>
    public long Lag { get; init; }

    /// <summary>Null in lists.</summary>
    public IReadOnlyList<GroupMemberResource>? Members { get; init; }

    /// <summary>What is committed; null in lists.</summary>
    public IReadOnlyList<GroupOffsetResource>? Offsets { get; init; }

    /// <summary>Settings that the group is given, by name.</summary>
    public IReadOnlyDictionary<string, string> Config { get; init; } = new Dictionary<string, string>();
}

/// <summary>What is to be another way with a group.</summary>
public sealed record GroupChange
{
    /// <summary>New values of settings by name.</summary>
    public IReadOnlyDictionary<string, string>? Set { get; init; }

    /// <summary>Settings that get their defaults.</summary>
    public IReadOnlyList<string>? Reset { get; init; }
}

/// <summary>A member of a group.</summary>
public sealed record GroupMemberResource
{
    public required string MemberId { get; init; }

    public string? InstanceId { get; init; }

    public required string ClientId { get; init; }

    public required string Host { get; init; }

    public IReadOnlyList<GroupPartition> Assigned { get; init; } = [];
}

/// <summary>A partition of a stream.</summary>
public sealed record GroupPartition(string Stream, int Partition);

/// <summary>What a group has committed of a partition.</summary>
public sealed record GroupOffsetResource
{
    public required string Stream { get; init; }

    public required int Partition { get; init; }

    /// <summary>The next record to be read.</summary>
    public required long Offset { get; init; }

    /// <summary>Where the partition ends; null: it is no more.</summary>
    public long? EndOffset { get; init; }

    /// <summary>Records from here to the end; null: not known.</summary>
    public long? Lag { get; init; }

    public string? Metadata { get; init; }

    /// <summary>Who reads it now.</summary>
    public string? MemberId { get; init; }
}

/// <summary>How a group's offsets shall be moved. Exactly one of the targets is given.</summary>
public sealed record OffsetReset
{
    /// <summary>Streams with their partitions; absent: all that the group has offsets of.</summary>
    public IReadOnlyList<OffsetResetStream>? Streams { get; init; }

    /// <summary>earliest, latest, offset, time or shift.</summary>
    public string? To { get; init; }

    /// <summary>The offset, or the number of records to shift by.</summary>
    public long? Value { get; init; }

    /// <summary>The time, for <c>time</c>.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>False (default): only say what would be.</summary>
    public bool Execute { get; init; }
}

/// <summary>A stream whose offsets are moved.</summary>
/// <param name="Stream">Its name.</param>
/// <param name="Partitions">Null: all of them.</param>
public sealed record OffsetResetStream(string Stream, IReadOnlyList<int>? Partitions);

/// <summary>What became, or would become, of a group's offsets.</summary>
/// <param name="Executed">Whether it was done.</param>
/// <param name="Moves">One for each partition.</param>
public sealed record OffsetResetResult(bool Executed, IReadOnlyList<OffsetMoveResource> Moves);

/// <summary>One committed offset that is another one now, or would be.</summary>
/// <param name="Stream">Of which stream.</param>
/// <param name="Partition">Of which partition.</param>
/// <param name="Before">What was committed; null: nothing.</param>
/// <param name="After">What is.</param>
public sealed record OffsetMoveResource(string Stream, int Partition, long? Before, long After);
