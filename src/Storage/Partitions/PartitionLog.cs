using Pillarbox.Model;
using Pillarbox.Model.Records;

namespace Pillarbox.Storage.Partitions;

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
    private readonly HotTail _tail;
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
        _tail = new HotTail(this, store.Memory);
        Number = number;
        MarkKey = DurableMarks.KeyOf(Path.GetFileName(directory), number);
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

    /// <summary>Its key among the durable marks.</summary>
    internal ulong MarkKey { get; }

    /// <summary>Bytes went to the system without a sync in this run: no mark can be made then. The flusher's.</summary>
    internal bool IsEverUnsynced { get; set; }

    internal string Directory => _directory;

    internal List<PartitionSegment> Segments => _segments;

    internal PartitionStore Store => _store;

    /// <summary>
    /// Appends one checked batch: copies it, gives it its place (base offset, leader epoch) and, where wanted, other
    /// times. Returns the base offset. The order of calls is
    /// the order of the log, so the caller serializes them. Throws <see cref="StorageFullException"/>,
    /// <see cref="StorageBusyException"/> or <see cref="StorageFailedException"/>, and has then appended nothing.
    /// </summary>
    public long Append(ReadOnlySpan<byte> batch, int leaderEpoch, BatchTimes times = default)
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
            if (times.AppendMs is { } appendMs)
            {
                RecordBatchPatch.SetAppendTime(copy, appendMs);
            }
            else if (times.LargestMs is { } largestMs)
            {
                RecordBatchPatch.SetMaxTimestamp(copy, largestMs);
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

    /// <summary>Where the partition stands now. It may be written down when everything below is durable and
    /// <see cref="PartitionStore.SyncUnsynced"/> has run.</summary>
    public PartitionMark Mark()
    {
        lock (_gate)
        {
            return new PartitionMark(_nextOffset, [.. _segments.Select(segment => segment.Mark)]);
        }
    }

    /// <summary>Figures of the oldest segment; false when there is none. <paramref name="isLast"/>: appends go to it.
    /// </summary>
    public bool TryGetOldest(out SegmentMark oldest, out bool isLast)
    {
        lock (_gate)
        {
            oldest = _segments.Count == 0 ? default : _segments[0].Mark;
            isLast = _segments.Count == 1;
            return _segments.Count > 0;
        }
    }

    /// <summary>Figures of the segment that appends go to; false when there is none.</summary>
    public bool TryGetNewest(out SegmentMark newest)
    {
        lock (_gate)
        {
            newest = _segments.Count == 0 ? default : _segments[^1].Mark;
            return _segments.Count > 0;
        }
    }

    /// <summary>Figures of the segments that take no more appends and end at or below an offset, oldest
    /// first.</summary>
    public IReadOnlyList<SegmentMark> ClosedBelow(long offset)
    {
        lock (_gate)
        {
            var closed = new List<SegmentMark>();
            for (int i = 0; i + 1 < _segments.Count && _segments[i].NextOffset <= Math.Min(offset, _durableOffset); i++)
            {
                closed.Add(_segments[i].Mark);
            }

            return closed;
        }
    }

    /// <summary>Visits all batches of a closed segment, from disk; none when it is gone. Throws
    /// <see cref="StorageException"/> when one is damaged.</summary>
    public void ReadSegment(long baseOffset, IBatchVisitor visitor)
    {
        PartitionSegment? segment;
        lock (_gate)
        {
            segment = _segments.Find(segment => segment.BaseOffset == baseOffset);
        }

        if (segment is not null)
        {
            SegmentRewrite.ReadAll(this, segment, visitor);
        }
    }

    /// <summary>Opens a closed segment to be read and written anew; null when it is gone.</summary>
    public SegmentRewrite? Rewrite(long baseOffset)
    {
        lock (_gate)
        {
            PartitionSegment? segment = _segments.Find(segment => segment.BaseOffset == baseOffset);
            return segment is null || ReferenceEquals(segment, _segments[^1])
                ? null
                : new SegmentRewrite(this, segment);
        }
    }

    /// <summary>Writes the indexes of closed segments to files, those that are new.</summary>
    public void SaveIndexes()
    {
        PartitionSegment[] unsaved;
        lock (_gate)
        {
            unsaved = [.. _segments.SkipLast(1).Where(segment =>
                !segment.IsIndexSaved && segment.IndexedFrom == 0 && segment.IsOnDisk)];
        }

        foreach (PartitionSegment segment in unsaved)
        {
            SegmentIndexFile.Write(_store.FileSystem, segment);
        }
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

                if (_tail.Holds(offset))
                {
                    _tail.Read(new ColdRange(offset, limit, bytesMax, atLeastOne), _nextOffset, into);
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

            long found = FindTime(segment, timestampMs);
            if (found >= 0)
            {
                return found < limit ? found : -1;
            }
        }

        return -1;
    }

    /// <summary>The base offset of the batch with the largest timestamp; -1 when there is none.</summary>
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
        if (_tail.TryGetStart(segment, out int position, out long offset))
        {
            return (position, offset);
        }

        return (segment.SizeBytes, segment.NextOffset);
    }

    /// <summary>Hands over the segments with bytes that were written and not synced.</summary>
    internal void TakeUnsynced(List<PartitionSegment> into)
    {
        lock (_gate)
        {
            foreach (PartitionSegment segment in _segments)
            {
                if (segment.IsUnsynced)
                {
                    segment.IsUnsynced = false;
                    into.Add(segment);
                }
            }
        }
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
            _tail.Capture(slices);
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
            return _tail.TryEvict(chunk);
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
        SegmentFigures.Note(segment, batch);
        _sizeBytes += batch.SizeBytes;
    }

    internal PartitionSegment NewSegment(long baseOffset) =>
        new(this, baseOffset) { Index = NewIndex() };

    internal SegmentIndex NewIndex() => new(_options.IndexIntervalBytes);

    private void DropChunks(PartitionSegment? segment) => _store.NotePending(-_tail.Drop(segment));

    /// <summary>Puts a segment in another's place; false when that has gone meanwhile. <paramref name="swap"/> moves
    /// the
    /// files.</summary>
    internal bool Replace(PartitionSegment old, PartitionSegment? made, Action swap)
    {
        lock (_gate)
        {
            int index = _segments.IndexOf(old);
            if (index < 0)
            {
                return false;
            }

            swap();

            // Memory is one stretch up to the end: what lies before the old bytes goes with them.
            for (int i = 0; i <= index; i++)
            {
                DropChunks(_segments[i]);
            }

            _sizeBytes += (made?.SizeBytes ?? 0) - old.SizeBytes;
            if (made is null)
            {
                _segments.RemoveAt(index);
            }
            else
            {
                _segments[index] = made;
            }

            return true;
        }
    }

    private HotChunk MakeRoom(int batchBytes, long baseOffset)
    {
        PartitionSegment? active = _segments.Count == 0 ? null : _segments[^1];
        if (active is null || IsFull(active, batchBytes, baseOffset))
        {
            active = NewSegment(baseOffset);
            _segments.Add(active);
        }

        return _tail.MakeRoom(active, batchBytes, baseOffset);
    }

    private bool IsFull(PartitionSegment active, int batchBytes, long baseOffset) =>
        active.SizeBytes > 0
        && (active.SizeBytes + (long)batchBytes > _options.SegmentBytes
            || baseOffset - active.BaseOffset > int.MaxValue - (1 << 24));

    private long FindTime(PartitionSegment segment, long timestampMs)
    {
        long found = -1;

        // What leaves memory between the two looks is found in the file by another one.
        for (int looked = -1, cold = 0; found < 0 && cold > looked;)
        {
            looked = cold;
            found = ColdReader.FindTime(_store, segment, timestampMs);
            found = found >= 0 ? found : FindHotTime(segment, timestampMs, out cold);
        }

        return found;
    }

    private long FindHotTime(PartitionSegment segment, long timestampMs, out int coldBytes)
    {
        lock (_gate)
        {
            (coldBytes, _) = ColdEnd(segment);
            return _tail.FindTime(segment, timestampMs);
        }
    }

    /// <summary>The index of the segment that an offset belongs to: the last that begins at or before it. -1: there is
    /// none, for the offset is below the start. Under the lock.</summary>
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
            if (_tail.TryGetStart(segment, out _, out long offset))
            {
                return offset;
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
