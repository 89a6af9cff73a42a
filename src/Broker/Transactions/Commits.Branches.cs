using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Transactions;

/// <content>Prepared branches of distributed transactions.</content>
internal sealed partial class Commits
{
    /// <summary>Writes the offsets of groups that a branch commits, in their turn; when they are on disk it is
    /// prepared: <see cref="XaSteps.OnOffsetsHeld"/>.</summary>
    public void HoldOffsets(XaBranch branch, ulong tag)
    {
        Transaction transaction = branch.Transaction;
        if (_withOffsets is not null)
        {
            _waiting.Enqueue((transaction, tag));
            return;
        }

        _withOffsets = transaction;
        branch.Offsets = new HeldOffsets(services.StreamCommits.Rent(), []);
        transaction.Offsets = OffsetGate.Begin(transaction, branch.Offsets.ProducerId, client, isHeld: true);
        _preparing++;
        client.Complete(new Completion
        {
            Kind = CompletionKind.Prepared,
            Transaction = transaction,
            Tag = tag,
            Gate = transaction.Offsets,
        });
    }

    /// <summary>The offsets that a branch holds count from now on, or never.</summary>
    public void EndHeld(XaBranch? branch, bool isCommit)
    {
        if (branch?.Offsets is { } held)
        {
            IReadOnlyList<SpannedPart> parts = held.Find(services.Streams.GetValueOrDefault(branch.Owner.Space));
            services.StreamCommits.End(held.ProducerId, parts, isCommit, branch.OffsetsMark);
            branch.Offsets = null;
            branch.OffsetsMark = null;
        }
    }

    /// <summary>
    /// Ends a prepared branch; the client is told in its turn. Records that it holds for streams are written first, as
    /// those of a local transaction are. Throws <see cref="StorageException"/>: the branch is as it was.
    /// </summary>
    public void EndPrepared(XaBranch branch, bool isCommit, ulong tag)
    {
        if (isCommit && branch.HoldsRecords)
        {
            branch.Transaction.Streams = HeldRecords.Restore(branch, services);
            Prepare(branch.Transaction, tag);
            return;
        }

        AppendEnd(branch, isCommit, tag);
    }

    /// <summary>Its records are on disk, though nobody reads them. When the disk did not take all of them, or does not
    /// take the decision, they are aborted, and the branch waits for the next word.</summary>
    private void Decide(XaBranch branch, ulong tag)
    {
        Transaction transaction = branch.Transaction;
        BrokerException? error = transaction.Failure;
        try
        {
            if (error is null)
            {
                AppendEnd(branch, isCommit: true, tag);
                return;
            }
        }
        catch (StorageException e)
        {
            error = new BrokerException(BrokerError.Unavailable, e.Message);
        }

        EndStreams(transaction, isCommit: false);
        transaction.Parts = [];
        transaction.Failure = null;
        services.Xa.PutBack(branch);
        client.Complete(new Completion
        {
            Kind = CompletionKind.Discharged,
            Transaction = transaction,
            Tag = tag,
            Error = new BrokerException(BrokerError.Unavailable, $"the branch is prepared still: {error.Message}"),
        });
    }

    private void AppendEnd(XaBranch branch, bool isCommit, ulong tag)
    {
        Transaction transaction = branch.Transaction;
        LogBatch batch = isCommit ? Seal(branch) : new LogBatch(128) { Essential = true };
        PendingCommit commit = new() { Floor = services.Journal.TailPosition, IsRollback = !isCommit };
        int records = batch.Count;
        try
        {
            if (isCommit && transaction.Transient.Count > 0)
            {
                commit.TransientBase = services.Transient.Append(transaction.Transient);
            }

            WriteEnd(batch, branch, isCommit);
            WriteDecision(transaction, batch);
            WriteHeldDecision(batch, branch, isCommit);
            client.Mark.Set(commit.Floor);
            batch.Group = isCommit;
            commit.JournalBase = services.Journal.Append(batch);
        }
        catch (StorageException)
        {
            // Another try may be another's, and writes its records elsewhere.
            batch.Cut(records);
            ForgetMark(branch);
            throw;
        }

        commit.End = commit.JournalBase + batch.Bytes;
        _pending.Add() = commit;
        client.Complete(new Completion
        {
            Kind = CompletionKind.Discharged,
            Transaction = transaction,
            Tag = tag,
            IsCommit = true,
            Need = commit.End,
        });
    }

    /// <summary>The messages and settlements of the commit; written once, also when it is tried more than once.
    /// </summary>
    private LogBatch Seal(XaBranch branch)
    {
        LogBatch batch = branch.Transaction.Journal;
        if (!branch.IsSealed)
        {
            WriteSettlements(branch.Transaction);
            branch.IsSealed = true;
        }

        return batch;
    }

    private void WriteHeldDecision(LogBatch batch, XaBranch branch, bool isCommit)
    {
        if (isCommit && branch.Offsets is { } held)
        {
            batch.Begin(RecordKind.StreamsDecided);
            DecidedStreams.Write(
                batch, held.ProducerId, held.Find(services.Streams.GetValueOrDefault(branch.Owner.Space)));
            batch.End();
            branch.OffsetsMark = services.Marks.Add();
            branch.OffsetsMark.Set(services.Journal.TailPosition);
        }
    }

    private void ForgetMark(XaBranch branch)
    {
        if (branch.OffsetsMark is { } mark)
        {
            services.Marks.Remove(mark);
            branch.OffsetsMark = null;
        }
    }

    private void WriteEnd(LogBatch batch, XaBranch branch, bool isCommit)
    {
        batch.Begin(RecordKind.XaEnded);
        XaRecords.WriteEnded(
            batch, new XaHeuristic(branch.Xid, isCommit, services.NowMs, branch.Owner), branch.IsHeuristic);
        batch.End();
    }
}
