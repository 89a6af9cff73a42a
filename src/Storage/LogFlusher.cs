namespace Pillarbox.Storage;

/// <summary>
/// Group commit: takes everything that was appended since the last pass, writes it from the blocks themselves, syncs
/// once
/// and tells who waits. While it syncs, appends go on and make the next group: the slower the disk, the larger the
/// group;
/// no timer is involved as long as somebody waits. Bytes that nobody waits for are written after a short while.
/// </summary>
internal sealed class LogFlusher : IDisposable
{
    private const int LazyBytesMax = 1 << 20;
    private const int OwnBytesMax = 8 << 10;
    private static readonly TimeSpan OwnTimeMax = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LazyTime = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan IdleTime = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan FullTime = TimeSpan.FromMilliseconds(100);

    private readonly LogAppender _appender;
    private readonly SegmentFiles _files;
    private readonly BlockCache _cache;
    private readonly LogFailure _failure;
    private readonly CommitKind _kind;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Lock _passGate = new();
    private readonly List<FlushSlice> _slices = [];
    private readonly HashSet<LogSegment> _touched = [];
    private LogThread? _thread;
    private int _sleep;
    private long _commitTicks;
    private long _written;
    private long _durable;
    private long _sliceEnd;
    private long _idleEnd;

    public LogFlusher(
        LogAppender appender, SegmentFiles files, BlockCache cache, LogFailure failure, LogOptions options, long start)
    {
        _appender = appender;
        _files = files;
        _cache = cache;
        _failure = failure;
        _kind = options.Mode == LogMode.Journal ? CommitKind.Synced : CommitKind.Buffered;
        _time = options.Time;
        _start = _written = _durable = _idleEnd = start;
        Waiters.Complete(start);
    }

    private enum CommitKind
    {
        /// <summary>Written; durable nobody knows when.</summary>
        Mark,

        /// <summary>Written, which is all that the mode promises.</summary>
        Buffered,

        /// <summary>Written and synced.</summary>
        Synced,
    }

    /// <summary>How the thread sleeps, for those who may have to wake it.</summary>
    private enum Sleep
    {
        Awake,

        /// <summary>Bytes wait for more bytes; only a waiter, or very many bytes, end it.</summary>
        Lazy,

        /// <summary>Nothing waits, and the end of the log was not marked yet: soon it will be.</summary>
        Resting,

        /// <summary>Nothing waits.</summary>
        Idle,
    }

    public DurableWaiters Waiters { get; } = new();

    /// <summary>Everything below was handed to the operating system.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <summary>Everything below is durable.</summary>
    public long Durable => Volatile.Read(ref _durable);

    /// <summary>Called after each pass, on the flusher's thread.</summary>
    public Action? AfterPass { get; set; }

    /// <summary>Lets a thread of its own do the passes.</summary>
    public void StartThread() => _thread = new LogThread("log flusher", Step);

    /// <summary>Something was appended. Any thread; cheap.</summary>
    public void NoteAppended()
    {
        Interlocked.MemoryBarrier();
        var sleep = (Sleep)Volatile.Read(ref _sleep);
        if (sleep is Sleep.Idle or Sleep.Resting || (sleep == Sleep.Lazy && _appender.Tail - Written > LazyBytesMax))
        {
            _thread?.Wake();
        }
    }

    /// <summary>Somebody waits. Any thread; cheap unless the flusher sleeps. Who lends its thread commits there and
    /// then, when
    /// the flusher sleeps, little waits and the disk is quick: two changes of threads are dearer than such a
    /// sync.</summary>
    public void NoteWaiter(bool lendsThread)
    {
        Interlocked.MemoryBarrier();
        var sleep = (Sleep)Volatile.Read(ref _sleep);
        if (sleep == Sleep.Awake)
        {
            return;
        }

        // An idle flusher has the new end to mark.
        bool isDone = lendsThread && TryCommitHere();
        if (!isDone || sleep == Sleep.Idle)
        {
            _thread?.Wake();
        }
    }

    /// <summary>One pass: false when nothing waits, or the disk took nothing.</summary>
    public bool Pass()
    {
        lock (_passGate)
        {
            // Whoever waits for a place within the mark of an idle log waits for bytes that are written already.
            return (_slices.Count > 0 || _appender.Tail > Durable) && Capture(force: Waiters.Any) && Commit(_kind);
        }
    }

    /// <summary>The last passes: what waits, and then a durable mark that all of it is durable, so that a later start
    /// can
    /// tell damage from a torn write up to the very end.</summary>
    public void Finish()
    {
        _thread?.Dispose();
        _thread = null;
        lock (_passGate)
        {
            if (_appender.Tail > _start && Capture(force: true) && Commit(CommitKind.Synced) && Capture(force: true))
            {
                Commit(CommitKind.Synced);
            }
        }
    }

    public void Dispose()
    {
        _thread?.Dispose();
        foreach (FlushSlice slice in _slices)
        {
            slice.Block.Release();
        }

        _slices.Clear();
    }

    private bool TryCommitHere()
    {
        bool isQuick = Volatile.Read(ref _commitTicks) <= OwnTimeMax.Ticks;
        if (_thread is null || !isQuick || _appender.Tail - Written > OwnBytesMax || !_passGate.TryEnter())
        {
            return false;
        }

        try
        {
            return _slices.Count == 0 && Waiters.Any && Capture(force: true) && Commit(_kind);
        }
        finally
        {
            _passGate.Exit();
        }
    }

