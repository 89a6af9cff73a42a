using System.Globalization;
using Pillarbox.Broker;
using Pillarbox.Broker.Transactions;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Protocols.OpenWire.Transactions;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <content>Steps of distributed transactions (X/Open XA), as ActiveMQ's clients send them.</content>
internal sealed partial class OpenWireSession
{
    // A settlement's tag is a command's number; with this bit it is a prepare's.
    private const ulong PreparedTag = 1UL << 40;

    // Clients read the code out of the message.
    private static WireThrowable ToThrowable(XaException refusal) => new(
        ThrowableNames.Xa,
        string.Create(CultureInfo.InvariantCulture, $"{refusal.Message} xaErrorCode:{(int)refusal.Code}"));

    private static Xid ToXid(ITransactionId? id) => id is XaTransactionId xa
        ? new Xid(xa.FormatId, (xa.GlobalTransactionId ?? default).Span, (xa.BranchQualifier ?? default).Span)
        : throw new XaException(XaCode.Invalid, "the command names no branch");

    // True: it may be answered at once.
    private bool OnXaTransaction(TransactionInfo info)
    {
        switch ((TransactionStep)info.Step)
        {
            case TransactionStep.Begin:
                Start(info.TransactionId!);
                return true;
            case TransactionStep.End:
                Client.Xa.End(ToXid(info.TransactionId));
                return true;
            case TransactionStep.Prepare:
                return Prepare(info);
            case TransactionStep.CommitOnePhase:
                EndXa(info, isCommit: true, tag => Client.Xa.Commit(ToXid(info.TransactionId), onePhase: true, tag));
                return false;
            case TransactionStep.CommitTwoPhase:
                EndXa(info, isCommit: true, tag => Client.Xa.Commit(ToXid(info.TransactionId), onePhase: false, tag));
                return false;
            case TransactionStep.Rollback:
                EndXa(info, isCommit: false, tag => Client.Xa.Rollback(ToXid(info.TransactionId), tag));
                return false;
            case TransactionStep.Recover:
                Recover(info);
                return false;
            case TransactionStep.Forget:
                Client.Xa.Forget(ToXid(info.TransactionId), SettleTag(info.CommandId));
                return false;
            default:
                throw new XaException(XaCode.Invalid, $"there is no step {info.Step}");
        }
    }

    private void Start(ITransactionId id)
    {
        if (!_transactions.ContainsKey(id) && _transactions.Count >= Options.TransactionsMax)
        {
            throw TooMany("transactions", Options.TransactionsMax);
        }

        Transaction transaction = Client.Xa.Start(ToXid(id));
        if (!_transactions.TryGetValue(id, out OpenTransaction? known) || known.Transaction != transaction)
        {
            _transactions[id] = new OpenTransaction(transaction);
        }
    }

    private bool Prepare(TransactionInfo info)
    {
        ulong tag = PreparedTag | (uint)info.CommandId;
        try
        {
            if (Client.Xa.Prepare(ToXid(info.TransactionId), tag))
            {
                return false;
            }
        }
        catch (XaException)
        {
            Forget(info.TransactionId!);
            throw;
        }

        Forget(info.TransactionId!);
        Output.Write(new IntegerResponse { CorrelationId = info.CommandId, Result = (int)XaCode.ReadOnly });
        return false;
    }

    // Offsets that it commits for groups were refused: it is rolled back.
    private void OnPrepareRefused(Transaction transaction, int commandId, BrokerException? reason)
    {
        ITransactionId? id = _transactions.FirstOrDefault(one => one.Value.Transaction == transaction).Key;
        if (id is not null)
        {
            Forget(id);
        }

        Output.Respond(
            commandId, ToThrowable(new XaException(XaCode.RolledBack, reason?.Message ?? "it was rolled back")));
    }

    private void EndXa(TransactionInfo info, bool isCommit, Func<ulong, Transaction> end)
    {
        ITransactionId id = info.TransactionId!;
        Transaction transaction = end(1);
        // One that was prepared elsewhere, or before a restart, is not among those of this connection.
        _transactions.Remove(id, out OpenTransaction? open);
        _ending[transaction] = new EndingTransaction(
            open ?? new OpenTransaction(transaction), info.CommandId, info.ResponseRequired, isCommit)
        {
            IsXa = true,
        };
    }

    private void Recover(TransactionInfo info) => Output.Write(new DataArrayResponse
    {
        CorrelationId = info.CommandId,
        Data =
        [
            .. Client.Xa.Recover().Select(xid => new XaTransactionId
            {
                FormatId = xid.FormatId,
                GlobalTransactionId = xid.GlobalId,
                BranchQualifier = xid.BranchQualifier,
            }),
        ],
    });

    private void Forget(ITransactionId id)
    {
        if (_transactions.Remove(id, out OpenTransaction? open))
        {
            open.End(isCommitted: false);
        }
    }

    // The broker ended one by itself: it took too long.
    private void EndUnasked(Transaction transaction)
    {
        foreach ((_, OpenTransaction open) in _transactions)
        {
            if (open.Transaction == transaction)
            {
                open.End(isCommitted: false);
                return;
            }
        }
    }
}
