using System.Buffers;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Transactions.Xa;

/// <summary>
/// The steps of distributed transactions for one connection (X/Open XA section 3). What a step leads to is told as for
/// local transactions, when it is on disk. The connection's loop calls it. Refusals are <see cref="XaException"/>.
/// </summary>
public sealed class XaSteps
{
    /// <summary>Most bytes of a branch that is prepared: it is one record.</summary>
    public const int BranchBytesMax = 16 << 20;

    private readonly BrokerClient _client;
    private readonly BrokerServices _services;
    private readonly Commits _commits;
    private readonly XaOwner _owner;

    internal XaSteps(BrokerClient client, BrokerServices services, Commits commits)
    {
        _client = client;
        _services = services;
        _commits = commits;
        _owner = new XaOwner(client.Space.Name, client.Info.Identity.Name, client.Info.ClientId);
    }

    private XaTable Table => _services.Xa;

    /// <summary>xa_start: begins a branch, or goes on with one of this connection. Errors: DUPID, RMERR.</summary>
    public Transaction Start(Xid xid) =>
        Table.Start(_client, xid, _owner, _services.NowMs, _client.Begin).Transaction;

    /// <summary>The transaction of a branch that this connection works in. Errors: NOTA, PROTO, RBTIMEOUT.</summary>
    public Transaction Find(Xid xid) => Table.FindOwn(_client, xid).Transaction;

    /// <summary>Whether there is such a branch, of whichever connection: begun, and not ended.</summary>
    public bool IsThere(Xid xid) => Table.IsThere(xid);

    /// <summary>xa_end. Errors: NOTA, PROTO, RBTIMEOUT.</summary>
    public void End(Xid xid) => Table.End(_client, xid);

    /// <summary>
    /// xa_prepare: false: there was nothing in it, and it is over. True: <see cref="IClientEvents.OnSettled"/> tells
    /// when it is on disk; or <see cref="IClientEvents.OnDischarged"/> why it is rolled back, when a group refuses the
    /// offsets that it commits. A branch that is prepared already is so again. Errors: NOTA, PROTO, RBROLLBACK,
    /// RBTIMEOUT, RMERR.
    /// </summary>
    public bool Prepare(Xid xid, ulong tag)
    {
        if (Table.IsPrepared(xid, _owner))
        {
            Tell(tag, _services.Journal.TailPosition);
            return true;
        }

        XaBranch branch = Table.FindIdle(_client, xid);
        Transaction transaction = branch.Transaction;
        if (transaction.Failure is { } failure)
        {
            _client.Discharge(transaction, fail: true, 0);
            throw new XaException(XaCode.RolledBack, failure.Message);
        }

        if (transaction.Publishes.Count == 0 && transaction.Settlements.Count == 0
            && transaction.Streams is not { Bytes: > 0 })
        {
            _client.Discharge(transaction, fail: true, 0);
            return false;
        }

        if (OffsetGate.IsNeeded(transaction))
        {
            Table.BeginPrepare(branch);
            _client.Release(transaction);
            _commits.HoldOffsets(branch, tag);
            return true;
        }

        try
        {
            Write(branch, tag);
            return true;
        }
        catch (XaException refusal) when (refusal.Code == XaCode.RolledBack)
        {
            _client.Discharge(transaction, fail: true, 0);
            throw;
        }
    }

    /// <summary>The offsets of groups that a branch commits are on disk, or refused; its client may be gone.</summary>
    internal void OnOffsetsHeld(XaBranch branch, ulong tag)
    {
        Transaction transaction = branch.Transaction;
        OffsetGate gate = transaction.Offsets!;
        branch.Offsets = HeldOffsets.Of(branch.Offsets!.ProducerId, gate.Parts);
        bool isThere = Table.IsThere(branch);
        transaction.Fail(gate.Failure);
        try
        {
            if (isThere && gate.Failure is null)
            {
                Write(branch, tag);
                return;
            }
        }
        catch (XaException refusal)
        {
            transaction.Fail(new BrokerException(BrokerError.TransactionRollback, refusal.Message));
        }

        _commits.EndHeld(branch, isCommit: false);
        if (isThere)
        {
            _client.Discharge(transaction, fail: false, tag);
        }
        else
        {
            // Its client is gone, and it was not prepared.
            transaction.IsEnded = true;
            _commits.Discharge(transaction, fail: true, tag: 0);
        }
    }

