namespace Pillarbox.Storage.Partitions;

/// <summary>Figures of one segment.</summary>
/// <param name="BaseOffset">Its first offset.</param>
/// <param name="SizeBytes">Bytes of batches.</param>
/// <param name="NextOffset">The offset behind its last batch.</param>
/// <param name="TimestampFirstMs">Timestamp of its first batch; -1 when it has none.</param>
/// <param name="TimestampMaxMs">Largest timestamp; -1 when it has none.</param>
/// <param name="TimestampMaxOffset">Base offset of the batch that has it; -1 when there is none.</param>
public readonly record struct SegmentMark(
    long BaseOffset,
    int SizeBytes,
    long NextOffset,
    long TimestampFirstMs,
    long TimestampMaxMs,
    long TimestampMaxOffset);

/// <summary>How far a partition had come at a moment. Recovery reads nothing below it.</summary>
/// <param name="NextOffset">The offset that the next append was to get.</param>
/// <param name="Segments">The segments, oldest first.</param>
public sealed record PartitionMark(long NextOffset, IReadOnlyList<SegmentMark> Segments);
