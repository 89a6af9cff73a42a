using System.Buffers.Binary;

namespace Pillarbox.Model.Records;

/// <summary>
/// The control record that ends a transaction in a partition. Key: version i16, type i16 (0 abort, 1 commit); value:
/// version i16, coordinator epoch i32.
/// </summary>
/// <param name="IsCommit">Whether the transaction's records count.</param>
/// <param name="CoordinatorEpoch">Epoch of the coordinator that decided.</param>
public readonly record struct EndTransactionMarker(bool IsCommit, int CoordinatorEpoch)
{
    private const short Abort = 0;
    private const short Commit = 1;

    /// <summary>Reads the marker of a control batch; false when it holds another control record.</summary>
    public static bool TryRead(in RecordBatch batch, out EndTransactionMarker marker)
    {
        marker = default;
        var records = new RecordReader(batch.Records, batch.Count);
        if (!batch.IsControl || !records.TryRead(out StreamRecord record)
            || record.Key.Length < 4 || record.Value.Length < 6)
        {
            return false;
        }

        short type = BinaryPrimitives.ReadInt16BigEndian(record.Key[2..]);
        marker = new EndTransactionMarker(type == Commit, BinaryPrimitives.ReadInt32BigEndian(record.Value[2..]));
        return type is Abort or Commit;
    }

    /// <summary>Builds the batch of the marker.</summary>
    public ReadOnlyMemory<byte> Build(
        RecordBatchBuilder builder, long producerId, short producerEpoch, long timestampMs)
    {
        Span<byte> key = stackalloc byte[4];
        Span<byte> value = stackalloc byte[6];
        key.Clear();
        value.Clear();
        BinaryPrimitives.WriteInt16BigEndian(key[2..], IsCommit ? Commit : Abort);
        BinaryPrimitives.WriteInt32BigEndian(value[2..], CoordinatorEpoch);
        builder.Begin(new RecordBatchOptions
        {
            ProducerId = producerId,
            ProducerEpoch = producerEpoch,
            IsTransactional = true,
            IsControl = true,
        });
        builder.Add(timestampMs, key, value);
        return builder.Finish();
    }
}