    private TimeSpan Step(bool isWoken)
    {
        Volatile.Write(ref _sleep, (int)Sleep.Awake);
        Interlocked.MemoryBarrier();
        if (_failure.Current is not null)
        {
            return LogThread.UntilWoken;
        }

        bool isWaiting = _slices.Count > 0 || _appender.Tail > (Waiters.Any ? Durable : Math.Max(Durable, _idleEnd));
        if (!isWaiting)
        {
            return Rest(isWoken);
        }

        if (Waiters.Any || !isWoken || _slices.Count > 0 || _appender.Tail - Written > LazyBytesMax)
        {
            // Slices that stay are what a full disk did not take; without any, somebody else has committed meanwhile.
            return Pass() || _slices.Count == 0 ? TimeSpan.Zero : FullTime;
        }

        return FallAsleep(Sleep.Lazy, LazyTime);
    }

    private TimeSpan Rest(bool isWoken)
    {
        if (_idleEnd != _appender.Tail && !isWoken)
        {
            MarkIdle();
        }

        return _idleEnd == _appender.Tail
            ? FallAsleep(Sleep.Idle, LogThread.UntilWoken)
            : FallAsleep(Sleep.Resting, IdleTime);
    }

    /// <summary>Announces the sleep before looking once more, as <see cref="NoteAppended"/> appends before it looks:
    /// one
    /// of the two sees the other.</summary>
    private TimeSpan FallAsleep(Sleep kind, TimeSpan time)
    {
        Volatile.Write(ref _sleep, (int)kind);
        Interlocked.MemoryBarrier();
        bool isWaiting = Waiters.Any
            ? _appender.Tail > Durable
            : kind != Sleep.Lazy && _appender.Tail > Math.Max(Durable, _idleEnd);
        if (!isWaiting)
        {
            return time;
        }

        Volatile.Write(ref _sleep, (int)Sleep.Awake);
        return TimeSpan.Zero;
    }

    /// <summary>After a pause, says in the log how far it is durable. Not synced: it costs nothing, and after
    /// anything but
    /// a power cut it is there.</summary>
    private void MarkIdle()
    {
        lock (_passGate)
        {
            if (_slices.Count == 0 && Capture(force: true) && Commit(CommitKind.Mark))
            {
                _idleEnd = _sliceEnd;
            }
        }
    }

    private bool Capture(bool force)
    {
        if (_failure.Current is not null)
        {
            return false;
        }

        if (_slices.Count == 0)
        {
            _sliceEnd = _appender.Capture(_slices, Durable, force);
        }

        return _sliceEnd > 0;
    }

    /// <summary>False when the disk was full (the slices stay and are written again later), or failed. A sync that
    /// fails is a failure whatever it says: what it was to make durable may be gone.</summary>
    private bool Commit(CommitKind kind)
    {
        try
        {
            long since = _time.GetTimestamp();
            if (!TryWriteSlices())
            {
                return false;
            }

            SyncTouched(kind);
            NoteTime(_time.GetElapsedTime(since).Ticks);
        }
        catch (Exception error) when (error is StorageException or IOException)
        {
            Fail(error);
            return false;
        }

        if (kind != CommitKind.Mark)
        {
            Volatile.Write(ref _durable, _sliceEnd);
            Waiters.Complete(_sliceEnd);
        }

        _cache.Trim();
        AfterPass?.Invoke();
        return true;
    }

    /// <summary>How long commits take lately, smoothed.</summary>
    private void NoteTime(long ticks) =>
        Volatile.Write(ref _commitTicks, _commitTicks + ((ticks - _commitTicks) / 8));

    private bool TryWriteSlices()
    {
        try
        {
            WriteSlices();
            _files.NoteWritten();
            return true;
        }
        catch (StorageFullException)
        {
            _files.NoteFull();
            AfterPass?.Invoke();
            return false;
        }
    }

    private void WriteSlices()
    {
        foreach (FlushSlice slice in _slices)
        {
            LogBlock block = slice.Block;
            _files.Publish(block.Segment);
            _touched.Add(block.Segment);
            ReadOnlySpan<byte> bytes = block.Data.AsSpan(slice.From, slice.To - slice.From);
            block.Segment.File!.Write(block.Segment.OffsetOf(block.Start + slice.From), bytes);
        }

        foreach (FlushSlice slice in _slices)
        {
            slice.Block.NoteWritten(slice.To);
            slice.Block.Release();
        }

        _slices.Clear();
        Volatile.Write(ref _written, _sliceEnd);
    }

    /// <summary>Syncs what was written; without a promise of durability only the segments that are complete.</summary>
    private void SyncTouched(CommitKind kind)
    {
        if (kind == CommitKind.Mark)
        {
            return;
        }

        foreach (LogSegment segment in _touched)
        {
            bool isComplete = segment.IsSealed && segment.End <= _sliceEnd;
            if (kind == CommitKind.Synced || isComplete)
            {
                segment.File!.Sync();
                segment.IsDurable = isComplete;
            }
        }

        _touched.RemoveWhere(segment => kind == CommitKind.Synced || segment.IsDurable);
    }

    private void Fail(Exception error)
    {
        StorageFailedException failure = _failure.Set(error);
        Waiters.Fail(failure);
        AfterPass?.Invoke();
    }
}

/// <summary>The first failure of a log; there is no way back from it.</summary>
internal sealed class LogFailure
{
    private StorageFailedException? _current;

    public StorageFailedException? Current => Volatile.Read(ref _current);

    public StorageFailedException Set(Exception cause)
    {
        var failure = new StorageFailedException(
            $"the log has stopped because the disk failed ({cause.Message}): check the disk, then start the node again",
            cause);
        return Interlocked.CompareExchange(ref _current, failure, null) ?? failure;
    }

    public void ThrowIfSet()
    {
        if (Current is { } failure)
        {
            throw new StorageFailedException(failure.Message, failure.InnerException);
        }
    }
}
