using Pillarbox.Broker;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Protocols.OpenWire.Transactions;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <content>Local transactions.</content>
internal sealed partial class OpenWireSession
{
    private readonly Dictionary<ITransactionId, OpenTransaction> _transactions = [];

    // Those whose end is under way, by the broker's object, with the command that is answered then.
    private readonly Dictionary<Broker.Transactions.Transaction, EndingTransaction> _ending = [];

    private sealed record EndingTransaction(OpenTransaction Open, int CommandId, bool ResponseRequired, bool IsCommit)
    {
        public bool IsXa { get; init; }
    }

    // True: it may be answered at once.
    private bool OnTransaction(TransactionInfo info)
    {
        CheckConnection(info.ConnectionId?.Value);
        return info.TransactionId is XaTransactionId || (TransactionStep)info.Step == TransactionStep.Recover
            ? OnXaTransaction(info)
            : OnLocalTransaction(info);
    }

    private bool OnLocalTransaction(TransactionInfo info)
    {
        ITransactionId id = info.TransactionId ?? throw new OpenWireException("a TransactionInfo without transaction");
        switch ((TransactionStep)info.Step)
        {
            case TransactionStep.Begin:
                Begin(id);
                return true;
            case TransactionStep.End:
                return true;
            case TransactionStep.CommitOnePhase or TransactionStep.CommitTwoPhase:
                Discharge(info, isCommit: true);
                return false;
            case TransactionStep.Rollback:
                Discharge(info, isCommit: false);
                return false;
            default:
                throw new OpenWireException(
                    ThrowableNames.IllegalState, $"step {info.Step} is none of a local transaction")
                {
                    IsCommandOnly = true,
                };
        }
    }

    private void Begin(ITransactionId id)
    {
        if (_transactions.ContainsKey(id))
        {
            return;
        }

        if (_transactions.Count >= Options.TransactionsMax)
        {
            throw TooMany("transactions", Options.TransactionsMax);
        }

        _transactions[id] = new OpenTransaction(Client.Begin());
    }

    // Null: the command is in none.
    private OpenTransaction? FindTransaction(ITransactionId? id)
    {
        if (id is null)
        {
            return null;
        }

        return _transactions.TryGetValue(id, out OpenTransaction? transaction)
            ? transaction
            : throw new BrokerException(BrokerError.TransactionUnknown, "the transaction was not begun, or has ended");
    }

    private void Discharge(TransactionInfo info, bool isCommit)
    {
        OpenTransaction open = FindTransaction(info.TransactionId)!;
        _transactions.Remove(info.TransactionId!);
        _ending[open.Transaction] = new EndingTransaction(open, info.CommandId, info.ResponseRequired, isCommit);
        Client.Discharge(open.Transaction, fail: !isCommit, 1);
    }

    private void OnDischarged(Broker.Transactions.Transaction transaction, BrokerException? error)
    {
        if (!_ending.Remove(transaction, out EndingTransaction? ending))
        {
            EndUnasked(transaction);
            return;
        }

        BrokerException? failure = ending.IsCommit ? error : null;
        ending.Open.End(ending.IsCommit && failure is null);
        if (!ending.ResponseRequired)
        {
            return;
        }

        if (failure is null)
        {
            Output.Respond(ending.CommandId);
        }
        else
        {
            Output.Respond(ending.CommandId, ending.IsXa
                ? ToThrowable(new XaException(CodeOf(failure), failure.Message))
                : new WireThrowable(ThrowableNames.RolledBack, failure.Message));
        }
    }

    // The branch is prepared still, or nobody knows before the node is back.
    private static XaCode CodeOf(BrokerException failure) =>
        failure.Error == BrokerError.Unavailable ? XaCode.Retry : XaCode.RolledBack;
}
