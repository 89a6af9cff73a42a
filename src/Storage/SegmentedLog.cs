namespace Pillarbox.Storage;

/// <summary>
/// An append-only log in segment files: checksummed records, group commit, recovery. Positions are logical: contiguous
/// over records, never used twice, and no record lies below <see cref="FirstPosition"/>. All members may be called from
/// any thread except where said.
/// <code>
///   HeadPosition ... DurablePosition ... WrittenPosition ... TailPosition
///   |  on disk, synced  |  with the system  |  in memory     |
/// </code>
/// </summary>
public sealed class SegmentedLog : IDisposable
{
    /// <summary>Where an empty log begins; 0 is free to mean "nowhere".</summary>
    public const long FirstPosition = 64;

    private readonly SegmentTable _segments = new();
    private readonly LogEvents _events = new();
    private readonly ILogBackend _backend;
    private readonly LogAppender _appender;
    private readonly LogReader _reader;

    private SegmentedLog(IFileSystem files, string directory, LogOptions options)
    {
        var pool = new BlockPool(options.BlockBytes, options.ReadAheadBytes);
        var parts = new LogParts(_segments, new BlockCache(options.CacheBytes), pool, options, _events);
        if (options.Mode == LogMode.Spill)
        {
            _backend = new SpillBackend(files, directory, parts);
            _appender = new LogAppender(_backend, parts);
            _appender.Start(FirstPosition, null);
        }
        else
        {
            var journal = new JournalBackend(files, directory, parts);
            _backend = journal;
            journal.Appender = _appender = new LogAppender(_backend, parts);
        }

        _reader = new LogReader(parts, _backend);
    }

    /// <summary>Opens the log in a directory, which is made when missing. Reads no records: call <see cref="Replay"/>
    /// once before the first append (not needed in spill mode, which starts empty by deleting what it finds).</summary>
    public static SegmentedLog Open(IFileSystem files, string directory, LogOptions options)
    {
        options.Check();
        files.EnsureDirectory(directory);
        return new SegmentedLog(files, directory, options);
    }

    /// <summary>Lowest position that can be read.</summary>
    public long HeadPosition => _segments.All is [LogSegment first, ..] ? first.BasePosition : TailPosition;

    /// <summary>Where the next append goes.</summary>
    public long TailPosition => _appender.Tail;

    /// <summary>Everything below has been handed to the operating system (in spill mode: everything).</summary>
    public long WrittenPosition => Math.Min(_backend.Written, TailPosition);

    /// <summary>Everything below survives what <see cref="LogOptions.Mode"/> promises (in spill mode: nothing is
    /// promised,
    /// and this is the tail).</summary>
    public long DurablePosition => Math.Min(_backend.Durable, TailPosition);

    /// <summary>Appended bytes that wait for the disk; in spill mode those that memory has no room for.</summary>
    public long PendingBytes => _backend.PendingBytes(TailPosition);

    /// <summary>Whether the disk has room.</summary>
    public SpaceState SpaceState => _backend.IsFull ? SpaceState.Full : SpaceState.Ok;

    /// <summary>Called on a thread of the log when <see cref="SpaceState"/> has changed. Set before replay.</summary>
    public Action<SpaceState>? SpaceStateChanged
    {
        get => _events.SpaceStateChanged;
        set => _events.SpaceStateChanged = value;
    }

    /// <summary>Called once on a thread of the log when it fails. Set before replay.</summary>
    public Action<StorageFailedException>? Failed
    {
        get => _events.Failed;
        set => _events.Failed = value;
    }

    /// <summary>The segments, oldest first.</summary>
    public IReadOnlyList<SegmentInfo> Segments => Array.ConvertAll(_segments.All, static segment => segment.Describe());

    /// <summary>Visits all valid records at or above <paramref name="from"/> in order, cuts the torn tail and reports
    /// damage. <paramref name="from"/> is a record's border that was durable (a snapshot's position), or 0. The visitor
    /// may add and release references.</summary>
    public RecoveryReport Replay(long from, IRecordVisitor visitor) => _backend.Replay(from, visitor);

