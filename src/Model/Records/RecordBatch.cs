using System.Buffers.Binary;

namespace Pillarbox.Model.Records;

/// <summary>
/// A view of one record batch of format 2, the unit in which streams are written, stored and read. Big-endian:
/// <code>
///  0 base offset       i64     23 last offset delta i32     43 producer id     i64
///  8 batch length      i32     27 base timestamp    i64     51 producer epoch  i16
/// 12 leader epoch      i32     35 max timestamp     i64     53 base sequence   i32
/// 16 magic (2)         i8                                   57 record count    i32
/// 17 crc32c of 21...   u32     21 attributes        i16     61 records
/// </code>
/// Everything before the checksum can be changed without a new one: base offset and leader epoch are.
/// </summary>
public readonly ref struct RecordBatch
{
    /// <summary>Bytes before the records.</summary>
    public const int HeaderBytes = 61;

    /// <summary>Bytes that the batch length does not count: base offset and the length itself.</summary>
    public const int LengthFrom = 12;

    /// <summary>Where the bytes under the checksum begin.</summary>
    public const int CrcFrom = 21;

    /// <summary>The format.</summary>
    public const byte MagicV2 = 2;

    /// <summary>The producer id of nobody.</summary>
    public const long NoProducer = -1;

    internal const int CompressionMask = 0x07;
    internal const int AppendTimeFlag = 0x08;
    internal const int TransactionalFlag = 0x10;
    internal const int ControlFlag = 0x20;
    internal const int DeleteHorizonFlag = 0x40;

    private RecordBatch(ReadOnlySpan<byte> bytes) => Bytes = bytes;

    /// <summary>The whole batch.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Offset of the first record.</summary>
    public long BaseOffset => Long(0);

    /// <summary>Bytes of the whole batch.</summary>
    public int SizeBytes => Int(8) + LengthFrom;

    /// <summary>Epoch of the leader that took it.</summary>
    public int LeaderEpoch => Int(12);

    /// <summary>The format, 2.</summary>
    public byte Magic => Bytes[16];

    /// <summary>The checksum as it stands there.</summary>
    public uint Crc => BinaryPrimitives.ReadUInt32BigEndian(Bytes[17..]);

    /// <summary>Flags.</summary>
    public short Attributes => BinaryPrimitives.ReadInt16BigEndian(Bytes[21..]);

    /// <summary>How the records are compressed; may be a number without a name.</summary>
    public RecordCompression Compression => (RecordCompression)(Attributes & CompressionMask);

    /// <summary>Whether the timestamps are the node's, of the append: all records then have the maximum.</summary>
    public bool IsAppendTime => (Attributes & AppendTimeFlag) != 0;

    /// <summary>Whether it belongs to a transaction.</summary>
    public bool IsTransactional => (Attributes & TransactionalFlag) != 0;

    /// <summary>Whether it holds control records, not a client's.</summary>
    public bool IsControl => (Attributes & ControlFlag) != 0;

    /// <summary>Whether the base timestamp says when its tombstones may go.</summary>
    public bool HasDeleteHorizon => (Attributes & DeleteHorizonFlag) != 0;

    /// <summary>Offset of the last record (even when compaction took it), relative to the base.</summary>
    public int LastOffsetDelta => Int(23);

    /// <summary>Offset of the last record.</summary>
    public long LastOffset => BaseOffset + LastOffsetDelta;

    /// <summary>Offset behind the batch.</summary>
    public long NextOffset => LastOffset + 1;

    /// <summary>Timestamp of the first record, in milliseconds since the Unix epoch; with a delete horizon, that.
    /// </summary>
    public long BaseTimestampMs => Long(27);

    /// <summary>Largest timestamp, in milliseconds since the Unix epoch.</summary>
    public long MaxTimestampMs => Long(35);

    /// <summary>Who wrote it; -1 = a producer without an id.</summary>
    public long ProducerId => Long(43);

    /// <summary>The producer's epoch.</summary>
    public short ProducerEpoch => BinaryPrimitives.ReadInt16BigEndian(Bytes[51..]);

    /// <summary>The producer's sequence number of the first record.</summary>
    public int BaseSequence => Int(53);

    /// <summary>The producer's sequence number of the last record: numbers go round at 2^31.</summary>
    public int LastSequence => AddSequence(BaseSequence, LastOffsetDelta);

    /// <summary>Records in the batch.</summary>
    public int Count => Int(57);

    /// <summary>The records, compressed or not.</summary>
    public ReadOnlySpan<byte> Records => Bytes[HeaderBytes..];

    /// <summary>Whether the checksum is that of the bytes.</summary>
    public bool IsCrcValid => Crc32C.Compute(Bytes[CrcFrom..]) == Crc;

    /// <summary>A view of the batch that the bytes begin with. Checks lengths and the format, and that count and deltas
    /// are possible; not the checksum, not the records.</summary>
    public static RecordBatchFault TryRead(ReadOnlySpan<byte> bytes, out RecordBatch batch)
    {
        batch = default;
        RecordBatchFault fault = TryReadHeader(bytes, out RecordBatch header);
        if (fault != RecordBatchFault.None)
        {
            return fault;
        }

        if (bytes.Length < header.SizeBytes)
        {
            return RecordBatchFault.Incomplete;
        }

        batch = new RecordBatch(bytes[..header.SizeBytes]);
        return RecordBatchFault.None;
    }

    /// <summary>A view of the header alone, when the rest of the batch is elsewhere: everything but
    /// <see cref="Records"/> and <see cref="IsCrcValid"/> can be asked.</summary>
    public static RecordBatchFault TryReadHeader(ReadOnlySpan<byte> bytes, out RecordBatch header)
    {
        header = default;
        if (bytes.Length < HeaderBytes)
        {
            return RecordBatchFault.Incomplete;
        }

        var view = new RecordBatch(bytes[..HeaderBytes]);
        int length = view.Int(8);
        if (length < HeaderBytes - LengthFrom || length > int.MaxValue - LengthFrom)
        {
            return RecordBatchFault.BadLength;
        }

        if (view.Magic != MagicV2)
        {
            return RecordBatchFault.BadMagic;
        }

        if (view.LastOffsetDelta < 0 || view.Count < 0 || view.BaseOffset > long.MaxValue - int.MaxValue - 1)
        {
            return RecordBatchFault.BadCount;
        }

        header = view;
        return RecordBatchFault.None;
    }

    /// <summary>Sequence numbers are those of 31 bits, and go round.</summary>
    public static int AddSequence(int sequence, int count) => (int)(((long)sequence + count) & int.MaxValue);

    private long Long(int at) => BinaryPrimitives.ReadInt64BigEndian(Bytes[at..]);

    private int Int(int at) => BinaryPrimitives.ReadInt32BigEndian(Bytes[at..]);
}
