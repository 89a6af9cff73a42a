using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Streams.Transactions;

/// <summary>
/// Producers with a name, and their transactions over many partitions. Any thread asks; the answer comes by the
/// callback, once, on whichever thread drains the loop, as soon as what it says is on disk.
/// <code>
/// Empty --add--> Ongoing --end--> PrepareCommit | PrepareAbort --all markers on disk--> CompleteCommit | CompleteAbort
///   ^                                                                                      | --add--> Ongoing
///   +-------------------------------------- init ------------------------------------------+
/// </code>
/// What is prepared happens: after a crash the markers are written again.
/// </summary>
public sealed class TransactionCoordinator
{
    private readonly TransactionOptions _options;
    private readonly CoordinatorLoop _loop;
    private readonly CoordinatorSeams _seams;
    private readonly ITransactionPartitions _partitions;
    private readonly TimerHeap _timers = new();
    private readonly ProducerIds _ids;
    private readonly TransactionTable _table;
    private readonly TransactionEnds _ends;
    private readonly TransactionWaits _waits;
    private readonly CoordinatorTimer _sweep;

    private TransactionCoordinator(
        TransactionOptions options, ICoordinatorLog log, CoordinatorLoop loop, CoordinatorSeams seams,
        ITransactionPartitions partitions)
    {
        _options = options;
        _loop = loop;
        _seams = seams;
        _partitions = partitions;
        CoordinatorStore store = new(log, loop);
        _ids = new ProducerIds(store, options.ProducerIdBlock);
        _table = new TransactionTable(store, _ids, options.IdsMax, seams.Logger);
        _ends = new TransactionEnds(_table, partitions, loop, _timers, () => NowMs, options);
        _waits = new TransactionWaits(_timers, () => NowMs, options);
        _table.OnSettled = TransactionWaits.Release;
        _sweep = new CoordinatorTimer(Sweep);
        _timers.Arm(_sweep, NowMs + options.IdSweepMs);
        store.Replay(_table);
        loop.Post(Resume);
    }

    private long NowMs => _seams.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Reads back what the log has, and goes on with ends that were under way.</summary>
    public static TransactionCoordinator Open(
        TransactionOptions options, ICoordinatorLog log, CoordinatorLoop loop, CoordinatorSeams seams,
        ITransactionPartitions partitions) => new(options, log, loop, seams, partitions);

    /// <summary>Does what is due. Called every 50 ms or so by the node.</summary>
    public void Tick() => _loop.Post(() => _timers.Run(NowMs));

    /// <summary>Gives a producer its id and epoch. A transaction that its earlier life left open is aborted first,
    /// and the producer asks again after <see cref="CoordinatorError.ConcurrentTransactions"/>.</summary>
    public void InitProducer(InitProducerRequest request, Action<ProducerResult> done) => _loop.Post(() =>
    {
        if (request.TransactionalId is not { } id)
        {
            _ids.Take(newId => done(Given(newId)));
        }
        else if (id.Length is 0 or > GroupRequests.NameCharsMax)
        {
            done(ProducerResult.Of(CoordinatorError.InvalidRequest));
        }
        else if (request.TimeoutMs <= 0 || request.TimeoutMs > _options.TimeoutMsMax)
        {
            done(ProducerResult.Of(CoordinatorError.InvalidTransactionTimeout));
        }
        else if (_table.GetOrAdd(id) is { } slot)
        {
            Init(slot, request, newId: -1, done);
        }
        else
        {
            done(ProducerResult.Of(CoordinatorError.PolicyViolation));
        }
    });

    /// <summary>The transaction will write to partitions: it begins with the first. Either all are added, or none
    /// is.</summary>
    public void AddPartitions(
        TransactionRef who, IReadOnlyList<TopicPartition> partitions, Action<PartitionsResult> done) =>
        _loop.Post(() =>
        {
            CoordinatorError[] errors = [.. partitions.Select(p => _partitions.Exists(p)
                ? CoordinatorError.None
                : CoordinatorError.UnknownTopicOrPartition)];
            if (errors.Any(e => e != CoordinatorError.None))
            {
                done(new PartitionsResult { Partitions = errors });
                return;
            }

            Add(who, partitions, error => done(error == CoordinatorError.None
                ? new PartitionsResult { Partitions = errors }
                : PartitionsResult.Of(error)));
        });

    /// <summary>Whether partitions belong to the producer's open transaction: asked for clients of version 1 before
    /// their first append to a partition.</summary>
    public void VerifyPartitions(
        TransactionRef who, IReadOnlyList<TopicPartition> partitions, Action<PartitionsResult> done) =>
        _loop.Post(() =>
        {
            TransactionSnapshot? current = Find(who, out CoordinatorError error)?.Current;
            error = current is null ? error : TransactionRules.Verify(current, who);
            done(error != CoordinatorError.None ? PartitionsResult.Of(error) : new PartitionsResult
            {
                Partitions = [.. partitions.Select(p => current!.IsOngoing && current.Partitions.Contains(p)
                    ? CoordinatorError.None
                    : CoordinatorError.TransactionAbortable)],
            });
        });

