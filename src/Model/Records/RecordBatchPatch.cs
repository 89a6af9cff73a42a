using System.Buffers.Binary;

namespace Pillarbox.Model.Records;

/// <summary>Changes the header of a batch in place. Pure; the caller owns the bytes.</summary>
public static class RecordBatchPatch
{
    /// <summary>What the leader puts in: not under the checksum.</summary>
    public static void SetPlace(Span<byte> batch, long baseOffset, int leaderEpoch)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch, baseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[12..], leaderEpoch);
    }

    /// <summary>Makes the time of the append every record's timestamp; renews the checksum.</summary>
    public static void SetAppendTime(Span<byte> batch, long timestampMs)
    {
        short attributes = BinaryPrimitives.ReadInt16BigEndian(batch[21..]);
        BinaryPrimitives.WriteInt16BigEndian(batch[21..], (short)(attributes | RecordBatch.AppendTimeFlag));
        BinaryPrimitives.WriteInt64BigEndian(batch[35..], timestampMs);
        RefreshCrc(batch);
    }

    /// <summary>Sets the largest timestamp; renews the checksum.</summary>
    public static void SetMaxTimestamp(Span<byte> batch, long timestampMs)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch[35..], timestampMs);
        RefreshCrc(batch);
    }

    /// <summary>Makes a copied header that of a batch whose records have become other bytes; renews the
    /// checksum.</summary>
    public static void SetRecords(Span<byte> batch, RecordCompression compression)
    {
        int attributes = BinaryPrimitives.ReadInt16BigEndian(batch[21..]) & ~RecordBatch.CompressionMask;
        BinaryPrimitives.WriteInt16BigEndian(batch[21..], (short)(attributes | (int)compression));
        BinaryPrimitives.WriteInt32BigEndian(batch[8..], batch.Length - RecordBatch.LengthFrom);
        RefreshCrc(batch);
    }

    /// <summary>Sets the sequence number of the first record; the checksum is to be renewed.</summary>
    public static void SetBaseSequence(Span<byte> batch, int sequence) =>
        BinaryPrimitives.WriteInt32BigEndian(batch[53..], sequence);

    /// <summary>Writes the checksum of the bytes as they are now. The span is one whole batch.</summary>
    public static void RefreshCrc(Span<byte> batch) =>
        BinaryPrimitives.WriteUInt32BigEndian(batch[17..], Crc32C.Compute(batch[RecordBatch.CrcFrom..]));
}
