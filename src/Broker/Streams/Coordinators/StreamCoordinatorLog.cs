using System.Buffers;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Streams.Coordinators;

/// <summary>A coordinator's log in an internal stream, in the record format of all streams, so that every reader of
/// streams can look into it. One owner: the coordinator's loop.</summary>
internal sealed partial class StreamCoordinatorLog(
    RecordStream stream, CreationGate gate, TimeProvider time, ILogger logger) : ICoordinatorLog
{
    private const int ReadBytes = 1 << 20;
    private readonly RecordBatchBuilder _builder = new();

    public int PartitionCount => stream.Partitions.Count;

    public CoordinatorError Append(
        int partition, ProducerStamp producer, IReadOnlyList<CoordinatorRecord> records, Action<bool> completed)
    {
        _builder.Begin(new RecordBatchOptions
        {
            ProducerId = producer.Id,
            ProducerEpoch = producer.Epoch,
            IsTransactional = producer.IsTransactional,
        });
        long nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (CoordinatorRecord record in records)
        {
            _builder.Add(new RecordContent
            {
                TimestampMs = nowMs,
                HasKey = true,
                Key = record.Key,
                HasValue = record.Value is not null,
                Value = record.Value,
            });
        }

        Partition target = stream.Partitions[partition];
        AppendOptions options = new() { Origin = AppendOrigin.Coordinator };
        AppendResult result = target.Append(_builder.Finish().Span, options);
        if (result.Error == StreamError.None)
        {
            target.WhenDurable(result.DurableAt, new DurableCallback(ok => gate.Pass(completed, ok)));
        }

        return ErrorOf(result.Error);
    }

    public void Replay(int partition, ICoordinatorReplay into)
    {
        Partition source = stream.Partitions[partition];
        ArrayBufferWriter<byte> bytes = new(ReadBytes);
        using StreamRead read = new();
        long offset = source.StartOffset;
        while (offset < source.HighWatermark)
        {
            ReadOptions options = new() { BytesMax = ReadBytes, AtLeastOneBatch = true };
            StreamError error = source.Read(offset, options, read);
            if (error != StreamError.None || read.Bytes == 0)
            {
                LogUnreadable(logger, stream.Name, partition, offset, error);
                return;
            }

            bytes.ResetWrittenCount();
            read.CopyTo(bytes);
            offset = Replay(partition, bytes.WrittenSpan, offset, into);
        }
    }

    private long Replay(int partition, ReadOnlySpan<byte> bytes, long offset, ICoordinatorReplay into)
    {
        while (RecordBatch.TryRead(bytes, out RecordBatch batch) == RecordBatchFault.None)
        {
            ProducerStamp producer = batch.IsTransactional
                ? new ProducerStamp(batch.ProducerId, batch.ProducerEpoch)
                : ProducerStamp.None;
            if (!batch.IsControl)
            {
                ReplayRecords(partition, batch, producer, offset, into);
            }
            else if (EndTransactionMarker.TryRead(batch, out EndTransactionMarker marker))
            {
                into.OnMarker(partition, producer, marker.IsCommit);
            }

            offset = batch.NextOffset;
            bytes = bytes[batch.SizeBytes..];
        }

        return offset;
    }

    // The stream's settings may ask for a compression.
    private void ReplayRecords(
        int partition, in RecordBatch batch, ProducerStamp producer, long from, ICoordinatorReplay into)
    {
        bool isPlain = batch.Compression == RecordCompression.None;
        using PooledBuffer plain = new(BatchRules.PlainBytesMax);
        if (!isPlain && RecordCodec.TryDecompress(batch.Compression, batch.Records, plain) != CodecFault.None)
        {
            LogUnreadable(logger, stream.Name, partition, batch.BaseOffset, StreamError.CorruptBatch);
            return;
        }

        RecordReader records = new(isPlain ? batch.Records : plain.WrittenSpan, batch.Count);
        while (records.TryRead(out StreamRecord record))
        {
            if (batch.BaseOffset + record.OffsetDelta >= from)
            {
                into.OnRecord(partition, producer, record.Key, record.HasValue ? record.Value.ToArray() : null);
            }
        }
    }

    private static CoordinatorError ErrorOf(StreamError error) => error switch
    {
        StreamError.None => CoordinatorError.None,
        StreamError.InvalidProducerEpoch => CoordinatorError.InvalidProducerEpoch,
        StreamError.InvalidTransactionState => CoordinatorError.InvalidTxnState,
        _ => CoordinatorError.CoordinatorNotAvailable,
    };

    [LoggerMessage(Level = LogLevel.Error,
        Message = "Stream {Stream}, partition {Partition}: nothing can be read from offset {Offset} on ({Error}).")]
    private static partial void LogUnreadable(
        ILogger logger, string stream, int partition, long offset, StreamError error);
}
