using Pillarbox.Model;
using Pillarbox.Model.Records;

namespace Pillarbox.Storage.Partitions;

/// <summary>Told when a partition's durable end has moved, on the flusher's thread: do nothing but note and wake.
/// </summary>
public interface IPartitionEvents
{
    /// <summary>Everything below <see cref="PartitionLog.DurableOffset"/> is durable.</summary>
    void OnDurable();

    /// <summary>Nothing more will become durable.</summary>
    void OnFailed(StorageFailedException failure);
}

/// <summary>
/// The log of one partition: batches of records in segment files, the same bytes as on the wire. Appended bytes wait in
/// memory for the store's flusher, and stay there for a while to be read. Any thread; one short lock a partition.
/// <code>
///   StartOffset ... DurableOffset ... NextOffset
///   |  readable   |  in memory      |
/// </code>
/// </summary>
public sealed class PartitionLog
{
    private readonly Lock _gate = new();
    private readonly PartitionStore _store;
    private readonly string _directory;
    private readonly List<PartitionSegment> _segments = [];
    private readonly List<HotChunk> _chunks = [];
    private readonly DurableWaiters _waiters = new();
    private PartitionOptions _options;
    private long _nextOffset;
    private long _durableOffset;
    private long _sizeBytes;
    private long _appendedBytes;
    private bool _isDeleted;
    private bool _isQueued;

    internal PartitionLog(PartitionStore store, string directory, int number, in PartitionOptions options)
    {
        _store = store;
        _directory = directory;
        Number = number;
        _options = options;
    }

    /// <summary>The partition's number within its stream.</summary>
    public int Number { get; }

    /// <summary>Who is told of durable appends. Set before the first append.</summary>
    public IPartitionEvents? Events { get; set; }

    /// <summary>Sizes and promises; may be set at any time.</summary>
    public PartitionOptions Options
    {
        get
        {
            lock (_gate)
            {
                return _options;
            }
        }

        set
        {
            lock (_gate)
            {
                _options = value;
            }
        }
    }

    /// <summary>The lowest offset that segments hold.</summary>
    public long StartOffset
    {
        get
        {
            lock (_gate)
            {
                return _segments.Count == 0 ? _nextOffset : _segments[0].BaseOffset;
            }
        }
    }

    /// <summary>The offset that the next append gets.</summary>
    public long NextOffset => Volatile.Read(ref _nextOffset);

    /// <summary>Everything below survives what <see cref="FlushMode"/> promises.</summary>
    public long DurableOffset => Volatile.Read(ref _durableOffset);

    /// <summary>Bytes of all segments.</summary>
    public long SizeBytes => Volatile.Read(ref _sizeBytes);

    /// <summary>Bytes appended since it was opened.</summary>
    public long AppendedBytes => Volatile.Read(ref _appendedBytes);

    internal Lock Gate => _gate;

    internal string Directory => _directory;

    internal List<PartitionSegment> Segments => _segments;

    internal PartitionStore Store => _store;

    /// <summary>
    /// Appends one checked batch: copies it, gives it its place (base offset, leader epoch and, unless
    /// <paramref name="appendTimeMs"/> is -1, the timestamp of the append). Returns the base offset. The order of calls
    /// is
    /// the order of the log, so the caller serializes them. Throws <see cref="StorageFullException"/>,
    /// <see cref="StorageBusyException"/> or <see cref="StorageFailedException"/>, and has then appended nothing.
    /// </summary>
    public long Append(ReadOnlySpan<byte> batch, int leaderEpoch, long appendTimeMs = -1)
    {
        _store.CheckAppend(batch.Length);
        lock (_gate)
        {
            if (_isDeleted)
            {
                throw new StorageException($"partition {Number} is deleted");
            }

            long baseOffset = _nextOffset;
            HotChunk chunk = MakeRoom(batch.Length, baseOffset);
            Span<byte> copy = chunk.Data.AsSpan(chunk.Used, batch.Length);
            batch.CopyTo(copy);
            RecordBatchPatch.SetPlace(copy, baseOffset, leaderEpoch);
            if (appendTimeMs >= 0)
            {
                RecordBatchPatch.SetAppendTime(copy, appendTimeMs);
            }

            RecordBatchFault fault = RecordBatch.TryReadHeader(copy, out RecordBatch header);
            Invariant.That(fault == RecordBatchFault.None && header.SizeBytes == batch.Length);
            NoteBatch(chunk.Segment, header);
            chunk.Publish(batch.Length);
            _appendedBytes += batch.Length;
            Volatile.Write(ref _nextOffset, header.NextOffset);
            _store.NotePending(batch.Length);
            if (!_isQueued)
            {
                _isQueued = true;
                _store.Flusher.Enqueue(this);
            }

            return baseOffset;
        }
    }

