using System.Buffers;
using System.Buffers.Binary;

namespace Pillarbox.Model.Records;

/// <summary>What stands in the header of a batch to build.</summary>
public readonly record struct RecordBatchOptions
{
    /// <summary>A plain batch, of no producer.</summary>
    public RecordBatchOptions()
    {
    }

    /// <summary>Offset of the first record; the leader sets its own.</summary>
    public long BaseOffset { get; init; }

    /// <summary>Epoch of the leader; the leader sets its own.</summary>
    public int LeaderEpoch { get; init; } = -1;

    /// <summary>Who writes; -1 = nobody with an id.</summary>
    public long ProducerId { get; init; } = RecordBatch.NoProducer;

    /// <summary>Epoch of the producer.</summary>
    public short ProducerEpoch { get; init; } = -1;

    /// <summary>Sequence number of the first record.</summary>
    public int BaseSequence { get; init; } = -1;

    /// <summary>Part of a transaction.</summary>
    public bool IsTransactional { get; init; }

    /// <summary>Control records.</summary>
    public bool IsControl { get; init; }

    /// <summary>Timestamps are those of the append.</summary>
    public bool IsAppendTime { get; init; }

    /// <summary>When tombstones and markers of the batch may go, in milliseconds since the Unix epoch; -1 = not
    /// decided.</summary>
    public long DeleteHorizonMs { get; init; } = -1;

    /// <summary>The options of a batch that is there, to build it anew.</summary>
    public static RecordBatchOptions Of(in RecordBatch batch) => new()
    {
        BaseOffset = batch.BaseOffset,
        LeaderEpoch = batch.LeaderEpoch,
        ProducerId = batch.ProducerId,
        ProducerEpoch = batch.ProducerEpoch,
        BaseSequence = batch.BaseSequence,
        IsTransactional = batch.IsTransactional,
        IsControl = batch.IsControl,
        IsAppendTime = batch.IsAppendTime,
        DeleteHorizonMs = batch.HasDeleteHorizon ? batch.BaseTimestampMs : -1,
    };
}

/// <summary>Builds batches, one after another, in memory of its own. One owner.</summary>
public sealed class RecordBatchBuilder
{
    private readonly ArrayBufferWriter<byte> _bytes = new(1024);
    private RecordBatchOptions _options;
    private long _baseTimestampMs;
    private long _maxTimestampMs;
    private int _lastOffsetDelta;

    /// <summary>Begins empty, with default options.</summary>
    public RecordBatchBuilder() => Begin(new RecordBatchOptions());

    /// <summary>Records so far.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes so far, header included.</summary>
    public int SizeBytes => _bytes.WrittenCount;

    /// <summary>Forgets what is there and begins a batch.</summary>
    public void Begin(in RecordBatchOptions options)
    {
        _options = options;
        _bytes.ResetWrittenCount();
        _bytes.GetSpan(RecordBatch.HeaderBytes)[..RecordBatch.HeaderBytes].Clear();
        _bytes.Advance(RecordBatch.HeaderBytes);
        Count = 0;
        _lastOffsetDelta = -1;
        _maxTimestampMs = -1;
    }

