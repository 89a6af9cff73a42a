using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Streams.Transactions;

/// <summary>What a request comes to: an error for the client, a state to go into, or both (a producer that is fenced
/// hears of a conflict while the transaction that it found open is aborted).</summary>
/// <param name="Error">For the client, once the state is on disk.</param>
/// <param name="Next">The state to go into; null = stays.</param>
/// <param name="NeedsId">Nothing is decided: ask again with a new producer id.</param>
internal readonly record struct Verdict(
    CoordinatorError Error, TransactionSnapshot? Next = null, bool NeedsId = false)
{
    public static readonly Verdict Stay = new(CoordinatorError.None);

    public static readonly Verdict NewId = new(CoordinatorError.None, null, NeedsId: true);

    public static implicit operator Verdict(CoordinatorError error) => new(error);

    public static implicit operator Verdict(TransactionSnapshot next) => new(CoordinatorError.None, next);
}

/// <summary>The rules of transactions, version 1 and 2, over one snapshot. Pure.</summary>
internal static class TransactionRules
{
    /// <summary>From this version of a client on, every transaction has an epoch of its own.</summary>
    public const short EpochBumpVersion = 2;

    /// <summary>A producer begins, or wants its epoch bumped.</summary>
    /// <param name="current">Where the transactional id stands.</param>
    /// <param name="request">What it asks.</param>
    /// <param name="newId">A producer id for one that has used up its epochs; -1 = not yet asked for.</param>
    /// <param name="nowMs">Milliseconds since the Unix epoch.</param>
    public static Verdict Init(
        TransactionSnapshot current, in InitProducerRequest request, long newId, long nowMs)
    {
        ProducerStamp given = request.Current;
        bool isGiven = given.Id >= 0;
        bool repeats = isGiven && Repeats(current, given);
        if (isGiven && !repeats && given != current.Producer)
        {
            return CoordinatorError.ProducerFenced;
        }

        if (current.IsPrepared)
        {
            return CoordinatorError.ConcurrentTransactions;
        }

        if (current.IsOngoing)
        {
            // Somebody else's transaction, or one left open by the producer's earlier life.
            return new Verdict(CoordinatorError.ConcurrentTransactions, Fence(current, nowMs));
        }

        if (repeats)
        {
            return Verdict.Stay;
        }

        if (current.IsExhausted && newId < 0)
        {
            return Verdict.NewId;
        }

        return current with
        {
            Producer = current.IsExhausted
                ? new ProducerStamp(newId, 0)
                : current.Producer with { Epoch = (short)(current.Producer.Epoch + 1) },
            PreviousId = current.IsExhausted ? current.Producer.Id : current.PreviousId,
            LastEpoch = isGiven ? current.Producer.Epoch : (short)-1,
            State = TransactionState.Empty,
            TimeoutMs = request.TimeoutMs,
            UpdatedMs = nowMs,
            // Another life of the producer may have the epoch before: it may not take this one for its own.
            ClientVersion = 0,
        };
    }

    /// <summary>The transaction will write to partitions.</summary>
    public static Verdict Add(
        TransactionSnapshot current, in TransactionRef who, IReadOnlyCollection<TopicPartition> partitions, long nowMs)
    {
        CoordinatorError error = CheckProducer(current, who.Producer);
        if (error != CoordinatorError.None)
        {
            return error;
        }

        if (current.IsPrepared)
        {
            return CoordinatorError.ConcurrentTransactions;
        }

        if (current.IsOngoing && current.Partitions.IsSupersetOf(partitions))
        {
            return Verdict.Stay;
        }

        HashSet<TopicPartition> all = current.IsOngoing ? [.. current.Partitions] : [];
        all.UnionWith(partitions);
        return current with
        {
            State = TransactionState.Ongoing,
            Partitions = all,
            StartedMs = current.IsOngoing ? current.StartedMs : nowMs,
            UpdatedMs = nowMs,
            ClientVersion = who.Version,
        };
    }

    /// <summary>Whether the producer's open transaction writes to partitions: one error for all, or null.</summary>
    public static CoordinatorError Verify(TransactionSnapshot current, in TransactionRef who)
    {
        CoordinatorError error = CheckProducer(current, who.Producer);
        return error == CoordinatorError.None && current.IsPrepared
            ? CoordinatorError.ConcurrentTransactions
            : error;
    }

    /// <summary>The client ends its transaction.</summary>
    /// <param name="current">Where the transactional id stands.</param>
    /// <param name="who">Who ends it.</param>
    /// <param name="commit">How.</param>
    /// <param name="newId">A producer id for one that has used up its epochs; -1 = not yet asked for.</param>
    /// <param name="nowMs">Milliseconds since the Unix epoch.</param>
    public static Verdict End(
        TransactionSnapshot current, in TransactionRef who, bool commit, long newId, long nowMs)
    {
        bool bumps = who.Version >= EpochBumpVersion;
        bool repeats = bumps && Repeats(current, who.Producer);
        CoordinatorError error = repeats ? CoordinatorError.None : CheckProducer(current, who.Producer);
        if (error != CoordinatorError.None)
        {
            return error;
        }

        switch (current.State)
        {
            case TransactionState.Ongoing:
                // An epoch that is below the open transaction's belongs to one that is over.
                return repeats ? CoordinatorError.ProducerFenced : Prepare(current, commit, bumps, newId, nowMs);
            case TransactionState.PrepareCommit or TransactionState.PrepareAbort:
                return IsCommit(current) == commit || (bumps && !repeats)
                    ? CoordinatorError.ConcurrentTransactions
                    : CoordinatorError.InvalidTxnState;
            case TransactionState.CompleteCommit or TransactionState.CompleteAbort when !bumps || repeats:
                return IsCommit(current) == commit ? Verdict.Stay : CoordinatorError.InvalidTxnState;
            default:
                // Nothing was written: version 2 clients may abort that, to get a new epoch.
                return bumps && !repeats && !commit
                    ? Prepare(current, commit, bumps, newId, nowMs)
                    : CoordinatorError.InvalidTxnState;
        }
    }

    /// <summary>The open transaction is aborted and its producer may not go on.</summary>
    public static TransactionSnapshot Fence(TransactionSnapshot current, long nowMs) =>
        current.Prepare(commit: false, bump: true, nextId: -1, nowMs);

    private static Verdict Prepare(TransactionSnapshot current, bool commit, bool bumps, long newId, long nowMs)
    {
        bool needsId = bumps && current.IsExhausted;
        return needsId && newId < 0
            ? Verdict.NewId
            : current.Prepare(commit, bumps, needsId ? newId : -1, nowMs);
    }

    private static bool IsCommit(TransactionSnapshot current) =>
        current.State is TransactionState.PrepareCommit or TransactionState.CompleteCommit;

    // Whether a request comes from just before the last bump: its answer was lost.
    private static bool Repeats(TransactionSnapshot current, ProducerStamp given)
    {
        bool before = given.Id == current.Producer.Id && given.Epoch == current.Producer.Epoch - 1;
        bool rotated = given.Id == current.PreviousId && given.Epoch >= TransactionSnapshot.EpochMax
            && current.Producer.Epoch == 0;
        return (before || rotated)
            && (current.LastEpoch == given.Epoch || current.ClientVersion >= EpochBumpVersion);
    }

    private static CoordinatorError CheckProducer(TransactionSnapshot current, ProducerStamp producer) =>
        producer.Id != current.Producer.Id ? CoordinatorError.InvalidProducerIdMapping
        : producer.Epoch != current.Producer.Epoch ? CoordinatorError.ProducerFenced
        : CoordinatorError.None;
}
