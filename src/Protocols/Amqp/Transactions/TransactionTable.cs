using System.Buffers.Binary;
using Pillarbox.Broker;
using Pillarbox.Broker.Transactions;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Transactions;

/// <summary>The open transactions of one connection, usable from all its sessions.</summary>
internal sealed class TransactionTable(AmqpOptions options)
{
    private readonly Dictionary<long, LocalTransaction> _open = [];

    /// <summary>Begins one. Errors: resource-limit-exceeded.</summary>
    public LocalTransaction Declare(BrokerClient client, TransactionLink link)
    {
        if (_open.Count >= options.TransactionsMax)
        {
            throw new AmqpException(
                AmqpErrorCondition.ResourceLimitExceeded, $"more than {options.TransactionsMax} open transactions",
                AmqpSeverity.Link);
        }

        var transaction = new LocalTransaction(client.Begin(), link);
        _open.Add(transaction.Broker.Id, transaction);
        return transaction;
    }

    /// <summary>The open transaction with that id. Errors: transaction unknown-id.</summary>
    public LocalTransaction Find(ReadOnlySpan<byte> txnId)
    {
        if (txnId.Length == sizeof(long)
            && _open.TryGetValue(BinaryPrimitives.ReadInt64BigEndian(txnId), out LocalTransaction? transaction)
            && transaction.DischargeId is null)
        {
            return transaction;
        }

        throw new AmqpException(
            AmqpErrorCondition.TransactionUnknownId, "there is no open transaction with that txn-id",
            AmqpSeverity.Link);
    }

    /// <summary>The broker ended it: takes it out; null when its link went before.</summary>
    public LocalTransaction? Take(Transaction broker) =>
        _open.Remove(broker.Id, out LocalTransaction? transaction) ? transaction : null;

    /// <summary>Rolls back what a coordinator link leaves open.</summary>
    public void Abandon(BrokerClient client, TransactionLink link)
    {
        IEnumerable<LocalTransaction> left = _open.Values.Where(t => t.Link == link && t.DischargeId is null);
        foreach (LocalTransaction transaction in left.ToArray())
        {
            transaction.DischargeId = 0;
            transaction.Fails = true;
            client.Discharge(transaction.Broker, fail: true, tag: 0);
        }
    }
}
