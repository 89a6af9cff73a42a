using System.Globalization;
using Pillarbox.Broker;
using Pillarbox.Broker.Transactions;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Transactions;

/// <summary>
/// The transactions of one connection: local ones, and branches of distributed ones (X/Open XA) by the steps that
/// ActiveMQ's clients send. Used by the connection's loop alone.
/// </summary>
internal sealed class TransactionCommands(CommandOutput output, OpenWireOptions options)
{
    private readonly Dictionary<ITransactionId, OpenTransaction> _open = [];

    // Those whose end is under way, by the broker's object, with the command that is answered then.
    private readonly Dictionary<Transaction, EndingTransaction> _ending = [];

    private sealed record EndingTransaction(OpenTransaction Open, int CommandId, bool ResponseRequired, bool IsCommit)
    {
        /// <summary>The branch that it is; null: it is a local one.</summary>
        public XaTransactionId? Branch { get; init; }
    }

    /// <summary>The error as a client reads it: the code out of the message.</summary>
    public static WireThrowable ToThrowable(XaException refusal) => new(
        ThrowableNames.Xa,
        string.Create(CultureInfo.InvariantCulture, $"{refusal.Message} xaErrorCode:{(int)refusal.Code}"));

    /// <summary>Does a step. True: it may be answered at once; false: it will be.</summary>
    /// <exception cref="OpenWireException">No such step, or too many transactions; the command alone fails.</exception>
    /// <exception cref="BrokerException">There is no such transaction.</exception>
    /// <exception cref="XaException">A step of a branch is refused.</exception>
    public bool Perform(TransactionInfo info, BrokerClient client) =>
        info.TransactionId is XaTransactionId || (TransactionStep)info.Step == TransactionStep.Recover
            ? PerformXa(info, client)
            : PerformLocal(info, client);

    /// <summary>The transaction that a command is in; null: in none.</summary>
    /// <exception cref="BrokerException">It was not begun here, or has ended.</exception>
    /// <exception cref="XaException">It is prepared: what came into it now would not be in its record.</exception>
    public OpenTransaction? Find(ITransactionId? id)
    {
        if (id is null)
        {
            return null;
        }

        return _open.TryGetValue(id, out OpenTransaction? transaction)
            ? !transaction.IsPrepared ? transaction
                : throw new XaException(XaCode.Protocol, $"the branch {ToXid(id)} is prepared")
            : throw new BrokerException(BrokerError.TransactionUnknown, "the transaction was not begun, or has ended");
    }

    /// <summary>A part of it was refused: it can no longer be committed.</summary>
    public void Fail(ITransactionId id, string reason)
    {
        if (_open.TryGetValue(id, out OpenTransaction? transaction))
        {
            transaction.Transaction.Fail(new BrokerException(BrokerError.TransactionRollback, reason));
        }
    }

    /// <summary>A branch is prepared, on disk.</summary>
    public void OnPrepared(int commandId) =>
        output.Write(new IntegerResponse { CorrelationId = commandId, Result = (int)XaCode.Ok });

    /// <summary>A branch was not prepared, because offsets that it commits for groups were refused: it is rolled
    /// back.</summary>
    public void OnPrepareRefused(Transaction transaction, int commandId, BrokerException? reason)
    {
        ITransactionId? id = _open.FirstOrDefault(one => one.Value.Transaction == transaction).Key;
        if (id is not null)
        {
            Forget(id);
        }

        output.Respond(
            commandId, ToThrowable(new XaException(XaCode.RolledBack, reason?.Message ?? "it was rolled back")));
    }

    /// <summary>A transaction has ended, as was asked for or not.</summary>
    public void OnDischarged(Transaction transaction, BrokerException? error)
    {
        if (!_ending.Remove(transaction, out EndingTransaction? ending))
        {
            EndUnasked(transaction);
            return;
        }

        BrokerException? failure = ending.IsCommit ? error : null;
        if (ending is { Branch: { } branch, Open.IsPrepared: true } && failure is { Error: BrokerError.Unavailable })
        {
            // It is prepared still, and holds what it acknowledges.
            _open[branch] = ending.Open;
        }
        else
        {
            ending.Open.End(ending.IsCommit && failure is null);
        }

        if (!ending.ResponseRequired)
        {
            return;
        }

        if (failure is null)
        {
            output.Respond(ending.CommandId);
        }
        else
        {
            output.Respond(ending.CommandId, ending.Branch is not null
                ? ToThrowable(new XaException(CodeOf(failure), failure.Message))
                : new WireThrowable(ThrowableNames.RolledBack, failure.Message));
        }
    }

    private static Xid ToXid(ITransactionId? id) => id is XaTransactionId xa
        ? new Xid(xa.FormatId, (xa.GlobalTransactionId ?? default).Span, (xa.BranchQualifier ?? default).Span)
        : throw new XaException(XaCode.Invalid, "the command names no branch");

    // The branch is prepared still, or nobody knows before the node is back.
    private static XaCode CodeOf(BrokerException failure) =>
        failure.Error == BrokerError.Unavailable ? XaCode.Retry : XaCode.RolledBack;

    private bool PerformLocal(TransactionInfo info, BrokerClient client)
    {
        ITransactionId id = info.TransactionId ?? throw new OpenWireException("a TransactionInfo without transaction");
        switch ((TransactionStep)info.Step)
        {
            case TransactionStep.Begin:
                Begin(id, client);
                return true;
            case TransactionStep.End:
                return true;
            case TransactionStep.CommitOnePhase or TransactionStep.CommitTwoPhase:
                Discharge(info, client, isCommit: true);
                return false;
            case TransactionStep.Rollback:
                Discharge(info, client, isCommit: false);
                return false;
            default:
                throw new OpenWireException(
                    ThrowableNames.IllegalState, $"step {info.Step} is none of a local transaction")
                {
                    IsCommandOnly = true,
                };
        }
    }