    /// <summary>Adds a record without headers.</summary>
    public void Add(long timestampMs, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        Add(new RecordContent { TimestampMs = timestampMs, HasKey = true, Key = key, HasValue = true, Value = value });

    /// <summary>Adds a record.</summary>
    public void Add(in RecordContent record)
    {
        int offsetDelta = record.OffsetDelta >= 0 ? record.OffsetDelta : _lastOffsetDelta + 1;
        if (Count == 0)
        {
            _baseTimestampMs = _options.DeleteHorizonMs >= 0 ? _options.DeleteHorizonMs : record.TimestampMs;
        }

        _maxTimestampMs = Math.Max(_maxTimestampMs, record.TimestampMs);
        _lastOffsetDelta = offsetDelta;
        long timestampDelta = record.TimestampMs - _baseTimestampMs;
        int headers = record.HeaderCount;
        int length = 1 + Varint.BytesOf(timestampDelta) + Varint.BytesOf(offsetDelta)
            + BytesOf(record.HasKey, record.Key) + BytesOf(record.HasValue, record.Value)
            + Varint.BytesOf(headers) + record.Headers.Length;
        Span<byte> span = _bytes.GetSpan(length + Varint.IntBytesMax);
        int at = Varint.Write(span, length);
        span[at++] = 0;
        at += Varint.Write(span[at..], timestampDelta);
        at += Varint.Write(span[at..], offsetDelta);
        at += Write(span[at..], record.HasKey, record.Key);
        at += Write(span[at..], record.HasValue, record.Value);
        at += Varint.Write(span[at..], headers);
        record.Headers.CopyTo(span[at..]);
        _bytes.Advance(at + record.Headers.Length);
        Count++;
    }

    /// <summary>The batch; valid until <see cref="Begin"/>. <paramref name="lastOffsetDelta"/>: when the last record
    /// was
    /// left out, where it was.</summary>
    public ReadOnlyMemory<byte> Finish(int lastOffsetDelta = -1)
    {
        Span<byte> batch = System.Runtime.InteropServices.MemoryMarshal.AsMemory(_bytes.WrittenMemory).Span;
        BinaryPrimitives.WriteInt64BigEndian(batch, _options.BaseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[8..], batch.Length - RecordBatch.LengthFrom);
        BinaryPrimitives.WriteInt32BigEndian(batch[12..], _options.LeaderEpoch);
        batch[16] = RecordBatch.MagicV2;
        BinaryPrimitives.WriteInt16BigEndian(batch[21..], Attributes);
        BinaryPrimitives.WriteInt32BigEndian(batch[23..], Math.Max(0, Math.Max(_lastOffsetDelta, lastOffsetDelta)));
        BinaryPrimitives.WriteInt64BigEndian(batch[27..], Count == 0 ? _options.DeleteHorizonMs : _baseTimestampMs);
        BinaryPrimitives.WriteInt64BigEndian(batch[35..], _maxTimestampMs);
        BinaryPrimitives.WriteInt64BigEndian(batch[43..], _options.ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(batch[51..], _options.ProducerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(batch[53..], _options.BaseSequence);
        BinaryPrimitives.WriteInt32BigEndian(batch[57..], Count);
        RecordBatchPatch.RefreshCrc(batch);
        return _bytes.WrittenMemory;
    }

    /// <summary>Encodes headers, to be handed to <see cref="Add(in RecordContent)"/>. A null value is none.</summary>
    public static byte[] EncodeHeaders(IReadOnlyList<(byte[] Key, byte[]? Value)> headers)
    {
        int bytes = headers.Sum(header => BytesOf(true, header.Key) + BytesOf(header.Value is not null, header.Value));
        byte[] encoded = new byte[bytes];
        int at = 0;
        foreach ((byte[] key, byte[]? value) in headers)
        {
            at += Write(encoded.AsSpan(at), true, key);
            at += Write(encoded.AsSpan(at), value is not null, value);
        }

        return encoded;
    }

    private short Attributes => (short)((_options.IsTransactional ? RecordBatch.TransactionalFlag : 0)
        | (_options.IsControl ? RecordBatch.ControlFlag : 0)
        | (_options.DeleteHorizonMs >= 0 ? RecordBatch.DeleteHorizonFlag : 0)
        | (_options.IsAppendTime ? RecordBatch.AppendTimeFlag : 0));

    private static int BytesOf(bool has, ReadOnlySpan<byte> bytes) =>
        has ? Varint.BytesOf(bytes.Length) + bytes.Length : 1;

    private static int Write(Span<byte> target, bool has, ReadOnlySpan<byte> bytes)
    {
        int at = Varint.Write(target, has ? bytes.Length : -1);
        bytes.CopyTo(target[at..]);
        return at + bytes.Length;
    }
}

/// <summary>A record to add to a batch.</summary>
public readonly ref struct RecordContent
{
    /// <summary>Neither key nor value.</summary>
    public RecordContent()
    {
    }

    /// <summary>When, in milliseconds since the Unix epoch.</summary>
    public long TimestampMs { get; init; }

    /// <summary>Its offset relative to the batch's; -1 = the next one.</summary>
    public int OffsetDelta { get; init; } = -1;

    /// <summary>Whether there is a key.</summary>
    public bool HasKey { get; init; }

    /// <summary>The key.</summary>
    public ReadOnlySpan<byte> Key { get; init; }

    /// <summary>Whether there is a value.</summary>
    public bool HasValue { get; init; }

    /// <summary>The value.</summary>
    public ReadOnlySpan<byte> Value { get; init; }

    /// <summary>How many headers <see cref="Headers"/> holds.</summary>
    public int HeaderCount { get; init; }

    /// <summary>Headers as they are encoded in a record, without their count.</summary>
    public ReadOnlySpan<byte> Headers { get; init; }
}
