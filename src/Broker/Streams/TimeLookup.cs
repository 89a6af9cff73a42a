using System.Buffers;
using Pillarbox.Model.Records;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>Finds records by time: the log knows the batch, the record is found within it.</summary>
internal static class TimeLookup
{
    public static OffsetResult Find(Partition partition, long timestampMs, long limit)
    {
        PartitionLog log = partition.Log;
        long wantedMs = timestampMs;
        long offset;
        if (timestampMs == OffsetSpecial.LargestTimestamp)
        {
            offset = log.FindLargestTime(out wantedMs);
        }
        else
        {
            offset = log.FindTime(timestampMs, limit);
        }

        if (offset < 0 || offset >= limit)
        {
            return new OffsetResult(StreamError.None, -1, -1, -1);
        }

        using var read = new PartitionRead();
        log.Read(offset, limit, 0, atLeastOne: true, read);
        var bytes = new ArrayBufferWriter<byte>(Math.Max(1, read.Bytes));
        read.CopyTo(bytes);
        return RecordBatch.TryRead(bytes.WrittenSpan, out RecordBatch batch) == RecordBatchFault.None
            ? FindRecord(batch, wantedMs, partition.StartOffset)
            : new OffsetResult(StreamError.None, -1, -1, -1);
    }

    private static OffsetResult FindRecord(in RecordBatch batch, long timestampMs, long startOffset)
    {
        if (batch.IsAppendTime || batch.Compression != RecordCompression.None)
        {
            long first = Math.Max(startOffset, batch.BaseOffset);
            return new OffsetResult(StreamError.None, first, batch.MaxTimestampMs, batch.LeaderEpoch);
        }

        var records = new RecordReader(batch.Records, batch.Count);
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
}
