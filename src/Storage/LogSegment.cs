namespace Pillarbox.Storage;

/// <summary>
/// One segment: its place in the log, its file, and the count of what still lives in it. Written by the appender
/// (<see cref="End"/>, <see cref="IsSealed"/>) and the flusher (<see cref="File"/>), read by all.
/// </summary>
internal sealed class LogSegment(long basePosition, long capacity)
{
    private long _end = basePosition;
    private long _liveReferences;
    private long _liveBytes;
    private volatile bool _isSealed;
    private volatile bool _isDurable;
    private volatile IFile? _file;

    /// <summary>First position.</summary>
    public long BasePosition { get; } = basePosition;

    /// <summary>Bytes of records it may hold.</summary>
    public long Capacity { get; set; } = capacity;

    /// <summary>Position behind the last record. For a segment that was not scanned: an upper bound.</summary>
    public long End
    {
        get => Volatile.Read(ref _end);
        set => Volatile.Write(ref _end, value);
    }

    /// <summary>Bytes left for records.</summary>
    public long Room => BasePosition + Capacity - _end;

    /// <summary>True when no more is appended.</summary>
    public bool IsSealed
    {
        get => _isSealed;
        set => _isSealed = value;
    }

    /// <summary>True when it is sealed and all of it is durable: it may be reclaimed.</summary>
    public bool IsDurable
    {
        get => _isDurable;
        set => _isDurable = value;
    }

    /// <summary>Its file, once made; in spill mode once spilled.</summary>
    public IFile? File
    {
        get => _file;
        set => _file = value;
    }

    /// <summary>The file that will become this segment's at its first flush.</summary>
    public SpareFile? Spare { get; set; }

    /// <summary>Offset in <see cref="File"/> of the first record.</summary>
    public long FileOffset { get; set; } = FileHeader.Bytes;

    /// <summary>References added and not released.</summary>
    public long LiveReferences => Volatile.Read(ref _liveReferences);

    /// <summary>Offset in the file of a position.</summary>
    public long OffsetOf(long position) => FileOffset + (position - BasePosition);

    public void AddReferences(long count, long bytes)
    {
        Interlocked.Add(ref _liveReferences, count);
        Interlocked.Add(ref _liveBytes, bytes);
    }

    public SegmentInfo Describe() =>
        new(BasePosition, End, FileOffset + Capacity, LiveReferences, Volatile.Read(ref _liveBytes), IsSealed);
}