    /// <summary>Calls the waiter once, when everything below <paramref name="offset"/> is durable: at once, on this
    /// thread, if it is already.</summary>
    public void WhenDurable(long offset, IDurableWaiter waiter) => _waiters.Add(offset, waiter);

    /// <summary>Closes the last segment, so that the next append begins a new one; for retention and compaction, which
    /// never touch the last one. False when it is empty.</summary>
    public bool Roll()
    {
        lock (_gate)
        {
            if (_segments is not [.., { SizeBytes: > 0 }])
            {
                return false;
            }

            _segments.Add(NewSegment(_nextOffset));
            return true;
        }
    }

    /// <summary>Deletes the segments that lie wholly below an offset, never the last one; returns how many. The files
    /// stay
    /// readable for those who read them.</summary>
    public int DeleteBelow(long offset)
    {
        var deleted = new List<PartitionSegment>();
        lock (_gate)
        {
            while (_segments.Count > 1 && _segments[1].BaseOffset <= offset
                && _segments[0].NextOffset <= _durableOffset)
            {
                deleted.Add(_segments[0]);
                _sizeBytes -= _segments[0].SizeBytes;
                DropChunks(_segments[0]);
                _segments.RemoveAt(0);
            }
        }

        _store.DeleteFiles(deleted);
        return deleted.Count;
    }

    /// <summary>Takes everything away; the files go as soon as nobody reads them.</summary>
    public void Delete()
    {
        List<PartitionSegment> segments;
        lock (_gate)
        {
            _isDeleted = true;
            segments = [.. _segments];
            _segments.Clear();
            DropChunks(null);
        }

        _store.Remove(this);
        _store.DeleteFiles(segments);
    }

    /// <summary>Reads whole batches from the one that holds <paramref name="offset"/> on, below
    /// <paramref name="limit"/> (an offset at which a batch begins), at most <paramref name="bytesMax"/> bytes; the
    /// first
    /// batch even beyond that when <paramref name="atLeastOne"/>. Offsets below the start, or at the limit, give
    /// nothing. Throws <see cref="StorageException"/>.</summary>
    public void Read(long offset, long limit, int bytesMax, bool atLeastOne, PartitionRead into)
    {
        into.Reset();
        while (offset >= 0)
        {
            PartitionSegment segment;
            lock (_gate)
            {
                if (offset >= Math.Min(limit, _nextOffset))
                {
                    return;
                }

                if (_chunks.Count > 0 && offset >= _chunks[0].BaseOffset)
                {
                    ReadHot(offset, limit, bytesMax, atLeastOne, into);
                    return;
                }

                int index = FindSegment(offset);
                if (index < 0)
                {
                    return;
                }

                segment = _segments[index];
            }

            // Compaction may have left nothing of the segment behind this offset: then it goes on further up.
            offset = ColdReader.Read(_store, segment, new ColdRange(offset, limit, bytesMax, atLeastOne), into)
                ? -1
                : GoOnBehind(segment);
        }
    }

    /// <summary>The first batch whose largest timestamp is at least <paramref name="timestampMs"/>, below
    /// <paramref name="limit"/>: its base offset, or -1 when there is none.</summary>
    public long FindTime(long timestampMs, long limit)
    {
        for (PartitionSegment? segment = FirstSegment(); segment is not null; segment = NextOf(segment))
        {
            if (segment.BaseOffset >= limit)
            {
                return -1;
            }

            long found = ColdReader.FindTime(_store, segment, timestampMs);
            found = found >= 0 ? found : FindHotTime(segment, timestampMs);
            if (found >= 0)
            {
                return found < limit ? found : -1;
            }
        }

        return -1;
    }

