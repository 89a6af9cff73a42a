namespace Pillarbox.Storage;

/// <summary>Where the bytes of a log go: files that survive (journal), or memory that may overflow to disk (spill).
/// Also
/// decides what may be appended.</summary>
internal interface ILogBackend : IDisposable
{
    /// <summary>True when each block of memory is a segment of its own.</summary>
    bool IsSegmentPerBlock { get; }

    /// <summary>Everything below can be read from a file, if it has left memory.</summary>
    long Written { get; }

    /// <summary>Everything below is as durable as the mode promises.</summary>
    long Durable { get; }

    /// <summary>Bytes in memory that must go to the disk, when appends end at <paramref name="tail"/>.</summary>
    long PendingBytes(long tail);

    /// <summary>True when the disk has no room.</summary>
    bool IsFull { get; }

    /// <summary>Recovers, and opens the log for appends.</summary>
    RecoveryReport Replay(long from, IRecordVisitor visitor);

    /// <summary>A new segment for at least so many bytes of records. Throws <see cref="StorageFullException"/>. Called
    /// under the appender's lock.</summary>
    LogSegment MakeSegment(long basePosition, long bytes, bool isEssential);

    /// <summary>Throws when a batch may not be appended now. Called under the appender's lock.</summary>
    void Admit(LogBatch batch, long tail);

    /// <summary>Something was appended. Cheap.</summary>
    void NoteAppended();

    /// <summary>An append found the disk full.</summary>
    void NoteRefused();

    /// <summary>Registers who waits, or calls it at once.</summary>
    void WhenDurable(long position, IDurableWaiter waiter, bool lendsThread);

    /// <summary>Gives back the files of dead segments.</summary>
    void Reclaim(long keepFrom);

    /// <summary>What the threads do, once, on this thread.</summary>
    void Flush();
}

/// <summary>Tells the owner of a log what happens to it, on a thread of the log.</summary>
internal sealed class LogEvents
{
    private int _isFailureTold;
    private bool _isFullTold;

    public Action<SpaceState>? SpaceStateChanged { get; set; }

    public Action<StorageFailedException>? Failed { get; set; }

    public void TellSpace(bool isFull)
    {
        if (_isFullTold != isFull)
        {
            _isFullTold = isFull;
            SpaceStateChanged?.Invoke(isFull ? SpaceState.Full : SpaceState.Ok);
        }
    }

    public void TellFailure(StorageFailedException failure)
    {
        if (Interlocked.Exchange(ref _isFailureTold, 1) == 0)
        {
            Failed?.Invoke(failure);
        }
    }
}
