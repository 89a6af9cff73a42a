using Pillarbox.Model;

namespace Pillarbox.Storage;

/// <summary>Bytes of a block that a flush writes.</summary>
internal readonly record struct FlushSlice(LogBlock Block, int From, int To);

/// <summary>
/// The writing end: one short lock in which records get their position, their checksum is finished and they are copied
/// into the block. Blocks belong to one segment, records to one block.
/// </summary>
internal sealed class LogAppender(ILogBackend backend, LogParts parts)
{
    private readonly Lock _gate = new();
    private readonly List<LogBlock> _unwritten = [];
    private LogSegment? _segment;
    private LogBlock? _block;
    private long _tail;

    /// <summary>Where the next record goes.</summary>
    public long Tail => Volatile.Read(ref _tail);

    /// <summary>True when the newest segment is a quarter full, or there is none: time to make the next file.</summary>
    public bool WantsSegmentSoon => _segment is not { } segment || segment.Room < segment.Capacity / 4 * 3;

    /// <summary>Where appends begin, and in which segment if one is open. Before the first append.</summary>
    public void Start(long tail, LogSegment? segment)
    {
        _tail = tail;
        _segment = segment;
    }

    /// <summary>Appends all records of a batch; returns the position of its offset 0.</summary>
    public long Append(LogBatch batch)
    {
        lock (_gate)
        {
            backend.Admit(batch, _tail);
            if (batch.Count == 0)
            {
                return _tail;
            }

            if (!backend.IsSegmentPerBlock)
            {
                ReserveInSegment(batch.Bytes, batch.Essential);
            }

            long position = _tail;
            AppendRecords(batch);
            return position;
        }
    }

    /// <summary>Takes all bytes that no flush has taken, and marks behind them how far the log was durable. The
    /// blocks are
    /// held. Returns the position up to which the slices reach; 0 when there is nothing.</summary>
    public long Capture(List<FlushSlice> slices, long durable, bool force)
    {
        lock (_gate)
        {
            if ((_unwritten.Count == 0 && !force) || _segment is null)
            {
                return 0;
            }

            AppendMarker(durable);
            foreach (LogBlock block in _unwritten)
            {
                slices.Add(new FlushSlice(block, block.Captured, block.Used));
                block.Captured = block.Used;
                block.IsQueued = false;
                Model.Invariant.That(block.TryHold());
            }

            _unwritten.Clear();
            return _tail;
        }
    }

    /// <summary>The block, or a new one, with room for a record.</summary>
    private LogBlock EnsureRoom(int recordBytes, bool isEssential)
    {
        if (_block is { } block && block.Room >= recordBytes)
        {
            return block;
        }

        int size = Math.Max(parts.Options.BlockBytes, recordBytes + RecordFormat.SealBytes);
        if (backend.IsSegmentPerBlock)
        {
            AddSegment(backend.MakeSegment(_tail, size, isEssential));
        }

        SealBlock();
        _block = new LogBlock(parts.Pool.Rent(size), _tail, _segment!, parts.Pool);
        parts.Cache.AddTail(_block);
        return _block;
    }

    private void ReserveInSegment(long bytes, bool isEssential)
    {
        long needed = bytes + RecordFormat.MarkerBytes + RecordFormat.SealBytes;
        if (_segment is { IsSealed: false } segment && segment.Room >= needed)
        {
            return;
        }

        // Made first: when it cannot be made, nothing has changed.
        LogSegment next = backend.MakeSegment(SealedEnd, needed, isEssential);
        if (_segment is { IsSealed: false })
        {
            AppendSeal();
        }

        SealBlock();
        AddSegment(next);
    }

    private long SealedEnd => _segment is { IsSealed: false } ? _tail + RecordFormat.SealBytes : _tail;

    private void AddSegment(LogSegment segment)
    {
        Model.Invariant.That(segment.BasePosition == _tail);
        _segment?.IsSealed = true;
        _segment = segment;
        parts.Segments.Add(segment);
    }

    private void SealBlock()
    {
        _block?.IsSealed = true;
        _block = null;
    }

    private void AppendRecords(LogBatch batch)
    {
        int next = 0;
        while (next < batch.Count)
        {
            int first = next;
            int from = batch.OffsetOf(first);
            LogBlock block = EnsureRoom(batch.OffsetOf(first + 1) - from, batch.Essential);
            next = batch.Bytes - from <= block.Room ? batch.Count : LastFit(batch, first, from + block.Room);
            int used = block.Used;
            ReadOnlySpan<byte> source = batch.Buffer[from..batch.OffsetOf(next)];
            Span<byte> target = block.Data.AsSpan(used, source.Length);
            source.CopyTo(target);
            FinishRecords(batch, first, next, target);
            Publish(block, used + source.Length);
        }
    }

    /// <summary>The first record that does not end at or before a limit of the batch's buffer.</summary>
    private static int LastFit(LogBatch batch, int first, int limit)
    {
        int next = first + 1;
        while (next < batch.Count && batch.OffsetOf(next + 1) <= limit)
        {
            next++;
        }

        return next;
    }

    private void FinishRecords(LogBatch batch, int first, int next, Span<byte> target)
    {
        long position = _tail;
        int offset = 0;
        long references = 0;
        long liveBytes = 0;
        for (int i = first; i < next; i++)
        {
            byte flags = batch.Group && i < batch.Count - 1 ? RecordFormat.GroupContinuesFlag : (byte)0;
            int bytes = RecordFormat.Finish(target[offset..], position + offset, flags);
            int count = batch.ReferencesOf(i);
            references += count;
            liveBytes += (long)count * (bytes - RecordFormat.HeaderBytes);
            offset += bytes;
        }

        if (references > 0)
        {
            _segment!.AddReferences(references, liveBytes);
        }
    }

    private void AppendMarker(long durable)
    {
        if (_segment!.IsSealed || _segment.Room < RecordFormat.MarkerBytes + RecordFormat.SealBytes)
        {
            return;
        }

        Span<byte> marker = stackalloc byte[RecordFormat.MarkerBytes];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(marker[RecordFormat.HeaderBytes..], durable);
        AppendOwn(EnsureRoom(RecordFormat.MarkerBytes, isEssential: true), RecordFormat.MarkerType, marker);
    }

    private void AppendSeal()
    {
        Span<byte> seal = stackalloc byte[RecordFormat.SealBytes];
        AppendOwn(_block ?? EnsureRoom(RecordFormat.SealBytes, isEssential: true), RecordFormat.SealType, seal);
    }

    private void AppendOwn(LogBlock block, byte type, Span<byte> record)
    {
        int length = record.Length - RecordFormat.HeaderBytes;
        uint crc = Crc32C.Append(Crc32C.Seed, record[RecordFormat.HeaderBytes..]);
        RecordFormat.WriteDraft(record, length, type, crc);
        RecordFormat.Finish(record, _tail, 0);
        int used = block.Used;
        record.CopyTo(block.Data.AsSpan(used));
        Publish(block, used + record.Length);
    }

    private void Publish(LogBlock block, int used)
    {
        long tail = block.Start + used;
        if (!block.IsQueued && !backend.IsSegmentPerBlock)
        {
            block.IsQueued = true;
            _unwritten.Add(block);
        }

        block.Publish(used);
        _segment!.End = tail;
        Volatile.Write(ref _tail, tail);
    }
}
