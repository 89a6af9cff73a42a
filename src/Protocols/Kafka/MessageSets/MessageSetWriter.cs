using System.Buffers;
using System.Buffers.Binary;
using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model.Records;

namespace Pillarbox.Protocols.Kafka.MessageSets;

/// <summary>From record batches to message sets of formats 0 and 1, for old clients. Headers are lost there.</summary>
internal static class MessageSetWriter
{
    /// <summary>Writes the records of whole batches from an offset on as uncompressed messages; control records are
    /// left out. A client passes over messages before those that it asked for only within a compressed one. Stops
    /// at what cannot be read.</summary>
    public static void Convert(
        ReadOnlySpan<byte> batches, byte magic, int bytesMax, IBufferWriter<byte> target, long from = 0)
    {
        using var inner = new PooledBuffer(bytesMax);
        while (RecordBatch.TryRead(batches, out RecordBatch batch) == RecordBatchFault.None)
        {
            batches = batches[batch.SizeBytes..];
            inner.Clear();
            if (batch.IsControl)
            {
                continue;
            }

            if (RecordCodec.TryDecompress(batch.Compression, batch.Records, inner) != CodecFault.None)
            {
                return;
            }

            var records = new RecordReader(inner.WrittenSpan, batch.Count);
            while (records.TryRead(out StreamRecord record))
            {
                long offset = batch.BaseOffset + record.OffsetDelta;
                if (offset < from)
                {
                    continue;
                }

                long timestampMs = batch.IsAppendTime
                    ? batch.MaxTimestampMs
                    : batch.BaseTimestampMs + record.TimestampDelta;
                Write(record, offset, timestampMs, magic, target);
            }
        }
    }

    private static void Write(
        in StreamRecord record, long offset, long timestampMs, byte magic, IBufferWriter<byte> target)
    {
        int header = OldMessage.HeaderBytes(magic);
        int size = header + (2 * sizeof(int)) + record.Key.Length + record.Value.Length;
        Span<byte> message = target.GetSpan(size)[..size];
        BinaryPrimitives.WriteInt64BigEndian(message, offset);
        BinaryPrimitives.WriteInt32BigEndian(message[8..], size - OldMessage.SizeFrom);
        message[16] = magic;
        message[17] = 0;
        if (magic > 0)
        {
            BinaryPrimitives.WriteInt64BigEndian(message[18..], timestampMs);
        }

        Span<byte> rest = message[header..];
        rest = WriteField(rest, record.HasKey, record.Key);
        WriteField(rest, record.HasValue, record.Value);
        BinaryPrimitives.WriteUInt32BigEndian(message[12..], Crc32.Compute(message[16..]));
        target.Advance(size);
    }

    private static Span<byte> WriteField(Span<byte> target, bool isThere, ReadOnlySpan<byte> field)
    {
        BinaryPrimitives.WriteInt32BigEndian(target, isThere ? field.Length : -1);
        field.CopyTo(target[sizeof(int)..]);
        return target[(sizeof(int) + field.Length)..];
    }
}
