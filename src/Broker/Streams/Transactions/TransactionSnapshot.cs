using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Streams.Transactions;

/// <summary>All that is kept on disk of a transactional id. Immutable.</summary>
internal sealed record TransactionSnapshot
{
    /// <summary>The highest epoch that a producer may have; one above it only ever stands in a marker.</summary>
    public const short EpochMax = short.MaxValue - 1;

    public required ProducerStamp Producer { get; init; }

    /// <summary>The producer id before this one; -1 = none.</summary>
    public long PreviousId { get; init; } = -1;

    /// <summary>The producer id after the transaction that is being ended; -1 = it stays.</summary>
    public long NextId { get; init; } = -1;

    /// <summary>The epoch before this one, which a request may repeat; not on disk.</summary>
    public short LastEpoch { get; init; } = -1;

    public int TimeoutMs { get; init; }

    public TransactionState State { get; init; }

    public IReadOnlySet<TopicPartition> Partitions { get; init; } = new HashSet<TopicPartition>();

    public long UpdatedMs { get; init; }

    public long StartedMs { get; init; } = -1;

    public short ClientVersion { get; init; }

    public bool IsExhausted => Producer.Epoch >= EpochMax;

    public bool IsOngoing => State == TransactionState.Ongoing;

    public bool IsPrepared => State is TransactionState.PrepareCommit or TransactionState.PrepareAbort;

    /// <summary>What the client uses next once a prepared end is complete.</summary>
    public ProducerStamp AfterEnd => NextId >= 0 ? new ProducerStamp(NextId, 0) : Producer;

    /// <summary>The transaction's end is decided and will happen. The epoch is bumped when the producer is to be
    /// fenced, or with every transaction (version 2).</summary>
    public TransactionSnapshot Prepare(bool commit, bool bump, long nextId, long nowMs) => this with
    {
        State = commit ? TransactionState.PrepareCommit : TransactionState.PrepareAbort,
        Producer = bump ? Producer with { Epoch = (short)(Producer.Epoch + 1) } : Producer,
        LastEpoch = bump ? Producer.Epoch : LastEpoch,
        NextId = nextId,
        UpdatedMs = nowMs,
    };

    /// <summary>All markers are on disk.</summary>
    public TransactionSnapshot Complete(long nowMs) => this with
    {
        State = State == TransactionState.PrepareCommit
            ? TransactionState.CompleteCommit
            : TransactionState.CompleteAbort,
        Producer = AfterEnd,
        PreviousId = NextId >= 0 ? Producer.Id : PreviousId,
        LastEpoch = NextId >= 0 ? (short)-1 : LastEpoch,
        NextId = -1,
        Partitions = new HashSet<TopicPartition>(),
        StartedMs = -1,
        UpdatedMs = nowMs,
    };
}
