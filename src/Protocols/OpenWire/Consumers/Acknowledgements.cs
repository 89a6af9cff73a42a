using Pillarbox.Broker;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Transactions;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Consumers;

/// <summary>What a client says of the messages that it was sent. Keeps nothing itself.</summary>
internal sealed class Acknowledgements(
    BrokerClient client, ConsumerTable consumers, TransactionCommands transactions, DispatchTurns turns,
    OpenWireOptions options)
{
    /// <summary>Takes one. True: it may be answered at once; false: when the settlement is on disk.</summary>
    /// <exception cref="BrokerException">It is in a transaction, which cannot go on.</exception>
    /// <exception cref="OpenWireException">There is no such type of it, or its transaction holds no more.</exception>
    public bool Take(MessageAck ack)
    {
        OpenTransaction? transaction = transactions.Find(ack.TransactionId);
        if (consumers.Find(ack.ConsumerId) is not { } endpoint)
        {
            return IsLost(transaction, ack);
        }

        if (endpoint.Listener is not null || ack.LastMessageId is null)
        {
            return true;
        }

        int last = endpoint.Unacked.Find(ack.LastMessageId);
        if (last < 0)
        {
            return IsLost(transaction, ack);
        }

        if (transaction is not null)
        {
            transaction.Consumers.Add(endpoint);
        }

        ulong tag = ack.ResponseRequired && transaction is null ? SettlementTag.Of(ack.CommandId) : 0;
        bool isAnswered = !Acknowledge(endpoint, ack, last, transaction, tag);
        endpoint.Regulate(client);
        turns.Enqueue(endpoint);
        return isAnswered;
    }

    // Outside of a transaction the message simply comes again; inside, the transaction must not go on without it.
    private static bool IsLost(OpenTransaction? transaction, MessageAck ack)
    {
        if (transaction is null || (AckType)ack.AckType is AckType.Delivered or AckType.Redelivered)
        {
            return true;
        }

        var failure = new BrokerException(
            BrokerError.TransactionRollback,
            $"the acknowledgement of {ack.LastMessageId} names no message that this connection was sent");
        transaction.Transaction.Fail(failure);
        throw failure;
    }

    // True: a settlement bears the tag, and its end is told.
    private bool Acknowledge(
        ConsumerEndpoint endpoint, MessageAck ack, int last, OpenTransaction? transaction, ulong tag)
    {
        var type = (AckType)ack.AckType;
        if (type == AckType.Redelivered)
        {
            return false;
        }

        bool isRange = type is AckType.Standard or AckType.Poison or AckType.Unmatched or AckType.Delivered;
        int first = !isRange ? last : ack.FirstMessageId is null ? 0 : endpoint.Unacked.Find(ack.FirstMessageId);
        first = first < 0 || first > last ? 0 : first;
        int told = FirstFree(endpoint, first, last);
        // From behind, for finishing shortens the list from its front.
        for (int i = last; i >= first; i--)
        {
            ref Unacked item = ref endpoint.Unacked[i];
            if (item.IsDone || item.Transaction is not null)
            {
                continue;
            }

            if (!item.IsRoomGiven)
            {
                item.IsRoomGiven = true;
                GiveRoom(endpoint);
            }

            if (type == AckType.Delivered)
            {
                continue;
            }

            client.Settle(item.Delivery, OutcomeOf(type, ack), i == told ? tag : 0, transaction?.Transaction);
            if (transaction is { Transaction.IsOverfull: true })
            {
                throw new OpenWireException("the transaction has more acknowledgements than fit into it");
            }

            if (transaction is not null)
            {
                item.Transaction = transaction;
            }
            else
            {
                endpoint.Unacked.Finish(i);
            }
        }

        return tag != 0 && told >= 0 && type != AckType.Delivered;
    }

    // The first that is neither acknowledged nor held by a transaction; -1: there is none.
    private static int FirstFree(ConsumerEndpoint endpoint, int first, int last)
    {
        for (int i = first; i <= last; i++)
        {
            if (endpoint.Unacked[i] is { IsDone: false, Transaction: null })
            {
                return i;
            }
        }

        return -1;
    }

    private static void GiveRoom(ConsumerEndpoint endpoint)
    {
        if (!endpoint.IsPulling)
        {
            endpoint.GiveRoom(1);
        }
    }

    private Outcome OutcomeOf(AckType type, MessageAck ack) => type switch
    {
        AckType.Poison => new Outcome(OutcomeKind.Rejected, Reason: ReasonOf(ack)),
        AckType.Expired => Outcome.Released with { Expired = true, Reason = "expired at the client" },
        AckType.Standard or AckType.Individual or AckType.Unmatched => Outcome.Accepted,
        _ => throw new OpenWireException($"there is no acknowledgement of type {ack.AckType}"),
    };

    private string? ReasonOf(MessageAck ack)
    {
        string? reason = ack.PoisonCause?.Message ?? ack.PoisonCause?.ClassName;
        return reason is null ? null : reason[..Math.Min(reason.Length, options.ReasonCharsMax)];
    }
}
