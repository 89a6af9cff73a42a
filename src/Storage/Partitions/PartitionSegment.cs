using System.Globalization;

namespace Pillarbox.Storage.Partitions;

/// <summary>
/// One file of a partition: batches from <see cref="BaseOffset"/> on, back to back from the first byte. The figures
/// change
/// under the log's lock while it is the last segment.
/// </summary>
internal sealed class PartitionSegment(PartitionLog log, long baseOffset)
{
    public const string LogSuffix = ".log";
    public const string IndexSuffix = ".index";

    public PartitionLog Log { get; } = log;

    public long BaseOffset { get; } = baseOffset;

    /// <summary>Bytes of batches.</summary>
    public int SizeBytes { get; set; }

    /// <summary>Offset behind the last batch; as far as it is known.</summary>
    public long NextOffset { get; set; } = baseOffset;

    /// <summary>Largest timestamp, in milliseconds since the Unix epoch; -1 when there is none or it is not known yet.
    /// </summary>
    public long TimestampMaxMs { get; set; } = -1;

    /// <summary>Offset of the batch with the largest timestamp.</summary>
    public long TimestampMaxOffset { get; set; } = -1;

    /// <summary>Timestamp of the first batch; -1 when not known.</summary>
    public long TimestampFirstMs { get; set; } = -1;

    /// <summary>The sparse index, from <see cref="IndexedFrom"/> on.</summary>
    public required SegmentIndex Index { get; set; }

    /// <summary>The index knows nothing of what lies before this position: what an earlier run has written, until
    /// somebody asks.</summary>
    public int IndexedFrom { get; set; }

    /// <summary>Whether bytes were written and not synced.</summary>
    public bool IsUnsynced { get; set; }

    /// <summary>Whether the index is in a file too.</summary>
    public bool IsIndexSaved { get; set; }

    /// <summary>True once the file is there.</summary>
    public bool IsOnDisk { get; set; }

    /// <summary>True when it is taken out of the log: the file goes with the last reader.</summary>
    public bool IsDeleted { get; set; }

    /// <summary>The open file; owned by <see cref="OpenFiles"/>.</summary>
    public IFile? File { get; set; }

    /// <summary>Who uses the open file; owned by <see cref="OpenFiles"/>.</summary>
    public int Uses { get; set; }

    /// <summary>Its place among the open files; owned by <see cref="OpenFiles"/>.</summary>
    public LinkedListNode<PartitionSegment>? OpenNode { get; set; }

    public SegmentMark Mark => new(
        BaseOffset, SizeBytes, NextOffset, TimestampFirstMs, TimestampMaxMs, TimestampMaxOffset);

    public string Path => Log.PathOf(BaseOffset, LogSuffix);

    public string IndexPath => Log.PathOf(BaseOffset, IndexSuffix);

    /// <summary>The same segment in a new file, before anybody has read it.</summary>
    public PartitionSegment Renewed() => new(Log, BaseOffset)
    {
        Index = Index,
        IndexedFrom = IndexedFrom,
        IsOnDisk = true,
        SizeBytes = SizeBytes,
        NextOffset = NextOffset,
        TimestampFirstMs = TimestampFirstMs,
        TimestampMaxMs = TimestampMaxMs,
        TimestampMaxOffset = TimestampMaxOffset,
    };

    /// <summary>The file of a partition's segment: number of the partition, first offset, kind.</summary>
    public static string NameOf(int partition, long baseOffset, string suffix) =>
        string.Create(CultureInfo.InvariantCulture, $"{partition}.{baseOffset:D20}{suffix}");

    /// <summary>Takes such a name apart; false when it is none.</summary>
    public static bool TryParseName(string name, string suffix, out int partition, out long baseOffset)
    {
        baseOffset = 0;
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return int.TryParse(
                name.AsSpan(0, Math.Max(0, dot)), NumberStyles.None, CultureInfo.InvariantCulture, out partition)
            && name.Length == dot + 1 + 20 + suffix.Length
            && name.EndsWith(suffix, StringComparison.Ordinal)
            && long.TryParse(
                name.AsSpan(dot + 1, 20), NumberStyles.None, CultureInfo.InvariantCulture, out baseOffset);
    }
}
