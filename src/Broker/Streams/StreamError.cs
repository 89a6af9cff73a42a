namespace Pillarbox.Broker.Streams;

/// <summary>Why a stream refuses. Each protocol maps these to its own codes.</summary>
public enum StreamError : byte
{
    /// <summary>It does not.</summary>
    None = 0,

    /// <summary>No such stream.</summary>
    UnknownStream,

    /// <summary>No such partition.</summary>
    UnknownPartition,

    /// <summary>No stream has this id: it was deleted, and perhaps made anew.</summary>
    UnknownStreamId,

    /// <summary>Below the start or behind the end of the partition.</summary>
    OffsetOutOfRange,

    /// <summary>Lengths or checksum of a batch are wrong.</summary>
    CorruptBatch,

    /// <summary>A batch, or a record in it, that the stream does not take.</summary>
    InvalidRecord,

    /// <summary>A timestamp too far from now, or of a kind that clients may not set.</summary>
    InvalidTimestamp,

    /// <summary>The batch is larger than the stream takes.</summary>
    BatchTooLarge,

    /// <summary>A compression that this node does not know.</summary>
    UnsupportedCompression,

    /// <summary>The producer's sequence has a gap, or an old batch came again.</summary>
    OutOfOrderSequence,

    /// <summary>The producer's epoch is over: another producer took its place.</summary>
    InvalidProducerEpoch,

    /// <summary>Not allowed in the transaction's state.</summary>
    InvalidTransactionState,

    /// <summary>The epoch of a transaction coordinator is over.</summary>
    CoordinatorFenced,

    /// <summary>The caller's leader epoch is older than the partition's.</summary>
    FencedLeaderEpoch,

    /// <summary>The caller's leader epoch is newer than the partition's.</summary>
    UnknownLeaderEpoch,

    /// <summary>The disk failed.</summary>
    StorageFailed,

    /// <summary>The disk is full.</summary>
    DiskFull,

    /// <summary>Too many bytes wait for the disk: try again when some are durable.</summary>
    Busy,

    /// <summary>The name is taken.</summary>
    AlreadyExists,

    /// <summary>A name that no stream may have.</summary>
    InvalidName,

    /// <summary>Not so many partitions.</summary>
    InvalidPartitions,

    /// <summary>A setting that cannot be read, or a value that is not allowed.</summary>
    InvalidConfig,

    /// <summary>A limit of the node is reached.</summary>
    LimitReached,
}

/// <summary>Whose records a reader wants.</summary>
public enum Isolation : byte
{
    /// <summary>All that are durable.</summary>
    Uncommitted = 0,

    /// <summary>Those below the first undecided transaction, with the list of aborted ones.</summary>
    Committed = 1,
}

/// <summary>Numbers that stand for an offset instead of a timestamp.</summary>
public static class OffsetSpecial
{
    /// <summary>The end: where the next readable record will be.</summary>
    public const long Latest = -1;

    /// <summary>The start.</summary>
    public const long Earliest = -2;

    /// <summary>The record with the largest timestamp.</summary>
    public const long LargestTimestamp = -3;

    /// <summary>The start on this node's own disk.</summary>
    public const long EarliestLocal = -4;

    /// <summary>The end of what lies in remote storage: nothing does.</summary>
    public const long LatestTiered = -5;

    /// <summary>The first record that waits to be moved to remote storage: none does.</summary>
    public const long EarliestPendingUpload = -6;
}
