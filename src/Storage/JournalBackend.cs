namespace Pillarbox.Storage;

/// <summary>What the two backends share with the appender and the reader of their log.</summary>
internal sealed record LogParts(
    SegmentTable Segments, BlockCache Cache, BlockPool Pool, LogOptions Options, LogEvents Events);

/// <summary>Segments that become files, by a flusher; a second thread makes files ahead.</summary>
internal sealed class JournalBackend : ILogBackend
{
    private static readonly TimeSpan FullProbeTime = TimeSpan.FromMilliseconds(250);

    private readonly LogParts _parts;
    private readonly SegmentFiles _files;
    private readonly LogFailure _failure = new();
    private readonly LoadedSegments _loaded;
    private LogAppender? _appender;
    private LogFlusher? _flusher;
    private LogThread? _preparer;
    private volatile bool _isOpen;

    public JournalBackend(IFileSystem files, string directory, LogParts parts)
    {
        _parts = parts;
        _files = new SegmentFiles(files, directory, parts.Options);
        _loaded = _files.LoadSegments();
        List<LogSegment> segments = _loaded.Segments;
        for (int i = 0; i < segments.Count; i++)
        {
            long end = segments[i].BasePosition + segments[i].Capacity;
            segments[i].End = i + 1 < segments.Count ? Math.Min(end, segments[i + 1].BasePosition) : end;
            parts.Segments.Add(segments[i]);
        }
    }

    /// <summary>The writing end; set before replay.</summary>
    public LogAppender Appender
    {
        set => _appender = value;
    }

    public bool IsSegmentPerBlock => false;

    public long Written => _flusher?.Written ?? long.MaxValue;

    public long Durable => _flusher?.Durable ?? 0;

    public long PendingBytes(long tail) => tail - Math.Min(Written, tail);

    public bool IsFull => _files.IsFull;

    public RecoveryReport Replay(long from, IRecordVisitor visitor)
    {
        if (_flusher is not null)
        {
            throw new InvalidOperationException("the log was replayed already");
        }

        var recovery = new LogRecovery(_parts.Segments, _files, _parts.Options);
        RecoveryReport report = recovery.Run(from, visitor, _loaded);
        _appender!.Start(report.TailPosition, recovery.TailSegment);
        _files.LoadSpares();
        _flusher = new LogFlusher(
            _appender, _files, _parts.Cache, _failure, _parts.Options, report.TailPosition)
        {
            AfterPass = AfterPass,
        };
        _isOpen = true;
        if (_parts.Options.OwnThread)
        {
            _preparer = new LogThread("log files", Prepare);
            _flusher.StartThread();
        }

        return report;
    }

    public LogSegment MakeSegment(long basePosition, long bytes, bool isEssential)
    {
        long fileBytes = Math.Max(_parts.Options.SegmentBytes, FileHeader.Bytes + bytes);
        SpareFile spare = _files.Take(fileBytes, isEssential);
        return new LogSegment(basePosition, spare.Bytes - FileHeader.Bytes) { Spare = spare };
    }

    public void Admit(LogBatch batch, long tail)
    {
        _failure.ThrowIfSet();
        if (!_isOpen)
        {
            throw new InvalidOperationException("the log is closed, or was not replayed");
        }

        if (_files.IsFull && !batch.Essential)
        {
            throw new StorageFullException("the disk is full: free space or add some");
        }

        long pendingMax = _parts.Options.PendingBytesMax;
        if (tail - _flusher!.Written > (batch.Essential ? pendingMax * 2 : pendingMax))
        {
            throw new StorageBusyException("the disk is slower than what is appended");
        }
    }

    public void NoteAppended() => _flusher!.NoteAppended();

    public void NoteRefused() => _preparer?.Wake();

    public void WhenDurable(long position, IDurableWaiter waiter, bool lendsThread)
    {
        if (_flusher!.Waiters.Add(position, waiter))
        {
            _flusher.NoteWaiter(lendsThread);
        }
    }

    public void Reclaim(long keepFrom)
    {
        List<LogSegment> dead = _parts.Segments.Remove(
            segment => segment.IsDurable && segment.End <= keepFrom && segment.LiveReferences == 0);
        if (dead.Count > 0)
        {
            _parts.Cache.DropWhere(block => dead.Contains(block.Segment));
            _files.Recycle(dead);
            _preparer?.Wake();
        }
    }

    public void Flush()
    {
        _flusher!.Pass();
        Prepare(isWoken: true);
    }

    public void Dispose()
    {
        _isOpen = false;
        _flusher?.Finish();
        _preparer?.Dispose();
        _flusher?.Dispose();
        _files.Dispose();
        foreach (LogSegment segment in _parts.Segments.All)
        {
            segment.File?.Dispose();
            segment.Spare?.File.Dispose();
        }
    }

    private void AfterPass()
    {
        if (_files.IsFull || (_appender!.WantsSegmentSoon && _files.NeedsSpare))
        {
            _preparer?.Wake();
        }

        if (_failure.Current is { } failure)
        {
            _parts.Events.TellFailure(failure);
        }
    }

    /// <summary>Makes spare files ahead, and looks whether a full disk has room again.</summary>
    private TimeSpan Prepare(bool isWoken)
    {
        bool isMade = false;
        try
        {
            isMade = (_appender!.WantsSegmentSoon || _files.IsFull) && _files.PrepareOne();
        }
        catch (StorageException)
        {
            // The append that needs the file will meet the same error, and tell it to its caller.
        }

        // Looked at once: a write that is taken meanwhile ends it, and wakes nobody.
        bool isFull = _files.IsFull;
        _parts.Events.TellSpace(isFull);
        return isMade ? TimeSpan.Zero : isFull ? FullProbeTime : LogThread.UntilWoken;
    }
}
