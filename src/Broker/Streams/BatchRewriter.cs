using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams;

/// <summary>Says which records stay.</summary>
internal interface IRecordFilter
{
    /// <summary>Whether a record stays.</summary>
    bool Keeps(in RecordBatch batch, in StreamRecord record);
}

/// <summary>Builds batches anew: with fewer records, or compressed otherwise. Reusable, one owner.</summary>
internal sealed class BatchRewriter : IDisposable
{
    private readonly RecordBatchBuilder _builder = new();
    private readonly PooledBuffer _plain = new(BatchRules.PlainBytesMax);
    private readonly PooledBuffer _made = new();

    /// <summary>The records of a batch without compression; false when they cannot be read.</summary>
    public bool TryGetRecords(in RecordBatch batch, out ReadOnlySpan<byte> records)
    {
        records = batch.Records;
        if (batch.Compression == RecordCompression.None)
        {
            return true;
        }

        _plain.Clear();
        bool isRead = RecordCodec.TryDecompress(batch.Compression, batch.Records, _plain) == CodecFault.None;
        records = _plain.WrittenSpan;
        return isRead;
    }

    /// <summary>The batch with the records that stay, at their offsets and in the same compression. Valid until the
    /// next
    /// call.</summary>
    public ReadOnlySpan<byte> Filter(
        in RecordBatch batch, ReadOnlySpan<byte> records, long deleteHorizonMs, IRecordFilter filter)
    {
        _builder.Begin(RecordBatchOptions.Of(batch) with { DeleteHorizonMs = deleteHorizonMs });
        var reader = new RecordReader(records, batch.Count);
        while (reader.TryRead(out StreamRecord record))
        {
            if (!filter.Keeps(batch, record))
            {
                continue;
            }

            _builder.Add(new RecordContent
            {
                TimestampMs = batch.IsAppendTime ? batch.MaxTimestampMs : batch.BaseTimestampMs + record.TimestampDelta,
                OffsetDelta = record.OffsetDelta,
                HasKey = record.HasKey,
                Key = record.Key,
                HasValue = record.HasValue,
                Value = record.Value,
                HeaderCount = record.HeaderCount,
                Headers = record.Headers,
            });
        }

        ReadOnlySpan<byte> plain = _builder.Finish(batch.LastOffsetDelta).Span;
        return _builder.Count == 0 ? plain : Compress(plain, batch.Compression, 0);
    }

    /// <summary>The batch in another compression; empty when that cannot be. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Recompress(in RecordBatch batch, RecordCompression compression, int level)
    {
        if (!TryGetRecords(batch, out ReadOnlySpan<byte> records))
        {
            return default;
        }

        _made.Clear();
        batch.Bytes[..RecordBatch.HeaderBytes].CopyTo(_made.GetSpan(RecordBatch.HeaderBytes));
        _made.Advance(RecordBatch.HeaderBytes);
        return Finish(records, compression, level);
    }

    public void Dispose()
    {
        _plain.Dispose();
        _made.Dispose();
    }

    private ReadOnlySpan<byte> Compress(ReadOnlySpan<byte> plainBatch, RecordCompression compression, int level)
    {
        if (compression == RecordCompression.None)
        {
            return plainBatch;
        }

        _made.Clear();
        plainBatch[..RecordBatch.HeaderBytes].CopyTo(_made.GetSpan(RecordBatch.HeaderBytes));
        _made.Advance(RecordBatch.HeaderBytes);
        return Finish(plainBatch[RecordBatch.HeaderBytes..], compression, level);
    }

    private ReadOnlySpan<byte> Finish(ReadOnlySpan<byte> records, RecordCompression compression, int level)
    {
        if (RecordCodec.TryCompress(compression, level, records, _made) != CodecFault.None)
        {
            return default;
        }

        RecordBatchPatch.SetRecords(_made.Span, compression);
        return _made.WrittenSpan;
    }
}
