using Microsoft.Extensions.Logging;

namespace Pillarbox.Broker.Streams;

/// <summary>What streams report.</summary>
internal static partial class StreamLog
{
    [LoggerMessage(30, LogLevel.Information,
        "recovered {Partitions} partitions of {Streams} streams: {Batches} batches read, {TornBytes} torn bytes cut")]
    public static partial void Recovered(ILogger logger, int partitions, int streams, long batches, long tornBytes);

    [LoggerMessage(31, LogLevel.Error, "stream {Stream}, partition {Partition}: damage: {What}")]
    public static partial void Damaged(ILogger logger, string stream, int partition, string what);

    [LoggerMessage(32, LogLevel.Error, "file set aside because it cannot be a part of the partition: {File}")]
    public static partial void FileSetAside(ILogger logger, string file);

    [LoggerMessage(33, LogLevel.Error, "upkeep of the streams failed; it is tried again")]
    public static partial void UpkeepFailed(ILogger logger, Exception error);

    [LoggerMessage(34, LogLevel.Information,
        "compacted {Stream}, partition {Partition}, up to offset {Offset}: {Before} bytes became {After}")]
    public static partial void Compacted(
        ILogger logger, string stream, int partition, long offset, long before, long after);
}