    /// <summary>The base offset of the batch with the largest timestamp; -1 when there is
    /// none.
    /// </summary>
    public long FindLargestTime(out long timestampMs)
    {
        timestampMs = -1;
        long offset = -1;
        for (PartitionSegment? segment = FirstSegment(); segment is not null; segment = NextOf(segment))
        {
            ColdReader.EnsureIndex(_store, segment);
            lock (_gate)
            {
                if (segment.TimestampMaxMs > timestampMs)
                {
                    timestampMs = segment.TimestampMaxMs;
                    offset = segment.TimestampMaxOffset;
                }
            }
        }

        return offset;
    }

    /// <summary>How far a segment must be read from disk: where memory begins, or its end. Under the lock.</summary>
    internal (int SizeBytes, long NextOffset) ColdEnd(PartitionSegment segment)
    {
        foreach (HotChunk chunk in _chunks)
        {
            if (ReferenceEquals(chunk.Segment, segment))
            {
                return (chunk.Start, chunk.BaseOffset);
            }
        }

        return (segment.SizeBytes, segment.NextOffset);
    }

    internal string PathOf(long baseOffset, string suffix) =>
        _directory + "/" + PartitionSegment.NameOf(Number, baseOffset, suffix);

    /// <summary>Takes what was appended since the last time; returns the offset behind it.</summary>
    internal long Capture(List<ChunkSlice> slices, out FlushMode mode)
    {
        lock (_gate)
        {
            _isQueued = false;
            mode = _options.Flush;
            foreach (HotChunk chunk in _chunks)
            {
                if (chunk.Captured < chunk.Used)
                {
                    chunk.Hold();
                    slices.Add(new ChunkSlice(chunk, chunk.Captured, chunk.Used));
                    chunk.Captured = chunk.Used;
                }
            }

            return _nextOffset;
        }
    }

    /// <summary>Everything below is durable. Flusher's thread.</summary>
    internal void NoteDurable(long offset)
    {
        Volatile.Write(ref _durableOffset, offset);
        Events?.OnDurable();
        _waiters.Complete(offset);
    }

    /// <summary>Nothing more becomes durable. Flusher's thread.</summary>
    internal void NoteFailed(StorageFailedException failure)
    {
        Events?.OnFailed(failure);
        _waiters.Fail(failure);
    }

    /// <summary>Takes the oldest chunk out of use; false while it waits for the disk.</summary>
    internal bool TryEvict(HotChunk chunk)
    {
        lock (_gate)
        {
            if (chunk.IsDropped)
            {
                return true;
            }

            if (chunk.Written < chunk.Used)
            {
                return false;
            }

            Invariant.That(ReferenceEquals(_chunks[0], chunk));
            _chunks.RemoveAt(0);
            return true;
        }
    }

    /// <summary>Puts in place what recovery found. Before the first append.</summary>
    internal void Recover(long nextOffset)
    {
        _nextOffset = _durableOffset = nextOffset;
        _waiters.Complete(nextOffset);
        _sizeBytes = _segments.Sum(segment => (long)segment.SizeBytes);
    }

    internal void NoteBatch(PartitionSegment segment, in RecordBatch batch)
    {
        int position = segment.SizeBytes;
        segment.Index!.Note((int)(batch.BaseOffset - segment.BaseOffset), position, segment.TimestampMaxMs);
        if (segment.SizeBytes == 0)
        {
            segment.TimestampFirstMs = batch.MaxTimestampMs;
        }

        if (batch.MaxTimestampMs > segment.TimestampMaxMs)
        {
            segment.TimestampMaxMs = batch.MaxTimestampMs;
            segment.TimestampMaxOffset = batch.BaseOffset;
        }

        segment.SizeBytes += batch.SizeBytes;
        segment.NextOffset = batch.NextOffset;
        _sizeBytes += batch.SizeBytes;
    }

    internal PartitionSegment NewSegment(long baseOffset) =>
        new(this, baseOffset) { Index = new SegmentIndex(_options.IndexIntervalBytes) };