    /// <summary>
    /// xa_commit. Answered by <see cref="IClientEvents.OnDischarged"/> when it is on disk. Errors: NOTA, PROTO, RETRY,
    /// RBROLLBACK, RBTIMEOUT, HEURCOM, HEURRB.
    /// </summary>
    public Transaction Commit(Xid xid, bool onePhase, ulong tag)
    {
        if (onePhase && !Table.IsPrepared(xid, _owner))
        {
            Transaction transaction = Table.FindIdle(_client, xid).Transaction;
            if (transaction.Failure is { } failure)
            {
                _client.Discharge(transaction, fail: true, 0);
                throw new XaException(XaCode.RolledBack, failure.Message);
            }

            _client.Discharge(transaction, fail: false, tag);
            return transaction;
        }

        return onePhase
            ? throw new XaException(XaCode.Protocol, $"the branch {xid} is prepared: it is committed in two phases")
            : EndPrepared(Table.Take(xid, _owner), isCommit: true, tag);
    }

    /// <summary>xa_rollback, of a prepared branch or of one of this connection. Answered as a commit is. Errors: NOTA,
    /// PROTO, RETRY, RBTIMEOUT, HEURCOM, HEURRB.</summary>
    public Transaction Rollback(Xid xid, ulong tag)
    {
        if (Table.IsPrepared(xid, _owner))
        {
            return EndPrepared(Table.Take(xid, _owner), isCommit: false, tag);
        }

        XaBranch own = Table.FindOwn(_client, xid);
        if (own.State == XaState.Preparing)
        {
            throw new XaException(XaCode.Protocol, $"the branch {xid} is being prepared");
        }

        _client.Discharge(own.Transaction, fail: true, tag);
        return own.Transaction;
    }

    /// <summary>xa_recover: prepared branches of this user, and those that an operator has ended.</summary>
    public IReadOnlyList<Xid> Recover() => Table.Recover(_owner);

    /// <summary>xa_forget: <see cref="IClientEvents.OnSettled"/> tells when an operator's decision is forgotten.
    /// Errors: NOTA, PROTO, RETRY.</summary>
    public void Forget(Xid xid, ulong tag) => Forget(Table.FindHeuristic(xid, _owner), tag);

    /// <summary>An operator ends a prepared branch.</summary>
    internal void EndByOperator(Xid xid, bool isCommit) => EndPrepared(Table.Take(xid, null), isCommit, tag: 1);

    /// <summary>An operator forgets a decision.</summary>
    internal void ForgetByOperator(Xid xid) => Forget(Table.FindHeuristic(xid, null), tag: 1);

    /// <summary>Rolls back what took too long.</summary>
    internal void EndTimedOut()
    {
        foreach (XaBranch branch in Table.TimedOutOf(_client))
        {
            if (!branch.Transaction.IsEnded)
            {
                _client.Discharge(branch.Transaction, fail: true, 0);
            }
        }
    }

    private void Write(XaBranch branch, ulong tag)
    {
        var record = new ArrayBufferWriter<byte>();
        XaRecords.WritePrepared(record, branch);
        branch.Record = record.WrittenSpan.ToArray();
        if (branch.Bytes > BranchBytesMax || !Table.TryBeginWrite(branch))
        {
            throw new XaException(XaCode.RolledBack, $"a branch of {branch.Bytes} bytes cannot be prepared");
        }

        var batch = new LogBatch();
        batch.Add(RecordKind.XaPrepared, branch.Record);
        try
        {
            _client.Mark.Set(_services.Journal.TailPosition);
            long position = _services.Journal.Append(batch);
            _client.Release(branch.Transaction);
            HoldRecords(branch);
            Table.EndWrite(branch);
            Tell(tag, position + batch.Bytes);
        }
        catch (StorageException e)
        {
            Table.UndoWrite(branch);
            throw new XaException(XaCode.ResourceError, e.Message);
        }
    }

    /// <summary>Its record has them now; a producer is needed when it is committed.</summary>
    private void HoldRecords(XaBranch branch)
    {
        if (branch.Transaction.Streams is { } streams)
        {
            branch.HoldsRecords = streams.Bytes > 0;
            branch.Transaction.Streams = null;
            _services.StreamCommits.Return(streams.ProducerId);
        }
    }

    private Transaction EndPrepared(XaBranch branch, bool isCommit, ulong tag)
    {
        try
        {
            _commits.EndPrepared(branch, isCommit, tag);
            return branch.Transaction;
        }
        catch (StorageException e)
        {
            Table.PutBack(branch);
            throw new XaException(XaCode.Retry, e.Message);
        }
    }

    private void Forget(XaHeuristic decided, ulong tag)
    {
        var batch = new LogBatch { Essential = true };
        batch.Begin(RecordKind.XaForgotten);
        XaRecords.WriteForgotten(batch, decided.Xid);
        batch.End();
        try
        {
            _client.Mark.Set(_services.Journal.TailPosition);
            long position = _services.Journal.Append(batch);
            Table.Forget(decided.Xid);
            Tell(tag, position + batch.Bytes);
        }
        catch (StorageException e)
        {
            throw new XaException(XaCode.Retry, e.Message);
        }
    }

    private void Tell(ulong tag, long need) =>
        _client.Complete(new Completion { Kind = CompletionKind.Settled, Tag = tag, Need = need });
}
