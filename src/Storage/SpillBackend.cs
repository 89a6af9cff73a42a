namespace Pillarbox.Storage;

/// <summary>
/// Memory first: nothing is written until memory is over its limit; then the oldest blocks that still have references
/// go
/// to one overflow file, and blocks without references are dropped unwritten. Each block is a segment of its own.
/// Nothing
/// survives a restart: the file is deleted at start.
/// </summary>
internal sealed class SpillBackend : ILogBackend
{
    private const string Suffix = ".spill";
    private const string Name = "overflow" + Suffix;
    private const int GraceBlocks = 8;
    private static readonly TimeSpan FullProbeTime = TimeSpan.FromMilliseconds(250);

    private readonly LogParts _parts;
    private readonly SpillFile _file;
    private readonly LogFailure _failure = new();
    private readonly Lock _stepGate = new();
    private LogThread? _thread;
    private volatile bool _isOpen = true;
    private volatile bool _isFull;

    public SpillBackend(IFileSystem files, string directory, LogParts parts)
    {
        _parts = parts;
        foreach (string name in files.List(directory, Suffix))
        {
            files.Delete(directory + "/" + name);
        }

        _file = new SpillFile(files, directory + "/" + Name, parts.Options.BlockBytes);
        if (parts.Options.OwnThread)
        {
            _thread = new LogThread("log spill", Step);
        }
    }

    public bool IsSegmentPerBlock => true;

    public long Written => long.MaxValue;

    public long Durable => long.MaxValue;

    public long PendingBytes(long tail) => Math.Max(0, OverBytes);

    public bool IsFull => _isFull;

    private long OverBytes => _parts.Cache.Bytes - _parts.Options.CacheBytes;

    public RecoveryReport Replay(long from, IRecordVisitor visitor) =>
        new() { TailPosition = SegmentedLog.FirstPosition };

    public LogSegment MakeSegment(long basePosition, long bytes, bool isEssential)
    {
        DropDead();
        if (OverBytes > 0)
        {
            _thread?.Wake();
        }

        return new LogSegment(basePosition, bytes);
    }

    public void Admit(LogBatch batch, long tail)
    {
        _failure.ThrowIfSet();
        if (!_isOpen)
        {
            throw new InvalidOperationException("the log is closed");
        }

        if (_isFull && OverBytes > 0 && !batch.Essential)
        {
            throw new StorageFullException("the disk is full: free space or add some");
        }

        long pendingMax = _parts.Options.PendingBytesMax;
        if (OverBytes > (batch.Essential ? pendingMax * 2 : pendingMax))
        {
            throw new StorageBusyException("the disk is slower than what is appended");
        }
    }

    public void NoteAppended()
    {
    }

    public void NoteRefused() => _thread?.Wake();

    public void WhenDurable(long position, IDurableWaiter waiter, bool lendsThread) => waiter.OnDurable(position);

    public void Reclaim(long keepFrom) => DropDead();

    public void Flush() => Step(isWoken: true);

    public void Dispose()
    {
        _isOpen = false;
        _thread?.Dispose();
        _thread = null;
        _file.Dispose();
    }

    /// <summary>Forgets the sealed blocks that nothing refers to, in memory and on disk. The newest are spared:
    /// somebody
    /// may have appended to them and be about to count the references.</summary>
    private void DropDead()
    {
        long spared = Math.Min(_parts.Options.CacheBytes / 4, GraceBlocks * (long)_parts.Options.BlockBytes);
        long newest = _parts.Segments.All is [.., LogSegment last] ? last.BasePosition - spared : 0;
        List<LogSegment> dead = _parts.Segments.Remove(
            segment => segment.IsSealed && segment.LiveReferences == 0 && segment.End <= newest);
        if (dead.Count == 0)
        {
            return;
        }

        var set = new HashSet<LogSegment>(dead);
        _parts.Cache.DropWhere(block => set.Contains(block.Segment));
        lock (_stepGate)
        {
            foreach (LogSegment segment in dead)
            {
                _file.Free(segment);
            }
        }
    }

    /// <summary>Writes the oldest live blocks until memory is within its limit.</summary>
    private TimeSpan Step(bool isWoken)
    {
        try
        {
            DropDead();
            while (OverBytes > 0 && _isOpen && SpillOne())
            {
                _parts.Cache.Trim();
            }

            _isFull = false;
        }
        catch (StorageFullException)
        {
            _isFull = true;
        }
        catch (Exception error) when (error is StorageException or IOException)
        {
            _parts.Events.TellFailure(_failure.Set(error));
            return LogThread.UntilWoken;
        }

        _parts.Events.TellSpace(_isFull);
        return _isFull ? FullProbeTime : LogThread.UntilWoken;
    }

    private bool SpillOne()
    {
        LogBlock? block = Array.Find(
            _parts.Cache.Tail, static block => block.IsSealed && !block.IsOnDisk && block.Used > 0);
        if (block is null || !block.TryHold())
        {
            return false;
        }

        try
        {
            lock (_stepGate)
            {
                // Dropped meanwhile: then nobody would free what is written now.
                if (_parts.Segments.Find(block.Start) == block.Segment)
                {
                    _file.Write(block);
                }
            }

            block.NoteWritten(block.Used);
            return true;
        }
        finally
        {
            block.Release();
        }
    }
}

/// <summary>The overflow file: slots of one block's size, reused as blocks die. The owner takes care of
/// threads.</summary>
internal sealed class SpillFile(IFileSystem files, string path, int slotBytes) : IDisposable
{
    private readonly Stack<long> _free = new();
    private IFile? _file;
    private long _slots;
    private long _used;

    /// <summary>Writes a block into free slots, and tells its segment where.</summary>
    public void Write(LogBlock block)
    {
        _file ??= files.Open(path, FileOpening.OpenOrCreate);
        long count = SlotsOf(block.Segment);
        bool isReused = count == 1 && _free.Count > 0;
        long slot = isReused ? _free.Peek() : _slots;
        _file.Write(slot * slotBytes, block.Data.AsSpan(0, block.Used));
        if (isReused)
        {
            _free.Pop();
        }
        else
        {
            _slots += count;
        }

        _used += count;
        block.Segment.FileOffset = slot * slotBytes;
        block.Segment.File = _file;
    }

    /// <summary>Frees the slots of a segment. When none is used any more the file gives its space back.</summary>
    public void Free(LogSegment segment)
    {
        if (segment.File is null)
        {
            return;
        }

        long count = SlotsOf(segment);
        for (long i = 0; i < count; i++)
        {
            _free.Push((segment.FileOffset / slotBytes) + i);
        }

        _used -= count;
        if (_used == 0)
        {
            _free.Clear();
            _slots = 0;
            _file!.SetLength(0);
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        if (_file is not null)
        {
            files.Delete(path);
        }
    }

    private long SlotsOf(LogSegment segment) => (segment.Capacity + slotBytes - 1) / slotBytes;
}
