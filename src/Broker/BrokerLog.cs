using Microsoft.Extensions.Logging;

namespace Pillarbox.Broker;

/// <summary>What the broker reports.</summary>
internal static partial class BrokerLog
{
    [LoggerMessage(1, LogLevel.Information,
        "recovered {Messages} messages in {Queues} queues: {Records} records replayed, {TornBytes} torn bytes cut")]
    public static partial void Recovered(ILogger logger, long messages, int queues, long records, long tornBytes);

    [LoggerMessage(2, LogLevel.Error, "journal damage at position {Position}, {Length} bytes in {Segment}: {Reason}")]
    public static partial void JournalDamage(ILogger logger, long position, long length, string segment, string reason);

    [LoggerMessage(3, LogLevel.Error, "file set aside because it is damaged: {File}")]
    public static partial void FileSetAside(ILogger logger, string file);

    [LoggerMessage(4, LogLevel.Error,
        "message {MessageId} of queue {Queue} at position {Position} is damaged and was taken out: {Reason}")]
    public static partial void Quarantined(ILogger logger, string queue, long messageId, long position, string reason);

    [LoggerMessage(5, LogLevel.Warning,
        "message {MessageId} of queue {Queue} dropped ({Reason}): no address to move it to")]
    public static partial void Dropped(ILogger logger, string queue, long messageId, string reason);

    [LoggerMessage(6, LogLevel.Error, "the disk is full: producers are held back until there is room")]
    public static partial void DiskFull(ILogger logger);

    [LoggerMessage(7, LogLevel.Information, "the disk has room again")]
    public static partial void DiskResumed(ILogger logger);

    [LoggerMessage(8, LogLevel.Critical,
        "the journal failed; nothing more is acknowledged until the node is started again")]
    public static partial void StorageFailed(ILogger logger, Exception failure);

    [LoggerMessage(9, LogLevel.Critical, "fault in a shard while doing {What}")]
    public static partial void ShardFault(ILogger logger, string what, Exception fault);

    [LoggerMessage(18, LogLevel.Error,
        "record {Offset} that share group {Group} gave up was not kept, and is tried again")]
    public static partial void NotBuried(ILogger logger, string group, long offset, Exception fault);

    [LoggerMessage(10, LogLevel.Error,
        "record at journal position {Position} of type {Type} cannot be understood and was left out")]
    public static partial void BadRecord(ILogger logger, long position, byte type);

    [LoggerMessage(11, LogLevel.Debug,
        "index snapshot of {Messages} messages at position {Position}: {Bytes} bytes")]
    public static partial void SnapshotWritten(ILogger logger, long messages, long position, long bytes);

    [LoggerMessage(12, LogLevel.Error, "the index snapshot could not be written")]
    public static partial void SnapshotFailed(ILogger logger, Exception failure);

    [LoggerMessage(17, LogLevel.Warning,
        "subscription {Queue} does not follow stream {Stream}: {Reason}")]
    public static partial void NotFollowed(ILogger logger, string queue, string stream, string reason);

    [LoggerMessage(21, LogLevel.Error,
        "queue {Queue} cannot read its stream at partition {Partition}, offset {Offset}; it tries again")]
    public static partial void FeedFailed(
        ILogger logger, string queue, int partition, long offset, Exception failure);

    [LoggerMessage(14, LogLevel.Warning,
        "address space {Space} is not configured; its queues are kept, and nobody can connect to it")]
    public static partial void SpaceNotConfigured(ILogger logger, string space);

    [LoggerMessage(15, LogLevel.Warning,
        "in quarantine as {Id}: {Bytes} bytes of {File} at {Position}: {Reason}")]
    public static partial void Kept(ILogger logger, long id, long bytes, string file, long position, string reason);

    [LoggerMessage(16, LogLevel.Error,
        "damaged bytes of {File} at {Position} could not be put into quarantine: {Reason}")]
    public static partial void NotKept(ILogger logger, string file, long position, string reason);

    [LoggerMessage(13, LogLevel.Warning,
        "annotations for message {MessageId} of queue {Queue} could not be written: {Reason}")]
    public static partial void NotRewritten(ILogger logger, string queue, long messageId, string reason);

    [LoggerMessage(19, LogLevel.Warning,
        "the file of a large body that nobody needs could not be deleted; the next start does: {File}: {Reason}")]
    public static partial void BodyNotDeleted(ILogger logger, string file, string reason);

    [LoggerMessage(20, LogLevel.Debug,
        "message {MessageId} of queue {Queue} expired; no address to move it to")]
    public static partial void Expired(ILogger logger, string queue, long messageId);
}
