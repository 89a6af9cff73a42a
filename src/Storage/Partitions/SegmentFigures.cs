using Pillarbox.Model.Records;

namespace Pillarbox.Storage.Partitions;

/// <summary>Keeps the figures of a segment as batches are added to it. Under the lock of its log, if it is in
/// one.</summary>
internal static class SegmentFigures
{
    /// <summary>A batch stands behind the others.</summary>
    public static void Note(PartitionSegment segment, in RecordBatch batch)
    {
        segment.Index.Note(
            (int)(batch.BaseOffset - segment.BaseOffset), segment.SizeBytes, segment.TimestampMaxMs);
        if (segment.SizeBytes == 0)
        {
            segment.TimestampFirstMs = batch.MaxTimestampMs;
        }

        if (batch.MaxTimestampMs > segment.TimestampMaxMs)
        {
            segment.TimestampMaxMs = batch.MaxTimestampMs;
            segment.TimestampMaxOffset = batch.BaseOffset;
        }

        segment.SizeBytes += batch.SizeBytes;
        segment.NextOffset = batch.NextOffset;
    }
}
