namespace Pillarbox.Storage;

/// <summary>What a log promises about the disk.</summary>
public enum LogMode
{
    /// <summary>Durable means synced: group commit with fdatasync.</summary>
    Journal,

    /// <summary>Durable means handed to the operating system: survives the process, not the machine.</summary>
    OsBuffered,

    /// <summary>Memory first: blocks go to disk only when memory is over its limit. Nothing survives a restart. A block
    /// without references is dropped: count them with the append (<see cref="LogBatch.End"/>).</summary>
    Spill,
}

/// <summary>Sizes and promises of one <see cref="SegmentedLog"/>. All sizes in bytes.</summary>
public readonly record struct LogOptions
{
    /// <summary>The defaults.</summary>
    public LogOptions()
    {
    }

    /// <summary>Size of a segment file, header included. 4 KiB to 1 GiB. In spill mode a segment is a block.</summary>
    public int SegmentBytes { get; init; } = 64 << 20;

    /// <summary>Size of a block of memory that records are appended to. 1 KiB to <see cref="SegmentBytes"/>.</summary>
    public int BlockBytes { get; init; } = 1 << 20;

    /// <summary>Memory for blocks that are kept to be read again, newest appends and read-ahead together. Bytes that
    /// wait
    /// for the disk are kept in any case. In spill mode: memory before blocks go to disk.</summary>
    public long CacheBytes { get; init; } = 64 << 20;

    /// <summary>What an acknowledgement means.</summary>
    public LogMode Mode { get; init; } = LogMode.Journal;

    /// <summary>Segments kept ready on disk for essential appends when the disk is full. 0 to 16.</summary>
    public int ReserveSegments { get; init; } = 2;

    /// <summary>Unused segment files kept for reuse, beyond the reserve. 1 to 64.</summary>
    public int PoolSegmentsMax { get; init; } = 4;

    /// <summary>Bytes that may wait for the disk before <see cref="SegmentedLog.Append"/> throws
    /// <see cref="StorageBusyException"/>; essential appends may use twice as much. Withhold producers' credit well
    /// before (see <see cref="SegmentedLog.PendingBytes"/>).</summary>
    public long PendingBytesMax { get; init; } = 256 << 20;

    /// <summary>Bytes read ahead when records are read in order from disk.</summary>
    public int ReadAheadBytes { get; init; } = 256 << 10;

    /// <summary>Fill new segment files with zeros before use, for cheaper syncs. Pointless in memory.</summary>
    public bool ZeroFill { get; init; } = true;

    /// <summary>False: no thread; <see cref="SegmentedLog.Flush"/> does the work (simulation, tests).</summary>
    public bool OwnThread { get; init; } = true;

    /// <summary>Tells how long a commit takes.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Throws <see cref="ArgumentOutOfRangeException"/> when a size is out of its range.</summary>
    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(SegmentBytes, 4 << 10, nameof(SegmentBytes));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(SegmentBytes, 1 << 30, nameof(SegmentBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(BlockBytes, 1 << 10, nameof(BlockBytes));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(BlockBytes, SegmentBytes, nameof(BlockBytes));
        ArgumentOutOfRangeException.ThrowIfNegative(CacheBytes, nameof(CacheBytes));
        ArgumentOutOfRangeException.ThrowIfNegative(ReserveSegments, nameof(ReserveSegments));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ReserveSegments, 16, nameof(ReserveSegments));
        ArgumentOutOfRangeException.ThrowIfLessThan(PoolSegmentsMax, 1, nameof(PoolSegmentsMax));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(PoolSegmentsMax, 64, nameof(PoolSegmentsMax));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(PendingBytesMax, nameof(PendingBytesMax));
        ArgumentOutOfRangeException.ThrowIfLessThan(ReadAheadBytes, 1 << 10, nameof(ReadAheadBytes));
    }
}