    /// <summary>The transaction will commit offsets of a group.</summary>
    public void AddOffsets(TransactionRef who, string groupId, Action<PlainResult> done) => _loop.Post(() =>
    {
        if (groupId.Length == 0)
        {
            done(PlainResult.Of(CoordinatorError.InvalidGroupId));
            return;
        }

        Add(who, [_partitions.OffsetsOf(groupId)], error => done(new PlainResult(error)));
    });

    /// <summary>Calls back on the loop, at a moment when a group's offsets belong to the producer's open transaction,
    /// or with why they do not.</summary>
    internal void Enter(TransactionRef who, string groupId, Action<CoordinatorError> done) => _loop.Post(() =>
    {
        TopicPartition partition = _partitions.OffsetsOf(groupId);
        TransactionSnapshot? current = Find(who, out CoordinatorError error)?.Current;
        error = current is null ? error : TransactionRules.Verify(current, who);
        bool isIn = error == CoordinatorError.None && current!.IsOngoing && current.Partitions.Contains(partition);
        if (error == CoordinatorError.None && !isIn && who.Version >= TransactionRules.EpochBumpVersion)
        {
            Add(who, [partition], done);
        }
        else
        {
            done(error == CoordinatorError.None && !isIn ? CoordinatorError.TransactionAbortable : error);
        }
    });

    /// <summary>Ends the transaction. The answer comes when the decision is on disk; markers follow. With version 2
    /// the answer has what the producer uses next.</summary>
    public void EndTransaction(TransactionRef who, bool commit, Action<ProducerResult> done) => _loop.Post(() =>
    {
        // Never before the partitions that the producer has asked for first.
        if (_table.Find(who.TransactionalId) is not { Waiting.Count: > 0 } slot
            || !_waits.TryHold(slot, isTurn => EndNow(who, commit, isTurn, done)))
        {
            EndNow(who, commit, isTurn: true, done);
        }
    });

    private void EndNow(TransactionRef who, bool commit, bool isTurn, Action<ProducerResult> done)
    {
        if (!isTurn)
        {
            done(ProducerResult.Of(CoordinatorError.ConcurrentTransactions));
        }
        else if (Find(who, out CoordinatorError error) is { } slot)
        {
            End(slot, who, commit, newId: -1, done);
        }
        else
        {
            done(ProducerResult.Of(error));
        }
    }

    /// <summary>One transactional id; <see cref="CoordinatorError.TransactionalIdNotFound"/> when it is
    /// unknown.</summary>
    public void Describe(string transactionalId, Action<TransactionView> done) => _loop.Post(() =>
        done(_table.Find(transactionalId) is { Current: not null } slot
            ? ViewOf(slot)
            : TransactionView.Of(CoordinatorError.TransactionalIdNotFound) with { TransactionalId = transactionalId }));

    /// <summary>All transactional ids.</summary>
    public void List(Action<IReadOnlyList<TransactionView>> done) =>
        _loop.Post(() => done([.. _table.All.Where(s => s.Current is not null).Select(ViewOf)]));

    private static TransactionView ViewOf(TransactionSlot slot) => new()
    {
        TransactionalId = slot.Id,
        State = slot.Current!.State,
        Producer = slot.Current.Producer,
        TimeoutMs = slot.Current.TimeoutMs,
        StartedMs = slot.Current.StartedMs,
        Partitions = slot.Current.Partitions,
    };

    private static ProducerResult Given(long newId) => newId < 0
        ? ProducerResult.Of(CoordinatorError.CoordinatorNotAvailable)
        : new ProducerResult(CoordinatorError.None, new ProducerStamp(newId, 0));

    private TransactionSlot? Find(in TransactionRef who, out CoordinatorError error)
    {
        TransactionSlot? slot = _table.Find(who.TransactionalId);
        error = slot?.Current is null ? CoordinatorError.InvalidProducerIdMapping
            : slot.IsBusy ? CoordinatorError.ConcurrentTransactions
            : CoordinatorError.None;
        return error == CoordinatorError.None ? slot : null;
    }

    private void Init(
        TransactionSlot slot, InitProducerRequest request, long newId, Action<ProducerResult> done)
    {
        if (slot.IsBusy)
        {
            done(ProducerResult.Of(CoordinatorError.ConcurrentTransactions));
            return;
        }

        if (slot.Current is null && newId < 0)
        {
            TakeId(slot, done, id => Init(slot, request, id, done));
            return;
        }

        Verdict verdict = slot.Current is { } current
            ? TransactionRules.Init(current, request, newId, NowMs)
            : new TransactionSnapshot
            {
                Producer = new ProducerStamp(newId, 0),
                TimeoutMs = request.TimeoutMs,
                UpdatedMs = NowMs,
            };
        if (verdict.NeedsId)
        {
            TakeId(slot, done, id => Init(slot, request, id, done));
            return;
        }

        Apply(slot, verdict, done);
    }

