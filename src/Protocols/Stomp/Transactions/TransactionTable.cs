using Pillarbox.Broker;
using Pillarbox.Broker.Transactions;
using Pillarbox.Protocols.Stomp.Subscriptions;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp.Transactions;

/// <summary>
/// BEGIN, COMMIT and ABORT (1.2): the transactions of a connection, and who is told when they, or settlements, have
/// ended. Used by the connection's loop alone.
/// </summary>
internal sealed class TransactionTable(
    BrokerClient client, StompOptions options, SessionLife life, SubscriptionTable subscriptions)
{
    private readonly Dictionary<string, Transaction> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, byte[]> _settleReceipts = [];
    private readonly Dictionary<ulong, byte[]?> _discharges = [];
    private readonly HashSet<ulong> _rollbacks = [];
    private ulong _lastTag;

    /// <summary>How many ends are not told yet.</summary>
    public int PendingCount => _settleReceipts.Count + _discharges.Count;

    /// <summary>The transaction of that name.</summary>
    /// <exception cref="StompException">There is none.</exception>
    public Transaction Find(string name) =>
        _open.TryGetValue(name, out Transaction? transaction)
            ? transaction
            : throw new StompException($"there is no transaction '{StompException.Shorten(name)}'");

    /// <summary>One begins.</summary>
    /// <exception cref="StompException">It is one too many, or has begun already.</exception>
    public void Begin(string name)
    {
        if (_open.Count >= options.TransactionsMax)
        {
            throw new StompException($"the connection has {options.TransactionsMax} transactions open");
        }

        if (_open.ContainsKey(name))
        {
            throw new StompException($"transaction '{StompException.Shorten(name)}' has begun already");
        }

        _open.Add(name, client.Begin());
    }

    /// <summary>One is committed, or aborted; <paramref name="receipt"/> leaves when that is done.</summary>
    /// <exception cref="StompException">There is none.</exception>
    public void End(string name, bool fail, byte[]? receipt)
    {
        Transaction transaction = Find(name);
        _open.Remove(name);
        ulong tag = ++_lastTag;
        _discharges.Add(tag, receipt);
        if (fail)
        {
            _rollbacks.Add(tag);
        }

        client.Discharge(transaction, fail, tag);
        if (fail)
        {
            // At once, for the peer may acknowledge them again in its next frame.
            subscriptions.EndHeld(transaction, committed: false);
        }
    }

    /// <summary>One that the client does not know of is committed.</summary>
    public void Commit(Transaction transaction, byte[]? receipt)
    {
        ulong tag = ++_lastTag;
        _discharges.Add(tag, receipt);
        client.Discharge(transaction, fail: false, tag);
    }

    /// <summary>A tag for a settlement whose end is told with a receipt.</summary>
    public ulong TagSettle(ReadOnlySpan<byte> receipt)
    {
        ulong tag = ++_lastTag;
        _settleReceipts.Add(tag, receipt.ToArray());
        return tag;
    }

    /// <summary>A settlement is on disk.</summary>
    public void OnSettled(ulong tag)
    {
        if (_settleReceipts.Remove(tag, out byte[]? receipt))
        {
            life.Confirm(receipt);
        }
    }

    /// <summary>A transaction has ended.</summary>
    public void OnDischarged(Transaction transaction, ulong tag, BrokerException? error)
    {
        if (!_discharges.Remove(tag, out byte[]? receipt))
        {
            return;
        }

        bool committed = error is null && !_rollbacks.Remove(tag);
        subscriptions.EndHeld(transaction, committed);
        if (error is not null)
        {
            life.Fail(error.Message, receipt);
        }
        else if (receipt is not null)
        {
            life.Confirm(receipt);
        }
    }
}
