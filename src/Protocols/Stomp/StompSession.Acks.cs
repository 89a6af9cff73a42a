using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <content>ACK and NACK, BEGIN, COMMIT and ABORT (1.2).</content>
internal sealed partial class StompSession
{
    private readonly Dictionary<string, Transaction> _transactions = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, byte[]> _settleReceipts = [];
    private readonly Dictionary<ulong, byte[]?> _discharges = [];
    private readonly HashSet<ulong> _rollbacks = [];
    private ulong _lastSettle;

    private void OnAck(in FrameHead frame, bool isPositive)
    {
        (StompSubscription subscription, long number) = FindAcked(frame);
        if (subscription.AckMode == AckMode.Auto)
        {
            throw new StompException("the subscription acknowledges by itself ('ack' is auto)");
        }

        if (!subscription.Held.TryGet(number, out _))
        {
            throw new StompException("no message with that id waits for an acknowledgement");
        }

        string? name = frame.Text("transaction"u8, Version);
        Transaction? transaction = name is null ? null : TransactionOf(name);
        Outcome outcome = isPositive ? Outcome.Accepted : NackOf(frame);
        long first = subscription.AckMode == AckMode.Client ? subscription.Held.First : number;
        for (long one = first; one <= number; one++)
        {
            if (subscription.Held.TryGet(one, out Delivery delivery))
            {
                ulong tag = one == number && _hasReceipt ? TagSettle() : 0;
                Client.Settle(delivery, outcome, tag, transaction);
                if (transaction is { IsOverfull: true })
                {
                    throw new StompException("the transaction has more acknowledgements than fit into it");
                }

                Note(subscription, one, transaction);
            }
        }

        subscription.Regulate();
        Enqueue(subscription);
    }

    private static void Note(StompSubscription subscription, long number, Transaction? transaction)
    {
        if (transaction is null)
        {
            subscription.Held.Remove(number);
        }
        else
        {
            subscription.Held.Stage(number, transaction);
        }
    }

    // A failed attempt: it comes again, as the address settings say, and at last goes to the dead letters; or at once.
    private Outcome NackOf(in FrameHead frame)
    {
        string? reason = frame.Text("reason"u8, Version) ?? frame.Text("message"u8, Version);
        string? kept = reason?.Length > Options.ReasonCharsMax ? reason[..Options.ReasonCharsMax] : reason;
        return frame.Text("requeue"u8, Version) == "false"
            ? new Outcome(OutcomeKind.Rejected, Reason: kept)
            : Outcome.Failed with { Reason = kept };
    }

    // 1.2 names the message by "id", which is MESSAGE's "ack"; before, by "message-id", in 1.1 of the subscription that
    // it names too.
    private (StompSubscription Subscription, long Number) FindAcked(in FrameHead frame)
    {
        string id = Version == StompVersion.V12 ? Required(frame, "id"u8) : Required(frame, "message-id"u8);
        string? named = Version == StompVersion.V11 ? Required(frame, "subscription"u8) : null;
        return HeldMessages.TryReadId(id, out int number, out long message)
            && _byNumber.TryGetValue(number, out StompSubscription? subscription)
            && (named is null || named == subscription.Id)
            ? (subscription, message)
            : throw new StompException("no message with that id waits for an acknowledgement");
    }

    private ulong TagSettle()
    {
        ulong tag = ++_lastSettle;
        _settleReceipts.Add(tag, _receipt.Span.ToArray());
        return tag;
    }

    private void OnBegin(in FrameHead frame)
    {
        string name = Required(frame, "transaction"u8);
        if (_transactions.Count >= Options.TransactionsMax)
        {
            throw new StompException($"the connection has {Options.TransactionsMax} transactions open");
        }

        if (_transactions.ContainsKey(name))
        {
            throw new StompException($"transaction '{Shorten(name)}' has begun already");
        }

        _transactions.Add(name, Client.Begin());
        Confirm();
    }

    private void OnEndTransaction(in FrameHead frame, bool fail)
    {
        string name = Required(frame, "transaction"u8);
        Transaction transaction = TransactionOf(name);
        _transactions.Remove(name);
        ulong tag = ++_lastSettle;
        _discharges.Add(tag, _hasReceipt ? _receipt.Span.ToArray() : null);
        if (fail)
        {
            _rollbacks.Add(tag);
        }

        Client.Discharge(transaction, fail, tag);
        if (fail)
        {
            // At once, for the peer may acknowledge them again in its next frame.
            EndHeld(transaction, committed: false);
        }
    }

    private void EndHeld(Transaction transaction, bool committed)
    {
        foreach (StompSubscription subscription in _subscriptions.Values)
        {
            subscription.Held.End(transaction, committed);
            subscription.Regulate();
            Enqueue(subscription);
        }
    }

    private Transaction TransactionOf(string name) =>
        _transactions.TryGetValue(name, out Transaction? transaction)
            ? transaction
            : throw new StompException($"there is no transaction '{Shorten(name)}'");

    /// <inheritdoc/>
    void IClientEvents.OnSettled(ulong tag)
    {
        if (_settleReceipts.Remove(tag, out byte[]? receipt) && State != SessionState.Ended)
        {
            Frames.WriteReceipt(receipt);
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnDischarged(Transaction transaction, ulong tag, BrokerException? error)
    {
        if (!_discharges.Remove(tag, out byte[]? receipt))
        {
            return;
        }

        bool committed = error is null && !_rollbacks.Remove(tag);
        EndHeld(transaction, committed);
        if (State == SessionState.Ended)
        {
            return;
        }

        if (error is not null)
        {
            Fail(error.Message, receipt, null);
        }
        else if (receipt is not null)
        {
            Frames.WriteReceipt(receipt);
        }
    }
}