    private void End(TransactionSlot slot, TransactionRef who, bool commit, long newId, Action<ProducerResult> done)
    {
        Verdict verdict = slot.IsBusy
            ? CoordinatorError.ConcurrentTransactions
            : TransactionRules.End(slot.Current!, who, commit, newId, NowMs);
        if (verdict.NeedsId)
        {
            TakeId(slot, done, id => End(slot, who, commit, id, done));
            return;
        }

        Apply(slot, verdict, done);
    }

    private void Add(TransactionRef who, IReadOnlyCollection<TopicPartition> partitions, Action<CoordinatorError> done)
    {
        if (_table.Find(who.TransactionalId) is not { Current: not null } slot || !TransactionWaits.IsDue(slot)
            || !_waits.TryHold(slot, isTurn => AddNow(who, partitions, isTurn, done)))
        {
            AddNow(who, partitions, isTurn: true, done);
        }
    }

    private void AddNow(
        TransactionRef who, IReadOnlyCollection<TopicPartition> partitions, bool isTurn, Action<CoordinatorError> done)
    {
        if (!isTurn)
        {
            done(CoordinatorError.ConcurrentTransactions);
            return;
        }

        if (Find(who, out CoordinatorError error) is not { } slot)
        {
            done(error);
            return;
        }

        Verdict verdict = TransactionRules.Add(slot.Current!, who, partitions, NowMs);
        if (verdict.Next?.Partitions.Count > _options.PartitionsMax)
        {
            verdict = CoordinatorError.PolicyViolation;
        }

        Apply(slot, verdict, result => done(result.Error));
    }

    // A new producer id is on its way: meanwhile the slot may change, so everything is asked anew with it.
    private void TakeId(TransactionSlot slot, Action<ProducerResult> done, Action<long> next) => _ids.Take(id =>
    {
        if (id >= 0)
        {
            next(id);
            return;
        }

        DropIfNew(slot);
        done(ProducerResult.Of(CoordinatorError.CoordinatorNotAvailable));
    });

    private void Apply(TransactionSlot slot, Verdict verdict, Action<ProducerResult> done)
    {
        if (verdict.Next is not { } next)
        {
            done(new ProducerResult(verdict.Error, slot.Current?.AfterEnd ?? ProducerStamp.None));
            return;
        }

        CoordinatorError refusal = _table.Change(slot, next, ok =>
        {
            done(ok
                ? new ProducerResult(verdict.Error, next.AfterEnd)
                : ProducerResult.Of(CoordinatorError.CoordinatorNotAvailable));
            if (ok)
            {
                Changed(slot);
            }
        });
        if (refusal != CoordinatorError.None)
        {
            DropIfNew(slot);
            done(ProducerResult.Of(CoordinatorError.CoordinatorNotAvailable));
        }
    }

    private void DropIfNew(TransactionSlot slot)
    {
        if (slot.Current is null && !slot.IsBusy)
        {
            _table.Drop(slot);
        }
    }

    private void Changed(TransactionSlot slot)
    {
        TransactionSnapshot current = slot.Current!;
        if (current.IsPrepared)
        {
            _ends.Start(slot);
        }
        else if (current.IsOngoing)
        {
            slot.Timeout ??= new CoordinatorTimer(() => TimeOver(slot));
            _timers.Arm(slot.Timeout, current.StartedMs + current.TimeoutMs);
        }
    }

    private void TimeOver(TransactionSlot slot)
    {
        if (slot.Current is not { IsOngoing: true } current || _table.Find(slot.Id) != slot)
        {
            return;
        }

        long overMs = current.StartedMs + current.TimeoutMs;
        bool isOver = !slot.IsBusy && NowMs >= overMs;
        CoordinatorError refusal = isOver
            ? _table.Change(slot, TransactionRules.Fence(current, NowMs), ok => Resume(slot, ok))
            : CoordinatorError.ConcurrentTransactions;
        if (refusal != CoordinatorError.None)
        {
            _timers.Arm(slot.Timeout!, Math.Max(overMs, NowMs + _options.RetryMs));
        }
    }

    private void Resume(TransactionSlot slot, bool ok)
    {
        if (ok)
        {
            Changed(slot);
        }
    }

    private void Resume()
    {
        foreach (TransactionSlot slot in _table.All.ToArray())
        {
            Changed(slot);
        }
    }

    private void Sweep()
    {
        foreach (TransactionSlot slot in _table.All.ToArray())
        {
            bool isUnused = slot is { IsBusy: false, Current: { IsOngoing: false, IsPrepared: false } current }
                && current.UpdatedMs + _options.IdRetentionMs <= NowMs;
            if (isUnused)
            {
                _table.Forget(slot);
            }
        }

        _timers.Arm(_sweep, NowMs + _options.IdSweepMs);
    }
}
