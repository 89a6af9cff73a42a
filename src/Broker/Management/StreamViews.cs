using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Management;

/// <summary>A partition's figures at one moment.</summary>
/// <param name="Number">From 0.</param>
/// <param name="StartOffset">The first record that can be read.</param>
/// <param name="HighWatermark">Everything below is on disk and can be read.</param>
/// <param name="LastStableOffset">Everything below is decided: no transaction is open there.</param>
/// <param name="EndOffset">The offset that the next record gets.</param>
/// <param name="LeaderEpoch">How often the partition has come up after a crash.</param>
/// <param name="SizeBytes">Bytes on disk.</param>
public sealed record PartitionView(
    int Number, long StartOffset, long HighWatermark, long LastStableOffset, long EndOffset, int LeaderEpoch,
    long SizeBytes);

/// <summary>A stream's figures at one moment. Totals are since the node started.</summary>
/// <param name="AddressSpace">The tenant.</param>
/// <param name="Name">Its name.</param>
/// <param name="Id">Never used again.</param>
/// <param name="IsInternal">One of the node's own.</param>
/// <param name="CreatedAtMs">When it was made, in milliseconds since the Unix epoch.</param>
/// <param name="Partitions">By number.</param>
/// <param name="Config">The settings that were given.</param>
public sealed record StreamView(
    string AddressSpace, string Name, Guid Id, bool IsInternal, long CreatedAtMs,
    IReadOnlyList<PartitionView> Partitions, IReadOnlyDictionary<string, string> Config)
{
    /// <summary>Bytes on disk.</summary>
    public long SizeBytes { get; init; }

    /// <summary>Offsets between start and high watermark: records, and what compaction took.</summary>
    public long Records { get; init; }

    /// <summary>Records that were appended.</summary>
    public long AppendedRecordsTotal { get; init; }

    /// <summary>Their bytes, as batches.</summary>
    public long AppendedBytesTotal { get; init; }

    /// <summary>Bytes of batches that readers were given.</summary>
    public long ReadBytesTotal { get; init; }
}

/// <summary>Where a moment is in a partition.</summary>
/// <param name="Partition">Which.</param>
/// <param name="Offset">The first record at least as young; -1 = there is none.</param>
/// <param name="TimestampMs">Its timestamp in milliseconds since the Unix epoch; -1 for the ends.</param>
public readonly record struct PartitionOffset(int Partition, long Offset, long TimestampMs);

/// <summary>Where to read, and where to go on.</summary>
/// <param name="Partition">Which.</param>
/// <param name="Offset">The next record.</param>
public readonly record struct ReadPosition(int Partition, long Offset);

/// <summary>One record, as it is shown.</summary>
public sealed record RecordView
{
    /// <summary>The partition's number, from 0.</summary>
    public required int Partition { get; init; }

    /// <summary>Its place in the partition.</summary>
    public required long Offset { get; init; }

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public required long TimestampMs { get; init; }

    /// <summary>Null: it has none.</summary>
    public byte[]? Key { get; init; }

    /// <summary>Its first bytes; null: a tombstone.</summary>
    public byte[]? Value { get; init; }

    /// <summary>Bytes of the whole value; -1 = a tombstone.</summary>
    public int ValueBytes { get; init; }

    /// <summary>In their order; names may come more than once.</summary>
    public IReadOnlyList<KeyValuePair<string, byte[]?>> Headers { get; init; } = [];
}

/// <summary>What a look at a stream found.</summary>
/// <param name="Records">By partition and offset.</param>
/// <param name="Positions">Where to go on, one for each that was asked for.</param>
public sealed record RecordsView(IReadOnlyList<RecordView> Records, IReadOnlyList<ReadPosition> Positions);

/// <summary>A group.</summary>
/// <param name="AddressSpace">The tenant.</param>
/// <param name="GroupId">The group.</param>
/// <param name="Type">Its protocol.</param>
/// <param name="State">In the field's words, e.g. <c>Stable</c>.</param>
/// <param name="Members">How many are in it.</param>
/// <param name="Offsets">What it has committed, by stream and partition.</param>
public sealed record GroupView(
    string AddressSpace, string GroupId, GroupType Type, string State, IReadOnlyList<GroupMemberView> Members,
    IReadOnlyList<GroupOffsetView> Offsets)
{
    /// <summary>Settings that the group is given, by name; the node's count for the rest.</summary>
    public IReadOnlyDictionary<string, string> Config { get; init; } = new Dictionary<string, string>();

    /// <summary>Records between what is committed and the ends.</summary>
    public long Lag => Offsets.Sum(offset => Math.Max(0, offset.Lag));
}

/// <summary>A member of a group.</summary>
/// <param name="MemberId">Its id.</param>
/// <param name="InstanceId">The name of a static member, or null.</param>
/// <param name="ClientId">What the client calls itself.</param>
/// <param name="Host">Where it comes from.</param>
/// <param name="Assigned">What it reads.</param>
public sealed record GroupMemberView(
    string MemberId, string? InstanceId, string ClientId, string Host, IReadOnlyList<TopicPartition> Assigned);

/// <summary>What a group has committed of a partition.</summary>
/// <param name="Partition">Which.</param>
/// <param name="Offset">The next record to be read.</param>
/// <param name="EndOffset">Where the partition's readable records end; -1 = it is no more.</param>
/// <param name="Metadata">The client's own words.</param>
/// <param name="MemberId">Who reads it now, or null.</param>
public sealed record GroupOffsetView(
    TopicPartition Partition, long Offset, long EndOffset, string Metadata, string? MemberId)
{
    /// <summary>Records from here to the end; -1 = not known.</summary>
    public long Lag => Offset < 0 || EndOffset < 0 ? -1 : Math.Max(0, EndOffset - Offset);
}

/// <summary>A committed offset that is to be another one.</summary>
/// <param name="Partition">Of which partition.</param>
/// <param name="Before">What is committed; -1 = nothing.</param>
/// <param name="After">What is to be.</param>
public readonly record struct OffsetMove(TopicPartition Partition, long Before, long After);

/// <summary>What committed offsets take of memory in an address space.</summary>
/// <param name="AddressSpace">Its name.</param>
/// <param name="Bytes">Bytes, as an estimate.</param>
/// <param name="BytesMax">As many as they may take.</param>
/// <param name="RefusedTotal">Offsets that were refused for want of room, since start.</param>
public sealed record OffsetsView(string AddressSpace, long Bytes, long BytesMax, long RefusedTotal);
