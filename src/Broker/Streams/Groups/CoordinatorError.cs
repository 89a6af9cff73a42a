namespace Pillarbox.Broker.Streams.Groups;

/// <summary>What a coordinator answers. Names and numbers are those that the field's clients know, so that an adaptor
/// needs no table of its own.</summary>
public enum CoordinatorError : short
{
    UnknownServerError = -1,
    None = 0,
    UnknownTopicOrPartition = 3,
    OffsetMetadataTooLarge = 12,
    CoordinatorLoadInProgress = 14,
    CoordinatorNotAvailable = 15,
    NotCoordinator = 16,
    IllegalGeneration = 22,
    InconsistentGroupProtocol = 23,
    InvalidGroupId = 24,
    UnknownMemberId = 25,
    InvalidSessionTimeout = 26,
    RebalanceInProgress = 27,
    InvalidCommitOffsetSize = 28,
    InvalidConfig = 40,
    InvalidRequest = 42,
    PolicyViolation = 44,
    InvalidProducerEpoch = 47,
    InvalidTxnState = 48,
    InvalidProducerIdMapping = 49,
    InvalidTransactionTimeout = 50,
    ConcurrentTransactions = 51,
    NonEmptyGroup = 68,
    GroupIdNotFound = 69,
    MemberIdRequired = 79,
    GroupMaxSizeReached = 81,
    FencedInstanceId = 82,
    GroupSubscribedToTopic = 86,
    UnstableOffsetCommit = 88,
    ProducerFenced = 90,
    UnknownTopicId = 100,
    TransactionalIdNotFound = 105,
    FencedMemberEpoch = 110,
    UnreleasedInstanceId = 111,
    UnsupportedAssignor = 112,
    StaleMemberEpoch = 113,
    TransactionAbortable = 120,
    InvalidRecordState = 121,
    ShareSessionNotFound = 122,
    InvalidShareSessionEpoch = 123,
    FencedStateEpoch = 124,
    InvalidRegularExpression = 128,
}

/// <summary>A result that can also be made of an error alone.</summary>
/// <typeparam name="TSelf">The result's own type.</typeparam>
public interface ICoordinatorResult<TSelf>
    where TSelf : ICoordinatorResult<TSelf>
{
    /// <summary>The result that says only what went wrong.</summary>
    static abstract TSelf Of(CoordinatorError error);
}

/// <summary>A result that is only an error or none.</summary>
/// <param name="Error">What happened.</param>
public readonly record struct PlainResult(CoordinatorError Error) : ICoordinatorResult<PlainResult>
{
    /// <inheritdoc/>
    public static PlainResult Of(CoordinatorError error) => new(error);
}
