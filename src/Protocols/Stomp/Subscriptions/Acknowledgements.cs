using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Transactions;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp.Subscriptions;

/// <summary>ACK and NACK (1.2). Keeps nothing itself.</summary>
internal sealed class Acknowledgements(
    BrokerClient client, StompOptions options, SubscriptionTable subscriptions, MessageTurns turns,
    TransactionTable transactions)
{
    /// <summary>Takes one; its receipt leaves when the settlement is on disk.</summary>
    /// <exception cref="StompException">No message waits for it, or its transaction holds no more.</exception>
    public void Take(in FrameHead frame, StompVersion version, bool isPositive, FrameReceipt receipt)
    {
        (StompSubscription subscription, long number) = Find(frame, version);
        if (subscription.AckMode == AckMode.Auto)
        {
            throw new StompException("the subscription acknowledges by itself ('ack' is auto)");
        }

        if (!subscription.Held.TryGet(number, out _))
        {
            throw new StompException("no message with that id waits for an acknowledgement");
        }

        string? name = frame.Text("transaction"u8, version);
        Transaction? transaction = name is null ? null : transactions.Find(name);
        Outcome outcome = isPositive ? Outcome.Accepted : NackOf(frame, version);
        long first = subscription.AckMode == AckMode.Client ? subscription.Held.First : number;
        for (long one = first; one <= number; one++)
        {
            if (subscription.Held.TryGet(one, out Delivery delivery))
            {
                ulong tag = one == number && receipt.IsDue ? transactions.TagSettle(receipt.Id) : 0;
                client.Settle(delivery, outcome, tag, transaction);
                if (transaction is { IsOverfull: true })
                {
                    throw new StompException("the transaction has more acknowledgements than fit into it");
                }

                Note(subscription, one, transaction);
            }
        }

        subscription.Regulate();
        turns.Enqueue(subscription);
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
    private Outcome NackOf(in FrameHead frame, StompVersion version)
    {
        string? reason = frame.Text("reason"u8, version) ?? frame.Text("message"u8, version);
        string? kept = reason?.Length > options.ReasonCharsMax ? reason[..options.ReasonCharsMax] : reason;
        return frame.Text("requeue"u8, version) == "false"
            ? new Outcome(OutcomeKind.Rejected, Reason: kept)
            : Outcome.Failed with { Reason = kept };
    }

    // 1.2 names the message by "id", which is MESSAGE's "ack"; before, by "message-id", in 1.1 of the subscription that
    // it names too.
    private (StompSubscription Subscription, long Number) Find(in FrameHead frame, StompVersion version)
    {
        string id = version == StompVersion.V12
            ? frame.Required("id"u8, version) : frame.Required("message-id"u8, version);
        string? named = version == StompVersion.V11 ? frame.Required("subscription"u8, version) : null;
        return HeldMessages.TryReadId(id, out int number, out long message)
            && subscriptions.Find(number) is { } subscription
            && (named is null || named == subscription.Id)
            ? (subscription, message)
            : throw new StompException("no message with that id waits for an acknowledgement");
    }
}
