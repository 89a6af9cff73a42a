namespace Pillarbox.ConsoleApi;

/// <summary>A stream, as the API shows it. Totals are since the node started.</summary>
public sealed record StreamResource
{
    public required string Name { get; init; }

    public required Guid Id { get; init; }

    /// <summary>One of the node's own.</summary>
    public bool Internal { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public int PartitionCount { get; init; }

    /// <summary>Offsets between start and end: records, and what compaction took.</summary>
    public long Records { get; init; }

    /// <summary>Bytes on disk.</summary>
    public long SizeBytes { get; init; }

    public long AppendedRecordsTotal { get; init; }

    public long AppendedBytesTotal { get; init; }

    public long ReadBytesTotal { get; init; }

    /// <summary>The settings that were given; the others have defaults.</summary>
    public required IReadOnlyDictionary<string, string> Config { get; init; }

    /// <summary>Its partitions by number; null in lists.</summary>
    public IReadOnlyList<PartitionResource>? Partitions { get; init; }
}

/// <summary>One partition of a stream.</summary>
public sealed record PartitionResource
{
    public int Partition { get; init; }

    /// <summary>The first record that can be read.</summary>
    public long StartOffset { get; init; }

    /// <summary>Everything below is on disk and can be read.</summary>
    public long EndOffset { get; init; }

    /// <summary>Everything below is decided: no transaction is open there.</summary>
    public long LastStableOffset { get; init; }

    public int LeaderEpoch { get; init; }

    public long SizeBytes { get; init; }
}

/// <summary>What a stream is made with.</summary>
public sealed record StreamCreation
{
    /// <summary>How many partitions; absent: the node's default.</summary>
    public int? Partitions { get; init; }

    /// <summary>Settings by name.</summary>
    public IReadOnlyDictionary<string, string>? Config { get; init; }
}

/// <summary>What is to be another way with a stream.</summary>
public sealed record StreamChange
{
    /// <summary>How many partitions there shall be; only more than there are.</summary>
    public int? Partitions { get; init; }

    /// <summary>New values of settings by name.</summary>
    public IReadOnlyDictionary<string, string>? Set { get; init; }

    /// <summary>Settings that get their defaults.</summary>
    public IReadOnlyList<string>? Reset { get; init; }
}

/// <summary>Where a moment is in a partition.</summary>
/// <param name="Partition">Which.</param>
/// <param name="Offset">The first record at least as young; null: there is none.</param>
/// <param name="Timestamp">Its time; null for the ends.</param>
public sealed record StreamOffset(int Partition, long? Offset, DateTimeOffset? Timestamp);

/// <summary>Where to read a partition, or where to go on.</summary>
/// <param name="Partition">Which.</param>
/// <param name="Offset">The next record.</param>
public sealed record StreamPosition(int Partition, long Offset);

/// <summary>How to look at records.</summary>
public sealed record StreamReading
{
    /// <summary>Where to read, one for each partition, 1 to 1000.</summary>
    public IReadOnlyList<StreamPosition>? Positions { get; init; }

    /// <summary>Most records, 1 to 1000, default 100.</summary>
    public int? Max { get; init; }

    /// <summary>Bytes of a value that are shown, 0 to 1048576, default 4096.</summary>
    public int? ValueBytesMax { get; init; }

    /// <summary>How long to wait for a record when there is none, 0 to 20000 ms, default 0.</summary>
    public int? WaitMs { get; init; }
}

/// <summary>Records, and where to go on.</summary>
public sealed record StreamRecords(
    IReadOnlyList<StreamRecordResource> Records, IReadOnlyList<StreamPosition> Positions);

/// <summary>One record. Bytes that are no text come in Base64 under another name.</summary>
public sealed record StreamRecordResource
{
    public required int Partition { get; init; }

    public required long Offset { get; init; }

    public required DateTimeOffset Timestamp { get; init; }

    public string? Key { get; init; }

    public byte[]? KeyBase64 { get; init; }

    public string? Value { get; init; }

    public byte[]? ValueBase64 { get; init; }

    /// <summary>Bytes of the whole value; -1 = it has none.</summary>
    public int ValueBytes { get; init; }

    /// <summary>Headers in their order; a value that is no text is shown as Base64.</summary>
    public IReadOnlyList<RecordHeaderResource> Headers { get; init; } = [];
}

/// <summary>One header of a record.</summary>
public sealed record RecordHeaderResource(string Name, string? Value);
