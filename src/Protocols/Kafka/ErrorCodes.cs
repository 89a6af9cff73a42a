using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>The room's errors in the protocol's numbers.</summary>
internal static class ErrorCodes
{
    /// <summary>What the streams say.</summary>
    public static ErrorCode Of(StreamError error) => error switch
    {
        StreamError.None => ErrorCode.None,
        StreamError.UnknownStream or StreamError.UnknownPartition => ErrorCode.UnknownTopicOrPartition,
        StreamError.UnknownStreamId => ErrorCode.UnknownTopicId,
        StreamError.OffsetOutOfRange => ErrorCode.OffsetOutOfRange,
        StreamError.CorruptBatch => ErrorCode.CorruptMessage,
        StreamError.InvalidRecord => ErrorCode.InvalidRecord,
        StreamError.InvalidTimestamp => ErrorCode.InvalidTimestamp,
        StreamError.BatchTooLarge => ErrorCode.MessageTooLarge,
        StreamError.UnsupportedCompression => ErrorCode.UnsupportedCompressionType,
        StreamError.OutOfOrderSequence => ErrorCode.OutOfOrderSequenceNumber,
        StreamError.InvalidProducerEpoch => ErrorCode.InvalidProducerEpoch,
        StreamError.InvalidTransactionState => ErrorCode.InvalidTxnState,
        StreamError.FencedLeaderEpoch => ErrorCode.FencedLeaderEpoch,
        StreamError.UnknownLeaderEpoch => ErrorCode.UnknownLeaderEpoch,
        StreamError.StorageFailed or StreamError.DiskFull => ErrorCode.KafkaStorageError,
        StreamError.AlreadyExists => ErrorCode.TopicAlreadyExists,
        StreamError.InvalidPartitions => ErrorCode.InvalidPartitions,
        StreamError.InvalidConfig => ErrorCode.InvalidConfig,
        StreamError.InvalidName => ErrorCode.InvalidTopicException,
        StreamError.LimitReached => ErrorCode.PolicyViolation,
        StreamError.CoordinatorFenced => ErrorCode.TransactionCoordinatorFenced,
        StreamError.Busy => ErrorCode.RequestTimedOut,
        _ => ErrorCode.UnknownServerError,
    };
}
