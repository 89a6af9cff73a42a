using System.Buffers.Binary;
using System.Security.Cryptography;
using Pillarbox.Model.Records;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>The last offset of each key in a stretch of a partition, from an offset on until there are too many keys.
/// Keys are remembered by 128 bits of their SHA-256, so that memory is bounded whatever their length. One
/// owner.</summary>
internal sealed class KeyMap(Partition partition, BatchRewriter rewriter, int keysMax) : IBatchVisitor
{
    private readonly long _from = partition.CleanedTo;
    private readonly Dictionary<UInt128, long> _last = [];

    /// <summary>No more keys fit.</summary>
    public bool IsFull { get; private set; }

    /// <summary>All keys before this offset are known.</summary>
    public long EndOffset { get; private set; } = partition.CleanedTo;

    public void Visit(in RecordBatch batch)
    {
        if (IsFull || batch.NextOffset <= _from)
        {
            return;
        }

        if (batch.IsControl || partition.IsAborted(batch)
            || !rewriter.TryGetRecords(batch, out ReadOnlySpan<byte> records))
        {
            EndOffset = batch.NextOffset;
            return;
        }

        var reader = new RecordReader(records, batch.Count);
        while (reader.TryRead(out StreamRecord record))
        {
            long offset = batch.BaseOffset + record.OffsetDelta;
            if (offset >= _from && record.HasKey && !TryNote(record.Key, offset))
            {
                IsFull = true;
                EndOffset = offset;
                return;
            }
        }

        EndOffset = batch.NextOffset;
    }

    /// <summary>A segment was visited to its end.</summary>
    public void EndSegment(long nextOffset) => EndOffset = IsFull ? EndOffset : nextOffset;

    /// <summary>Whether a later record has the same key.</summary>
    public bool IsReplaced(ReadOnlySpan<byte> key, long offset) =>
        _last.TryGetValue(Hash(key), out long last) && last > offset;

    private bool TryNote(ReadOnlySpan<byte> key, long offset)
    {
        UInt128 hash = Hash(key);
        if (_last.Count >= keysMax && !_last.ContainsKey(hash))
        {
            return false;
        }

        _last[hash] = offset;
        return true;
    }

    private static UInt128 Hash(ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
