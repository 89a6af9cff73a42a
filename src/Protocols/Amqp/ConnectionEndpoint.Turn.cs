using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Transactions;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <content>The second half of a pass: what the broker tells; then what is owed to the peer, and deliveries.</content>
internal sealed partial class ConnectionEndpoint : IClientEvents
{
    // Rounds of "hear the broker, write, tell the broker" in one pass; a further one only when the last brought
    // something.
    private const int RoundsMax = 8;

    /// <summary>
    /// Hears the broker and writes what is due. <paramref name="outputLimit"/>: deliveries are written only while the
    /// total of bytes written
    /// is below it. True: there is more to do, at once or when the output has room.
    /// </summary>
    public bool Turn(long outputLimit)
    {
        if (_client is null)
        {
            return false;
        }

        for (int round = 0; round < RoundsMax; round++)
        {
            _client.Flush();
            _client.DrainInbox(this);
            _routed?.Drain();
            Owed.Write();
            bool wrote = Turns.Write(outputLimit);
            if (!wrote && !_client.HasEvents && _routed is not { HasEvents: true })
            {
                break;
            }
        }

        _client.Flush();
        Owed.Write();
        _routed?.WakeOthers();
        return _client.HasEvents || HasRoutedEvents || (State == ConnectionState.Opened && Turns.Any);
    }

    /// <inheritdoc/>
    void IClientEvents.OnDelivery(in Delivery delivery) => ((SendingLink)delivery.Consumer.Tag!).OnDelivery(delivery);

    /// <inheritdoc/>
    void IClientEvents.OnPublished(Producer producer, ulong tag, BrokerException? error) =>
        ((ReceivingLink)producer.Tag!).OnPublished(tag, error);

    /// <inheritdoc/>
    void IClientEvents.OnProducerCredit(Producer producer, int credit) =>
        ((ReceivingLink)producer.Tag!).OnProducerCredit(credit);

    /// <inheritdoc/>
    void IClientEvents.OnDrained(Consumer consumer, int unusedCredit) =>
        ((SendingLink)consumer.Tag!).OnDrained(unusedCredit);

    /// <inheritdoc/>
    void IClientEvents.OnSettled(ulong tag) => Settlements.OnSettled(tag);

    /// <inheritdoc/>
    void IClientEvents.OnReclaimed(Consumer consumer) => ((SendingLink)consumer.Tag!).OnReclaimed();

    /// <inheritdoc/>
    void IClientEvents.OnDischarged(Transaction transaction, ulong tag, BrokerException? error)
    {
        if (Transactions.Take(transaction) is { } local)
        {
            TransactionLink.OnDischarged(local, error);
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnConsumerClosed(Consumer consumer, BrokerException reason) =>
        DetachByNode((Link)consumer.Tag!, reason);

    /// <inheritdoc/>
    void IClientEvents.OnProducerClosed(Producer producer, BrokerException reason) =>
        DetachByNode((Link)producer.Tag!, reason);

    /// <inheritdoc/>
    void IClientEvents.OnCloseRequested(BrokerException reason) => Close(
        new AmqpError { Condition = AmqpErrorCondition.ConnectionForced, Description = reason.Message });

    private static void DetachByNode(Link link, BrokerException reason) =>
        link.Session.Detach(link, BrokerErrors.ToError(reason));
}
