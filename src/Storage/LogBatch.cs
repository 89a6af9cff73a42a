using System.Buffers;
using System.Runtime.CompilerServices;
using Pillarbox.Model;

namespace Pillarbox.Storage;

/// <summary>
/// Records being built for one <see cref="SegmentedLog.Append"/>, outside the log's lock. Reused: <see cref="Clear"/>
/// and
/// build again. One owner; not thread-safe.
/// </summary>
public sealed class LogBatch : IBufferWriter<byte>
{
    /// <summary>Most bytes of one batch, headers included: 128 MiB.</summary>
    public const int BytesMax = 128 << 20;

    private const int KeptBytesMax = 4 << 20;

    // A buffer beyond this that batches leave nearly empty, so many times in a row, is let go.
    private const int SpareBytesMax = 64 << 10;
    private const int SpareBatchesMax = 4096;

    private const int KeptRecordsMax = 1 << 16;
    private byte[] _buffer;
    private int[] _offsets = new int[16];
    private int[] _references = new int[16];
    private int _length;
    private int _openAt = -1;
    private byte _openType;
    private int _spareBatches;

    /// <summary>An empty batch with room for <paramref name="capacity"/> bytes before it grows.</summary>
    public LogBatch(int capacity = 4096) => _buffer = new byte[Math.Max(capacity, 64)];

    /// <summary>All records of the batch stand or fall together in recovery. Cleared by <see cref="Clear"/>.</summary>
    public bool Group { get; set; }

    /// <summary>Appended even when the disk is full, from the reserve: for what frees space, such as settlements.
    /// Cleared by <see cref="Clear"/>.</summary>
    public bool Essential { get; set; }

    /// <summary>Finished records.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of all finished records, headers included.</summary>
    public int Bytes => _openAt >= 0 ? _openAt : _length;

    internal Span<byte> Buffer => _buffer;

    /// <summary>The payload of a finished record, by what <see cref="End"/> returned and its length. Valid until the
    /// next change.</summary>
    public ReadOnlySpan<byte> PayloadAt(int offset, int bytes) =>
        _buffer.AsSpan(offset + RecordFormat.HeaderBytes, bytes);

    /// <summary>Forgets all records.</summary>
    public void Clear()
    {
        _spareBatches = _length < _buffer.Length / 4 ? _spareBatches + 1 : 0;
        bool isSpare = _buffer.Length > SpareBytesMax && _spareBatches >= SpareBatchesMax;
        Count = 0;
        _length = 0;
        _openAt = -1;
        Group = false;
        Essential = false;
        if (_buffer.Length > KeptBytesMax || isSpare)
        {
            _buffer = new byte[4096];
            _spareBatches = 0;
        }

        if (_offsets.Length > KeptRecordsMax)
        {
            _offsets = new int[16];
            _references = new int[16];
        }
    }

    /// <summary>Forgets the finished records behind the first <paramref name="count"/>, and an open one.</summary>
    public void Cut(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count);
        _length = OffsetOf(count);
        _openAt = -1;
        Count = count;
    }

    /// <summary>Begins a record of a type from 1 to <see cref="RecordFormat.TypeMax"/>. Its payload is what is written
    /// until <see cref="End"/>.</summary>
    public void Begin(byte type)
    {
        if (_openAt >= 0 || type is 0 or > RecordFormat.TypeMax)
        {
            throw new InvalidOperationException("a record is open already, or its type is out of range");
        }

        Reserve(RecordFormat.HeaderBytes);
        _openAt = _length;
        _openType = type;
        _length += RecordFormat.HeaderBytes;
    }

    /// <summary>Ends the record; returns its offset in the batch: its position is the position that
    /// <see cref="SegmentedLog.Append"/> returns plus this. References are counted with the append itself, as
    /// <see cref="SegmentedLog.AddReferences"/> would with the payload's length each.</summary>
    public int End(int references = 0)
    {
        int payloadBytes = OpenPayloadBytes;
        if (payloadBytes > RecordFormat.PayloadBytesMax)
        {
            throw new InvalidOperationException("the record is larger than a log takes");
        }

        int offset = _openAt;
        uint crc = Crc32C.Append(Crc32C.Seed, _buffer.AsSpan(offset + RecordFormat.HeaderBytes, payloadBytes));
        RecordFormat.WriteDraft(_buffer.AsSpan(offset, RecordFormat.HeaderBytes), payloadBytes, _openType, crc);
        if (Count == _offsets.Length)
        {
            Array.Resize(ref _offsets, Count * 2);
            Array.Resize(ref _references, Count * 2);
        }

        _references[Count] = references;
        _offsets[Count++] = offset;
        _openAt = -1;
        return offset;
    }

    /// <summary>Drops the open record.</summary>
    public void Abandon()
    {
        if (_openAt >= 0)
        {
            _length = _openAt;
            _openAt = -1;
        }
    }

    /// <summary>A whole record in one call; returns its offset in the batch.</summary>
    public int Add(byte type, ReadOnlySpan<byte> payload, int references = 0)
    {
        Begin(type);
        Write(payload);
        return End(references);
    }

    /// <summary>Adds bytes to the open record.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        _length += bytes.Length;
    }

    /// <summary>Adds bytes to the open record.</summary>
    public void Write(in ReadOnlySequence<byte> bytes)
    {
        foreach (ReadOnlyMemory<byte> part in bytes)
        {
            Write(part.Span);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _buffer.AsSpan(_length);
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _buffer.AsMemory(_length);
    }

    /// <inheritdoc/>
    public void Advance(int count)
    {
        if (count < 0 || count > _buffer.Length - _length || _openAt < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(count));
        }

        _length += count;
    }

    /// <summary>Offset of a finished record.</summary>
    internal int OffsetOf(int record) => record == Count ? Bytes : _offsets[record];

    /// <summary>References that a finished record begins with.</summary>
    internal int ReferencesOf(int record) => _references[record];

    private int OpenPayloadBytes =>
        _openAt >= 0
            ? _length - _openAt - RecordFormat.HeaderBytes
            : throw new InvalidOperationException("no record is open");

    private void Reserve(int bytes)
    {
        if (_buffer.Length - _length < bytes)
        {
            Grow(bytes);
        }
    }

    private void Grow(int bytes)
    {
        long needed = (long)_length + bytes;
        if (needed > BytesMax)
        {
            throw new InvalidOperationException("the batch is larger than a log takes");
        }

        Array.Resize(ref _buffer, (int)Math.Min(BytesMax, Math.Max(needed, _buffer.Length * 2L)));
    }
}
