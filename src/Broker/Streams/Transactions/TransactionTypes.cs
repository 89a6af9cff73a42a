using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Streams.Transactions;

/// <summary>Where a transactional id stands. Numbers are those on disk.</summary>
public enum TransactionState : byte
{
    /// <summary>The producer is known, and has not begun a transaction.</summary>
    Empty = 0,

    /// <summary>Partitions take part in a transaction.</summary>
    Ongoing = 1,

    /// <summary>Commit is decided and on disk; markers are on their way to the partitions.</summary>
    PrepareCommit = 2,

    /// <summary>Abortion is decided and on disk; markers are on their way to the partitions.</summary>
    PrepareAbort = 3,

    /// <summary>The last transaction was committed: all markers are on disk.</summary>
    CompleteCommit = 4,

    /// <summary>The last transaction was aborted: all markers are on disk.</summary>
    CompleteAbort = 5,

    /// <summary>The tools' name for an id that is being forgotten; none is in it here.</summary>
    Dead = 6,
}

/// <summary>A producer wants to be known.</summary>
/// <param name="TransactionalId">Null: idempotence only.</param>
/// <param name="TimeoutMs">Longest that a transaction may take; more than 0 unless without transactional id.</param>
/// <param name="Current">What the producer was given before and wants bumped; none = it is new.</param>
public readonly record struct InitProducerRequest(string? TransactionalId, int TimeoutMs, ProducerStamp Current);

/// <summary>A producer's id and epoch.</summary>
public readonly record struct ProducerResult(CoordinatorError Error, ProducerStamp Producer)
    : ICoordinatorResult<ProducerResult>
{
    /// <inheritdoc/>
    public static ProducerResult Of(CoordinatorError error) => new(error, ProducerStamp.None);
}

/// <summary>Who speaks in which transaction.</summary>
/// <param name="TransactionalId">The name that outlives the producer.</param>
/// <param name="Producer">Its id and epoch.</param>
/// <param name="Version">2 when the client's epoch is bumped with every transaction (Produce 12, TxnOffsetCommit 5,
/// EndTxn 5 and later), else 1.</param>
public readonly record struct TransactionRef(string TransactionalId, ProducerStamp Producer, short Version);

/// <summary>One error for all, or one for each partition in the order of the request.</summary>
public sealed record PartitionsResult : ICoordinatorResult<PartitionsResult>
{
    /// <summary>None: see <see cref="Partitions"/>.</summary>
    public CoordinatorError Error { get; init; }

    /// <summary>Empty when <see cref="Error"/> holds for all.</summary>
    public IReadOnlyList<CoordinatorError> Partitions { get; init; } = [];

    /// <inheritdoc/>
    public static PartitionsResult Of(CoordinatorError error) => new() { Error = error };
}

/// <summary>A transactional id as others see it. Immutable.</summary>
public sealed record TransactionView : ICoordinatorResult<TransactionView>
{
    /// <summary>None: the rest is there.</summary>
    public CoordinatorError Error { get; init; }

    /// <summary>The name that outlives the producer.</summary>
    public string TransactionalId { get; init; } = "";

    /// <summary>Where it stands.</summary>
    public TransactionState State { get; init; }

    /// <summary>The producer that has it now.</summary>
    public ProducerStamp Producer { get; init; } = ProducerStamp.None;

    /// <summary>Longest that a transaction may take, in milliseconds; then it is aborted.</summary>
    public int TimeoutMs { get; init; }

    /// <summary>When the transaction began, in milliseconds since the Unix epoch; -1 = none is open.</summary>
    public long StartedMs { get; init; } = -1;

    /// <summary>The partitions that take part in the transaction under way.</summary>
    public IReadOnlyCollection<TopicPartition> Partitions { get; init; } = [];

    /// <inheritdoc/>
    public static TransactionView Of(CoordinatorError error) => new() { Error = error };
}

/// <summary>What became of a marker.</summary>
public enum MarkerOutcome : byte
{
    /// <summary>On disk.</summary>
    Written,

    /// <summary>The partition is no more, or the producer has a later epoch there: nothing is left to be
    /// ended.</summary>
    Gone,

    /// <summary>Not now: to be tried again.</summary>
    Retry,
}

/// <summary>The end of a transaction, for one partition.</summary>
/// <param name="Producer">Whose transaction ends; with version 2 the epoch is one above the transaction's.</param>
/// <param name="Committed">Whether its records count.</param>
/// <param name="Version">See <see cref="TransactionRef"/>.</param>
public readonly record struct TransactionEnd(ProducerStamp Producer, bool Committed, short Version);

/// <summary>The partitions that transactions write to.</summary>
public interface ITransactionPartitions
{
    /// <summary>Whether a partition exists.</summary>
    bool Exists(TopicPartition partition);

    /// <summary>The partition that keeps a group's offsets.</summary>
    TopicPartition OffsetsOf(string groupId);

    /// <summary>Writes the end of a transaction; calls back once, on any thread.</summary>
    void WriteMarker(TopicPartition partition, TransactionEnd end, Action<MarkerOutcome> done);
}

/// <summary>Limits and defaults of transactions. Immutable.</summary>
public sealed record TransactionOptions
{
    /// <summary>Longest time-out that a producer may ask for.</summary>
    public int TimeoutMsMax { get; init; } = 900_000;

    /// <summary>How long an unused transactional id is remembered. Default 7 days.</summary>
    public long IdRetentionMs { get; init; } = 7L * 24 * 3600 * 1000;

    /// <summary>How often unused ids are looked for.</summary>
    public int IdSweepMs { get; init; } = 3_600_000;

    /// <summary>How long to wait before a marker or record that was refused is tried again.</summary>
    public int RetryMs { get; init; } = 100;

    /// <summary>How long a request waits for the end of the producer's last transaction, then it is told to come again.
    /// </summary>
    public int WaitMs { get; init; } = 1000;

    /// <summary>Requests of one transactional id that wait for that at once.</summary>
    public int WaitingMax { get; init; } = 16;

    /// <summary>Producer ids that are reserved on disk at once.</summary>
    public int ProducerIdBlock { get; init; } = 1000;

    /// <summary>Transactional ids of one coordinator.</summary>
    public int IdsMax { get; init; } = 100_000;

    /// <summary>Partitions of one transaction.</summary>
    public int PartitionsMax { get; init; } = 10_000;
}
