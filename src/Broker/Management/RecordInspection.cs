using System.Buffers;
using System.Text;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Management;

/// <summary>How to look at records.</summary>
public sealed record RecordInspectionOptions
{
    /// <summary>Where, one for each partition. An offset below the first record that is left begins there.</summary>
    public required IReadOnlyList<ReadPosition> Positions { get; init; }

    /// <summary>Most records that are shown.</summary>
    public int RecordsMax { get; init; } = 100;

    /// <summary>Bytes of a value that are shown.</summary>
    public int ValueBytesMax { get; init; } = 4096;

    /// <summary>How long to wait when there is nothing to show, in milliseconds.</summary>
    public int WaitMs { get; init; }
}

/// <summary>Shows records of streams to people: unpacked, decided, without those that were aborted.</summary>
internal sealed class RecordInspection : IReadWaiter
{
    private const int ReadBytes = 1 << 20;
    private readonly TaskCompletionSource _readable = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static async Task<RecordsView> ReadAsync(
        StreamCatalog catalog, RecordStream stream, RecordInspectionOptions options, CancellationToken cancellation)
    {
        Partition[] partitions = [.. options.Positions.Select(p => stream.FindPartition(p.Partition)
            ?? throw new BrokerException(
                BrokerError.NotFound, $"stream '{stream.Name}' has no partition {p.Partition}"))];
        var seen = new long[partitions.Length];
        RecordsView found = Read(partitions, options.Positions, options, seen);
        long deadlineMs = catalog.Services.NowMs + options.WaitMs;
        while (found.Records.Count == 0 && !stream.IsDeleted
            && deadlineMs - catalog.Services.NowMs is > 0 and long leftMs)
        {
            // Woken by records that are not decided yet, it waits on.
            await new RecordInspection().WaitAsync(catalog, partitions, seen, (int)leftMs, cancellation)
                .ConfigureAwait(false);
            found = Read(partitions, found.Positions, options, seen);
        }

        return found;
    }

    void IReadWaiter.OnReadable() => _readable.TrySetResult();

    private async Task WaitAsync(
        StreamCatalog catalog, Partition[] partitions, long[] seen, int waitMs, CancellationToken cancellation)
    {
        var awaiter = new ReadAwaiter(catalog, this);
        awaiter.Begin(1, waitMs);
        try
        {
            for (int i = 0; i < partitions.Length; i++)
            {
                awaiter.Add(partitions[i], seen[i], Isolation.Committed);
            }

            if (awaiter.Arm())
            {
                await _readable.Task.WaitAsync(cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            awaiter.Cancel();
        }
    }

    // Notes up to where each partition was decided then: a reader may be further on, behind an open transaction's first
    // record, and waits for what comes after that all the same.
    private static RecordsView Read(
        Partition[] partitions, IReadOnlyList<ReadPosition> from, RecordInspectionOptions options, long[] seen)
    {
        var records = new List<RecordView>();
        var positions = new ReadPosition[partitions.Length];
        for (int i = 0; i < partitions.Length; i++)
        {
            // What one partition leaves of its share, the next ones have.
            int share = Math.Max(1, (options.RecordsMax - records.Count) / (partitions.Length - i));
            int max = records.Count >= options.RecordsMax ? 0 : share;
            var reader = new PartitionInspection(partitions[i], options.ValueBytesMax, records);
            seen[i] = partitions[i].LastStableOffset;
            positions[i] = new ReadPosition(partitions[i].Number, reader.Read(from[i].Offset, max, seen[i]));
        }

        return new RecordsView(records, positions);
    }

    /// <summary>Reads one partition into a list.</summary>
    private sealed class PartitionInspection(Partition partition, int valueBytesMax, List<RecordView> into)
    {
        public long Read(long from, int max, long limit)
        {
            long offset = Math.Clamp(from, partition.StartOffset, partition.HighWatermark);
            int end = into.Count + max;
            var bytes = new ArrayBufferWriter<byte>();
            using var read = new StreamRead();
            while (into.Count < end && offset < limit)
            {
                var options = new ReadOptions
                {
                    BytesMax = ReadBytes,
                    AtLeastOneBatch = true,
                    Isolation = Isolation.Committed,
                };
                StreamError error = partition.Read(offset, options, read);
                if (error is not (StreamError.None or StreamError.OffsetOutOfRange))
                {
                    throw StreamManagement.Refused(error, $"partition {partition.Number} cannot be read: {error}");
                }

                if (error == StreamError.OffsetOutOfRange || read.Bytes == 0)
                {
                    break;
                }

                bytes.ResetWrittenCount();
                read.CopyTo(bytes);
                offset = AddBatches(bytes.WrittenSpan, offset, end);
            }

            return offset;
        }

        private long AddBatches(ReadOnlySpan<byte> bytes, long offset, int end)
        {
            while (into.Count < end && RecordBatch.TryRead(bytes, out RecordBatch batch) == RecordBatchFault.None)
            {
                offset = batch.IsControl || partition.IsAborted(batch)
                    ? batch.NextOffset
                    : AddRecords(batch, offset, end);
                bytes = bytes[batch.SizeBytes..];
            }

            return offset;
        }

        private long AddRecords(in RecordBatch batch, long offset, int end)
        {
            using var plain = new PooledBuffer(BatchRules.PlainBytesMax);
            ReadOnlySpan<byte> bytes = batch.Records;
            if (batch.Compression != RecordCompression.None)
            {
                if (RecordCodec.TryDecompress(batch.Compression, batch.Records, plain) != CodecFault.None)
                {
                    throw new BrokerException(
                        BrokerError.Unavailable, $"the batch at offset {batch.BaseOffset} of partition "
                        + $"{partition.Number} cannot be unpacked");
                }

                bytes = plain.WrittenSpan;
            }

            var records = new RecordReader(bytes, batch.Count);
            while (into.Count < end && records.TryRead(out StreamRecord record))
            {
                long at = batch.BaseOffset + record.OffsetDelta;
                if (at >= offset)
                {
                    into.Add(Show(batch, record, at));
                    offset = at + 1;
                }
            }

            return into.Count < end ? batch.NextOffset : offset;
        }

        private RecordView Show(in RecordBatch batch, in StreamRecord record, long offset)
        {
            var headers = new List<KeyValuePair<string, byte[]?>>(record.HeaderCount);
            RecordHeaderReader reader = record.ReadHeaders();
            while (reader.TryRead(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out bool hasValue))
            {
                headers.Add(new(Encoding.UTF8.GetString(key), hasValue ? value.ToArray() : null));
            }

            return new RecordView
            {
                Partition = partition.Number,
                Offset = offset,
                TimestampMs = batch.IsAppendTime ? batch.MaxTimestampMs : batch.BaseTimestampMs + record.TimestampDelta,
                Key = record.HasKey ? record.Key.ToArray() : null,
                Value = record.HasValue ? record.Value[..Math.Min(record.Value.Length, valueBytesMax)].ToArray() : null,
                ValueBytes = record.HasValue ? record.Value.Length : -1,
                Headers = headers,
            };
        }
    }
}