    /// <summary>Forgets the memory of a segment, or of all.</summary>
    private void DropChunks(PartitionSegment? segment)
    {
        int kept = 0;
        foreach (HotChunk chunk in _chunks)
        {
            if (segment is not null && !ReferenceEquals(chunk.Segment, segment))
            {
                _chunks[kept++] = chunk;
                continue;
            }

            _store.NotePending(chunk.Captured - chunk.Used);
            chunk.IsDropped = true;
        }

        _chunks.RemoveRange(kept, _chunks.Count - kept);
    }

    private HotChunk MakeRoom(int batchBytes, long baseOffset)
    {
        PartitionSegment? active = _segments.Count == 0 ? null : _segments[^1];
        if (active is null || IsFull(active, batchBytes, baseOffset))
        {
            active = NewSegment(baseOffset);
            _segments.Add(active);
        }

        HotChunk? tail = _chunks.Count == 0 ? null : _chunks[^1];
        if (tail is not null && ReferenceEquals(tail.Segment, active) && tail.Room >= batchBytes)
        {
            return tail;
        }

        HotChunk chunk = _store.Memory.Rent(batchBytes, tail?.Data.Length ?? 0);
        chunk.Begin(this, active, baseOffset);
        _chunks.Add(chunk);
        _store.Memory.Enlist(chunk);
        return chunk;
    }

    private bool IsFull(PartitionSegment active, int batchBytes, long baseOffset) =>
        active.SizeBytes > 0
        && (active.SizeBytes + (long)batchBytes > _options.SegmentBytes
            || baseOffset - active.BaseOffset > int.MaxValue - (1 << 24));

    private void ReadHot(long offset, long limit, int bytesMax, bool atLeastOne, PartitionRead into)
    {
        int index = _chunks.Count - 1;
        while (index > 0 && _chunks[index].BaseOffset > offset)
        {
            index--;
        }

        int from = _chunks[index].Find(offset);
        for (; index < _chunks.Count; index++, from = 0)
        {
            HotChunk chunk = _chunks[index];
            int end = limit >= _nextOffset || (index + 1 < _chunks.Count && _chunks[index + 1].BaseOffset <= limit)
                ? chunk.Used
                : chunk.Find(limit);
            int room = bytesMax - into.Bytes;
            int to = end - from <= room ? end : chunk.FloorBorder(from, from + Math.Max(0, room));
            if (to == from && from < end && into.Bytes == 0 && atLeastOne)
            {
                to = from + chunk.BatchBytesAt(from);
            }

            if (to > from)
            {
                into.Add(chunk, from, to);
                into.EndOffset = to < chunk.Used ? chunk.BaseOffsetAt(to)
                    : index + 1 < _chunks.Count ? _chunks[index + 1].BaseOffset
                    : _nextOffset;
            }

            if (to < chunk.Used)
            {
                return;
            }
        }
    }

    private long FindHotTime(PartitionSegment segment, long timestampMs)
    {
        lock (_gate)
        {
            foreach (HotChunk chunk in _chunks)
            {
                long found = ReferenceEquals(chunk.Segment, segment) ? chunk.FindTime(timestampMs) : -1;
                if (found >= 0)
                {
                    return found;
                }
            }

            return -1;
        }
    }

    /// <summary>The segment that an offset belongs to: the last that begins at or before it; the first one when a gap
    /// is in front. -1 when there is none, or the offset is below the start.</summary>
    private int FindSegment(long offset)
    {
        int index = _segments.Count - 1;
        while (index >= 0 && _segments[index].BaseOffset > offset)
        {
            index--;
        }

        return index;
    }

    /// <summary>Where a read goes on when the part of a segment that is on disk had nothing for it; -1 at the end.
    /// </summary>
    private long GoOnBehind(PartitionSegment segment)
    {
        lock (_gate)
        {
            foreach (HotChunk chunk in _chunks)
            {
                if (ReferenceEquals(chunk.Segment, segment))
                {
                    return chunk.BaseOffset;
                }
            }
        }

        return NextOf(segment)?.BaseOffset ?? -1;
    }

    private PartitionSegment? FirstSegment()
    {
        lock (_gate)
        {
            return _segments.Count == 0 ? null : _segments[0];
        }
    }

    private PartitionSegment? NextOf(PartitionSegment segment)
    {
        lock (_gate)
        {
            int index = _segments.FindIndex(other => other.BaseOffset > segment.BaseOffset);
            return index < 0 ? null : _segments[index];
        }
    }
}
