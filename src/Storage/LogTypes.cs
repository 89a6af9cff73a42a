namespace Pillarbox.Storage;

/// <summary>Wants to know when appended bytes are durable. Called on the flusher's thread (or the registering one): do
/// nothing but wake the owner.</summary>
public interface IDurableWaiter
{
    /// <summary>Everything below <paramref name="durablePosition"/> is durable.</summary>
    void OnDurable(long durablePosition);

    /// <summary>The log has failed: what was waited for may or may not be on disk.</summary>
    void OnFailed(StorageFailedException failure);
}

/// <summary>Sees the records of a log in order. The payload is valid during the call only.</summary>
public interface IRecordVisitor
{
    /// <summary>A whole, verified record.</summary>
    void Visit(in LogRecord record);
}

/// <summary>A record as replay sees it.</summary>
public readonly ref struct LogRecord
{
    /// <summary>Where the record begins.</summary>
    public long Position { get; init; }

    /// <summary>Where the next record begins.</summary>
    public long EndPosition => Position + RecordFormat.HeaderBytes + Payload.Length;

    /// <summary>What the writer called it: 1 to 239.</summary>
    public byte Type { get; init; }

    /// <summary>True on every record of a group but the last.</summary>
    public bool GroupContinues { get; init; }

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> Payload { get; init; }
}

/// <summary>Whether the log can take more.</summary>
public enum SpaceState
{
    /// <summary>Appends work.</summary>
    Ok,

    /// <summary>The disk is full: only essential appends work.</summary>
    Full,
}

/// <summary>Figures of one segment, at the moment of asking.</summary>
/// <param name="BasePosition">Its first position.</param>
/// <param name="EndPosition">The position behind its last record (for old segments an upper bound).</param>
/// <param name="FileBytes">Size on disk.</param>
/// <param name="LiveReferences">References added and not released.</param>
/// <param name="LiveBytes">Bytes of those references; more than the segment holds when one record has several.</param>
/// <param name="IsSealed">True when it takes no more appends.</param>
public sealed record SegmentInfo(
    long BasePosition, long EndPosition, long FileBytes, long LiveReferences, long LiveBytes, bool IsSealed)
{
    /// <summary>Live part of its bytes, 0.0 to 1.0.</summary>
    public double LiveRatio =>
        EndPosition <= BasePosition ? 0 : Math.Min(1.0, LiveBytes / (double)(EndPosition - BasePosition));
}

/// <summary>A place in the log that was durable once and cannot be read now.</summary>
/// <param name="Position">Where it begins.</param>
/// <param name="Length">Bytes until the next good record; 0: no record is lost.</param>
/// <param name="Segment">File name of the segment.</param>
/// <param name="Reason">What is wrong.</param>
public sealed record LogDamage(long Position, long Length, string Segment, string Reason);

/// <summary>What replay found.</summary>
public sealed record RecoveryReport
{
    /// <summary>Records given to the visitor.</summary>
    public long Records { get; init; }

    /// <summary>Where appends go on.</summary>
    public long TailPosition { get; init; }

    /// <summary>Bytes written but never known durable that were cut from the tail (a crash in the middle of a
    /// write).</summary>
    public long TornBytes { get; init; }

    /// <summary>Good records among the bytes that were cut: more than 0 after a power cut only.</summary>
    public long TornRecords { get; init; }

    /// <summary>Records of a group without its end, which were dropped.</summary>
    public long IncompleteGroupRecords { get; init; }

    /// <summary>Damage in the middle; empty on a healthy disk.</summary>
    public IReadOnlyList<LogDamage> Damages { get; init; } = [];

    /// <summary>Files set aside as *.damaged.</summary>
    public IReadOnlyList<string> Quarantined { get; init; } = [];
}
