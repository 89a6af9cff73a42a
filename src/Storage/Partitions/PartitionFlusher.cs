namespace Pillarbox.Storage.Partitions;

/// <summary>Bytes of a chunk that a flush writes.</summary>
internal readonly record struct ChunkSlice(HotChunk Chunk, int From, int To);

/// <summary>
/// Group commit over all partitions: takes everything that was appended since the last pass, writes it, syncs each
/// touched
/// file once, and tells who waits. While it syncs, appends go on and make the next group: the slower the disk, the
/// larger
/// the group.
/// </summary>
internal sealed class PartitionFlusher(PartitionStore store) : IDisposable
{
    /// <summary>Passes after which the marks of what is durable are synced, at the latest.</summary>
    private const int MarkPasses = 256;

    private static readonly TimeSpan FullTime = TimeSpan.FromMilliseconds(100);

    /// <summary>A pause after which they are.</summary>
    private static readonly TimeSpan MarkTime = TimeSpan.FromMilliseconds(50);

    private readonly Lock _gate = new();
    private readonly Lock _passGate = new();
    private readonly List<ChunkSlice> _slices = [];
    private readonly List<PartitionSegment> _unsynced = [];
    private readonly HashSet<string> _newEntries = new(StringComparer.Ordinal);
    private readonly List<(PartitionLog Log, long Offset)> _done = [];
    private List<PartitionLog> _dirty = [];
    private List<PartitionLog> _taken = [];
    private LogThread? _thread;
    private int _passes;

    /// <summary>Lets a thread of its own do the passes.</summary>
    public void StartThread() => _thread = new LogThread("stream flusher", Step);

    /// <summary>A partition has bytes that wait. Any thread, under the partition's lock.</summary>
    public void Enqueue(PartitionLog log)
    {
        lock (_gate)
        {
            _dirty.Add(log);
        }

        _thread?.Wake();
    }

    /// <summary>One pass: false when nothing waited, or the disk took nothing.</summary>
    public bool Pass()
    {
        lock (_passGate)
        {
            if (store.Failure.Current is not null)
            {
                return false;
            }

            if (_slices.Count == 0 && !Capture())
            {
                return false;
            }

            return Commit();
        }
    }

    /// <summary>Makes a segment's bytes durable, unless it is deleted.</summary>
    public void Sync(PartitionSegment segment)
    {
        if (TryHold(segment) is not { } file)
        {
            return;
        }

        try
        {
            file.Sync();
        }
        finally
        {
            store.Files.Release(segment);
        }
    }

    public void Dispose()
    {
        _thread?.Dispose();
        _thread = null;
    }

    private TimeSpan Step(bool isWoken)
    {
        if (store.Failure.Current is not null)
        {
            return LogThread.UntilWoken;
        }

        if (Pass())
        {
            return TimeSpan.Zero;
        }

        if (!isWoken)
        {
            store.Marks.Sync();
        }

        return store.IsFull ? FullTime : store.Marks.IsUnsynced ? MarkTime : LogThread.UntilWoken;
    }

    private bool Capture()
    {
        lock (_gate)
        {
            (_dirty, _taken) = (_taken, _dirty);
        }

        foreach (PartitionLog log in _taken)
        {
            int before = _slices.Count;
            long end = log.Capture(_slices, out FlushMode mode);
            _done.Add((log, end));
            for (int i = before; i < _slices.Count; i++)
            {
                NoteUnsynced(_slices[i].Chunk.Segment, mode);
            }
        }

        _taken.Clear();
        return _done.Count > 0;
    }

    private bool Commit()
    {
        try
        {
            if (!TryWriteSlices())
            {
                return false;
            }

            SyncFiles();
        }
        catch (Exception error) when (error is StorageException or IOException)
        {
            store.Fail(error);
            return false;
        }

        store.NoteSpace(isFull: false);
        foreach ((PartitionLog log, long offset) in _done)
        {
            log.NoteDurable(offset);
        }

        MarkDone();
        _done.Clear();
        return true;
    }

    /// <summary>Behind the acknowledgements, which do not wait for it.</summary>
    private void MarkDone()
    {
        foreach ((PartitionLog log, long offset) in _done)
        {
            if (!log.IsEverUnsynced)
            {
                store.Marks.Note(log.MarkKey, offset);
            }
        }

        store.Marks.Write();
        if (++_passes % MarkPasses == 0)
        {
            store.Marks.Sync();
        }
    }

    /// <summary>False: the disk is full. A sync that says so later is a failure: what it was to make durable may be
    /// gone.</summary>
    private bool TryWriteSlices()
    {
        try
        {
            WriteSlices();
            return true;
        }
        catch (StorageFullException)
        {
            store.NoteSpace(isFull: true);
            return false;
        }
    }

    /// <summary>Slices of a pass that found the disk full stay, and are written again: the bytes go where they went.
    /// </summary>
    private void WriteSlices()
    {
        long bytes = 0;
        foreach (ChunkSlice slice in _slices)
        {
            Write(slice);
            bytes += slice.To - slice.From;
        }

        foreach (ChunkSlice slice in _slices)
        {
            lock (slice.Chunk.Log.Gate)
            {
                slice.Chunk.Written = slice.To;
            }

            slice.Chunk.Release();
        }

        _slices.Clear();

        // Memory is there again before somebody who waits for it is let in.
        store.Memory.Trim();
        store.NotePending(-bytes);
    }

    private void Write(in ChunkSlice slice)
    {
        HotChunk chunk = slice.Chunk;
        if (OpenToWrite(chunk.Segment) is not { } file)
        {
            return;
        }

        try
        {
            file.Write(chunk.Start + slice.From, chunk.Data.AsSpan(slice.From, slice.To - slice.From));
        }
        finally
        {
            store.Files.Release(chunk.Segment);
        }
    }

    private IFile? OpenToWrite(PartitionSegment segment)
    {
        if (segment.IsOnDisk)
        {
            return TryHold(segment);
        }

        store.EnsureDirectory(segment.Log.Directory);
        IFile? made = TryHold(segment);
        segment.IsOnDisk = true;
        _newEntries.Add(segment.Log.Directory);
        return made;
    }

    /// <summary>Null when the segment is deleted: nobody waits for its bytes.</summary>
    private IFile? TryHold(PartitionSegment segment)
    {
        try
        {
            return store.Files.Hold(segment);
        }
        catch (StorageGoneException)
        {
            return null;
        }
    }

    private void SyncFiles()
    {
        store.SyncAll(_unsynced);
        _unsynced.Clear();
        foreach (string directory in _newEntries)
        {
            store.FileSystem.SyncDirectory(directory);
        }

        _newEntries.Clear();
    }

    private void NoteUnsynced(PartitionSegment segment, FlushMode mode)
    {
        if (mode != FlushMode.Group)
        {
            segment.IsUnsynced = true;
            segment.Log.IsEverUnsynced = true;
        }
        else if (_unsynced.Count == 0 || !ReferenceEquals(_unsynced[^1], segment))
        {
            _unsynced.Add(segment);
        }
    }
}