    private void Begin(ITransactionId id, BrokerClient client)
    {
        if (!_open.ContainsKey(id))
        {
            CheckRoom();
            _open[id] = new OpenTransaction(client.Begin());
        }
    }

    private void CheckRoom()
    {
        if (_open.Count >= options.TransactionsMax)
        {
            throw OpenWireException.TooMany("transactions", options.TransactionsMax);
        }
    }

    private void Discharge(TransactionInfo info, BrokerClient client, bool isCommit)
    {
        OpenTransaction open = Find(info.TransactionId)!;
        _open.Remove(info.TransactionId!);
        _ending[open.Transaction] = new EndingTransaction(open, info.CommandId, info.ResponseRequired, isCommit);
        client.Discharge(open.Transaction, fail: !isCommit, 1);
    }

    private bool PerformXa(TransactionInfo info, BrokerClient client)
    {
        try
        {
            return Step(info, client);
        }
        catch (XaException refusal) when (IsOver(refusal.Code) && info.TransactionId is { } id)
        {
            Forget(id, isCommitted: refusal.Code == XaCode.HeuristicCommit);
            throw;
        }
    }

    // There is no such branch any more; whatever else is refused leaves it as it was.
    private static bool IsOver(XaCode code) => code is XaCode.Unknown or XaCode.RolledBack
        or XaCode.RolledBackByTimeout or XaCode.HeuristicCommit or XaCode.HeuristicRollback;

    private bool Step(TransactionInfo info, BrokerClient client)
    {
        Xid BranchOf() => ToXid(info.TransactionId);
        switch ((TransactionStep)info.Step)
        {
            case TransactionStep.Begin:
                Start(info.TransactionId!, client);
                return true;
            case TransactionStep.End:
                client.Xa.End(BranchOf());
                return true;
            case TransactionStep.Prepare:
                Prepare(info, client);
                return false;
            case TransactionStep.CommitOnePhase:
                OnEnding(info, isCommit: true, client.Xa.Commit(BranchOf(), onePhase: true, 1));
                return false;
            case TransactionStep.CommitTwoPhase:
                OnEnding(info, isCommit: true, client.Xa.Commit(BranchOf(), onePhase: false, 1));
                return false;
            case TransactionStep.Rollback:
                OnEnding(info, isCommit: false, client.Xa.Rollback(BranchOf(), 1));
                return false;
            case TransactionStep.Recover:
                Recover(info, client);
                return false;
            case TransactionStep.Forget:
                client.Xa.Forget(BranchOf(), SettlementTag.Of(info.CommandId));
                return false;
            default:
                throw new XaException(XaCode.Invalid, $"there is no step {info.Step}");
        }
    }

    private void Start(ITransactionId id, BrokerClient client)
    {
        if (!_open.ContainsKey(id))
        {
            ForgetEndedElsewhere(client);
            CheckRoom();
        }

        Transaction transaction = client.Xa.Start(ToXid(id));
        if (!_open.TryGetValue(id, out OpenTransaction? known) || known.Transaction != transaction)
        {
            _open[id] = new OpenTransaction(transaction);
        }
    }

    private void Prepare(TransactionInfo info, BrokerClient client)
    {
        if (client.Xa.Prepare(ToXid(info.TransactionId), SettlementTag.OfPrepare(info.CommandId)))
        {
            if (_open.TryGetValue(info.TransactionId!, out OpenTransaction? open))
            {
                open.IsPrepared = true;
            }

            return;
        }

        Forget(info.TransactionId!);
        output.Write(new IntegerResponse { CorrelationId = info.CommandId, Result = (int)XaCode.ReadOnly });
    }

    private void OnEnding(TransactionInfo info, bool isCommit, Transaction transaction)
    {
        // One that was prepared elsewhere, or before a restart, is not among those of this connection.
        _open.Remove(info.TransactionId!, out OpenTransaction? open);
        _ending[transaction] = new EndingTransaction(
            open ?? new OpenTransaction(transaction), info.CommandId, info.ResponseRequired, isCommit)
        {
            Branch = (XaTransactionId)info.TransactionId!,
        };
    }

    private void Recover(TransactionInfo info, BrokerClient client) => output.Write(new DataArrayResponse
    {
        CorrelationId = info.CommandId,
        Data =
        [
            .. client.Xa.Recover().Select(xid => new XaTransactionId
            {
                FormatId = xid.FormatId,
                GlobalTransactionId = xid.GlobalId,
                BranchQualifier = xid.BranchQualifier,
            }),
        ],
    });

    private void Forget(ITransactionId id, bool isCommitted = false)
    {
        if (_open.Remove(id, out OpenTransaction? open))
        {
            open.End(isCommitted);
        }
    }

    // Another connection, or an operator, may have ended what was prepared here.
    private void ForgetEndedElsewhere(BrokerClient client)
    {
        if (_open.Count < options.TransactionsMax)
        {
            return;
        }

        foreach (ITransactionId id in _open.Where(one => one.Value.IsPrepared).Select(one => one.Key).ToArray())
        {
            if (!client.Xa.IsThere(ToXid(id)))
            {
                Forget(id);
            }
        }
    }

    // The broker ended one by itself: it took too long.
    private void EndUnasked(Transaction transaction)
    {
        ITransactionId? id = _open.FirstOrDefault(one => one.Value.Transaction == transaction).Key;
        if (id is not null)
        {
            Forget(id);
        }
    }
}