    /// <summary>Appends all records of a batch, in order and contiguously; returns the position of the batch's offset
    /// 0.
    /// Throws <see cref="StorageFullException"/>, <see cref="StorageBusyException"/> or
    /// <see cref="StorageFailedException"/>, and has then appended nothing. With <paramref name="isAwaited"/> the
    /// caller
    /// promises to call <see cref="WhenDurable"/> for it soon: nobody need be woken yet.</summary>
    public long Append(LogBatch batch, bool isAwaited = false)
    {
        try
        {
            long position = _appender.Append(batch);
            if (!isAwaited)
            {
                _backend.NoteAppended();
            }

            return position;
        }
        catch (StorageFullException)
        {
            _backend.NoteRefused();
            throw;
        }
    }

    /// <summary>Calls the waiter once, when everything below <paramref name="position"/> is durable: at once, on this
    /// thread, if it is already. Who <paramref name="lendsThread"/> may find itself doing the commit, when little
    /// waits:
    /// a
    /// write and an fdatasync.</summary>
    public void WhenDurable(long position, IDurableWaiter waiter, bool lendsThread = false) =>
        _backend.WhenDurable(position, waiter, lendsThread);

    /// <summary>Reads a record that is in memory. False: use <see cref="ReadAsync"/>.</summary>
    public bool TryRead(long position, out LogLease lease) => _reader.TryRead(position, out lease);

    /// <summary>Reads a record from memory or disk, and verifies it. Throws
    /// <see cref="DamagedRecordException"/>.</summary>
    public ValueTask<LogLease> ReadAsync(long position, CancellationToken cancellation) =>
        _reader.ReadAsync(position, cancellation);

    /// <summary>What the disk has at a position, as it is and whatever it is; less than asked for where files are
    /// missing or cannot be read. For bytes that are damaged; not for a hot path.</summary>
    public byte[] ReadRaw(long position, int bytes) => _reader.ReadRaw(position, bytes);

    /// <summary>Name of the file that holds a position in a journal; empty when none does.</summary>
    public string FileNameAt(long position) =>
        _segments.Find(position) is { } segment ? SegmentFiles.NameOf(segment.BasePosition) : "";

    /// <summary>Counts references to a record: its segment stays. <paramref name="bytes"/>: of all of them together.
    /// False
    /// when no segment holds the position: the record is lost.</summary>
    public bool AddReferences(long position, int count, long bytes)
    {
        LogSegment? segment = _segments.Find(position);
        segment?.AddReferences(count, bytes);
        return segment is not null;
    }

    /// <summary>Takes back one reference of so many bytes.</summary>
    public void ReleaseReference(long position, int bytes) => _segments.Find(position)?.AddReferences(-1, -bytes);

    /// <summary>Deletes or recycles sealed segments without references that lie wholly at or below
    /// <paramref name="keepFrom"/>, the position of the oldest kept snapshot. Works on files: not for a hot
    /// path.</summary>
    public void Reclaim(long keepFrom) => _backend.Reclaim(keepFrom);

    /// <summary>The segment wholly at or below <paramref name="before"/> with the lowest live ratio of at most
    /// <paramref name="liveRatioMax"/>, and not zero; null if none. To compact it, append its live records again, move
    /// their references, and <see cref="Reclaim"/>.</summary>
    public SegmentInfo? FindCompactionCandidate(double liveRatioMax, long before)
    {
        SegmentInfo? best = null;
        foreach (LogSegment segment in _segments.All)
        {
            if (segment.IsDurable && segment.End <= before && segment.LiveReferences > 0)
            {
                SegmentInfo info = segment.Describe();
                best = info.LiveRatio <= (best?.LiveRatio ?? liveRatioMax) ? info : best;
            }
        }

        return best;
    }

    /// <summary>Visits the valid records of one sealed segment, from disk; returns the damage met. Not for a hot path.
    /// </summary>
    public IReadOnlyList<LogDamage> VisitSegment(long basePosition, IRecordVisitor visitor) =>
        SegmentVisit.Run(_segments.Find(basePosition), visitor);

    /// <summary>One pass of the flusher on this thread, and one spare file. For logs without a thread of their own.
    /// </summary>
    public void Flush() => _backend.Flush();

    /// <summary>Flushes what waits and closes the files.</summary>
    public void Dispose() => _backend.Dispose();
}
