using System.Buffers;
using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>Finds records by time: the log knows the batch, the record is found within it.</summary>
internal static class TimeLookup
{
    /// <summary>Batches that are looked through when those before have lost the record that gave them their time, by
    /// compaction or because the start has moved; then an earlier place is answered rather than a later one.</summary>
    private const int BatchesMax = 64;

    public static OffsetResult Find(Partition partition, long timestampMs, long limit)
    {
        PartitionLog log = partition.Log;
        long wantedMs = timestampMs;
        long offset = timestampMs == OffsetSpecial.LargestTimestamp
            ? log.FindLargestTime(out wantedMs)
            : log.FindTime(timestampMs, limit);
        OffsetResult none = new(StreamError.None, -1, -1, -1);
        using var read = new PartitionRead();
        var bytes = new ArrayBufferWriter<byte>();
        for (int looked = 1; offset >= 0 && offset < limit; looked++)
        {
            log.Read(offset, limit, 0, atLeastOne: true, read);
            bytes.ResetWrittenCount();
            read.CopyTo(bytes);
            if (RecordBatch.TryRead(bytes.WrittenSpan, out RecordBatch batch) != RecordBatchFault.None)
            {
                return none;
            }

            OffsetResult found = FindRecord(batch, wantedMs, partition.StartOffset);
            if (found.Offset >= 0)
            {
                return found;
            }

            if (looked == BatchesMax)
            {
                return Front(batch, partition.StartOffset);
            }

            offset = batch.NextOffset;
        }

        return none;
    }

    private static OffsetResult FindRecord(in RecordBatch batch, long timestampMs, long startOffset)
    {
        if (batch.MaxTimestampMs < timestampMs)
        {
            return new OffsetResult(StreamError.None, -1, -1, -1);
        }

        if (batch.IsAppendTime)
        {
            return Front(batch, startOffset);
        }

        if (batch.Compression == RecordCompression.None)
        {
            return FindRecord(batch, batch.Records, timestampMs, startOffset);
        }

        using var plain = new PooledBuffer(BatchRules.PlainBytesMax);
        return RecordCodec.TryDecompress(batch.Compression, batch.Records, plain) == CodecFault.None
            ? FindRecord(batch, plain.WrittenSpan, timestampMs, startOffset)
            : Front(batch, startOffset);
    }

    private static OffsetResult FindRecord(
        in RecordBatch batch, ReadOnlySpan<byte> plain, long timestampMs, long startOffset)
    {
        var records = new RecordReader(plain, batch.Count);
        while (records.TryRead(out StreamRecord record))
        {
            long offset = batch.BaseOffset + record.OffsetDelta;
            long time = batch.BaseTimestampMs + record.TimestampDelta;
            if (time >= timestampMs && offset >= startOffset)
            {
                return new OffsetResult(StreamError.None, offset, time, batch.LeaderEpoch);
            }
        }

        return new OffsetResult(StreamError.None, -1, -1, -1);
    }

    // The first record of a batch that may be read, unless all of it lies below the start.
    private static OffsetResult Front(in RecordBatch batch, long startOffset) => batch.NextOffset <= startOffset
        ? new OffsetResult(StreamError.None, -1, -1, -1)
        : new OffsetResult(
            StreamError.None, Math.Max(startOffset, batch.BaseOffset), batch.MaxTimestampMs, batch.LeaderEpoch);
}
