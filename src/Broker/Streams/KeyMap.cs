using System.Buffers.Binary;
using System.Security.Cryptography;
using Pillarbox.Model.Records;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker.Streams;

/// <summary>The last offset of each key in a stretch of a partition. Keys are remembered by 128 bits of their
/// SHA-256, so that memory is bounded whatever their length. One owner.</summary>
internal sealed class KeyMap(Partition partition, BatchRewriter rewriter) : IBatchVisitor
{
    /// <summary>Most keys of one compaction, about 100 MiB; what does not fit is compacted the next time.</summary>
    public const int KeysMax = 1_500_000;

    private readonly Dictionary<UInt128, long> _last = [];

    public bool IsFull => _last.Count >= KeysMax;

    public void Visit(in RecordBatch batch)
    {
        if (batch.IsControl || partition.IsAborted(batch)
            || !rewriter.TryGetRecords(batch, out ReadOnlySpan<byte> records))
        {
            return;
        }

        var reader = new RecordReader(records, batch.Count);
        while (reader.TryRead(out StreamRecord record))
        {
            if (record.HasKey)
            {
                _last[Hash(record.Key)] = batch.BaseOffset + record.OffsetDelta;
            }
        }
    }

    /// <summary>Whether a later record has the same key.</summary>
    public bool IsReplaced(ReadOnlySpan<byte> key, long offset) =>
        _last.TryGetValue(Hash(key), out long last) && last > offset;

    private static UInt128 Hash(ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
