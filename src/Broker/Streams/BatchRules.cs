using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams;

/// <summary>What a partition asks of a batch before it takes it. Pure.</summary>
internal static class BatchRules
{
    /// <summary>Most bytes that the records of one batch may be without compression.</summary>
    public const int PlainBytesMax = 128 << 20;

    /// <summary>Checks the front batch of some bytes against a stream's settings; a result with an error when it
    /// breaks a rule, else null, the batch and the largest timestamp of its records: its header may say something
    /// else.</summary>
    public static AppendResult? Check(
        ReadOnlySpan<byte> bytes, StreamConfig config, AppendOrigin origin, long nowMs, out RecordBatch batch,
        out long timestampMaxMs)
    {
        timestampMaxMs = -1;
        RecordBatchFault fault = RecordBatch.TryRead(bytes, out batch);
        if (fault == RecordBatchFault.BadMagic)
        {
            return AppendResult.Refused(StreamError.InvalidRecord, "the batch is not of format 2");
        }

        if (fault != RecordBatchFault.None)
        {
            return AppendResult.Refused(StreamError.CorruptBatch, $"the batch cannot be read: {fault}");
        }

        if (batch.SizeBytes > config.BatchBytesMax && origin == AppendOrigin.Client)
        {
            return AppendResult.Refused(
                StreamError.BatchTooLarge,
                $"the batch has {batch.SizeBytes} bytes; the stream takes at most {config.BatchBytesMax}");
        }

        if (!batch.IsCrcValid)
        {
            return AppendResult.Refused(StreamError.CorruptBatch, "the batch's checksum is wrong");
        }

        timestampMaxMs = batch.MaxTimestampMs;
        return origin == AppendOrigin.Client
            ? CheckClientHeader(batch) ?? CheckRecords(batch, new RecordRules(config, nowMs), ref timestampMaxMs)
            : null;
    }

    private static AppendResult? CheckClientHeader(in RecordBatch batch)
    {
        string? problem =
            batch.IsControl ? "clients may not write control records"
            : batch.HasDeleteHorizon ? "clients may not set a delete horizon"
            : batch.Count == 0 || batch.Count != batch.LastOffsetDelta + 1
                ? "the number of records contradicts the offsets"
            : batch.ProducerId >= 0 && (batch.BaseSequence < 0 || batch.ProducerEpoch < 0)
                ? "a producer with an id needs an epoch and sequence numbers"
            : batch.IsTransactional && batch.ProducerId < 0 ? "a transaction needs a producer id"
            : null;
        if (problem is not null)
        {
            return AppendResult.Refused(StreamError.InvalidRecord, problem);
        }

        if (batch.Compression > RecordCompression.Zstd)
        {
            return AppendResult.Refused(StreamError.UnsupportedCompression, "nobody knows this compression");
        }

        return batch.IsAppendTime
            ? AppendResult.Refused(StreamError.InvalidTimestamp, "clients may not set the time of the append")
            : null;
    }

    private static AppendResult? CheckRecords(in RecordBatch batch, RecordRules rules, ref long timestampMaxMs)
    {
        if (batch.Compression == RecordCompression.None)
        {
            return rules.Check(batch, batch.Records, ref timestampMaxMs);
        }

        using var plain = new PooledBuffer(PlainBytesMax);
        return RecordCodec.TryDecompress(batch.Compression, batch.Records, plain) switch
        {
            CodecFault.None => rules.Check(batch, plain.WrittenSpan, ref timestampMaxMs),
            CodecFault.TooLarge => AppendResult.Refused(
                StreamError.BatchTooLarge, $"the batch has more than {PlainBytesMax} bytes when it is not compressed"),
            CodecFault.Unsupported => AppendResult.Refused(
                StreamError.UnsupportedCompression, $"this node cannot read {batch.Compression}"),
            _ => AppendResult.Refused(StreamError.CorruptBatch, $"the records are no {batch.Compression}"),
        };
    }
}
