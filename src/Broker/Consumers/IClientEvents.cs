using Pillarbox.Broker.Transactions;

namespace Pillarbox.Broker.Consumers;

/// <summary>
/// What the core tells a connection. All are called on the connection's own loop, from <see
/// cref="BrokerClient.DrainInbox"/>;
/// they must not block and must not throw.
/// </summary>
public interface IClientEvents
{
    /// <summary>A message for a consumer with credit. It counts against the credit granted.</summary>
    void OnDelivery(in Delivery delivery);

    /// <summary>A publish that had a tag is done: on disk when it was durable (error null), or refused.</summary>
    void OnPublished(Producer producer, ulong tag, BrokerException? error);

    /// <summary>The same as <see cref="OnPublished"/> without an error, of a message that no queue and no stream
    /// took.</summary>
    void OnUnrouted(Producer producer, ulong tag) => OnPublished(producer, tag, null);

    /// <summary>The producer may publish <paramref name="credit"/> more messages than before.</summary>
    void OnProducerCredit(Producer producer, int credit);

    /// <summary>A drain is done: nothing more to deliver, <paramref name="unusedCredit"/> granted messages will not
    /// come.</summary>
    void OnDrained(Consumer consumer, int unusedCredit);

    /// <summary>Everything that <see cref="BrokerClient.Reclaim"/> brings has been told as deliveries with a <see
    /// cref="Delivery.Claim"/>.</summary>
    void OnReclaimed(Consumer consumer)
    {
    }

    /// <summary>A settlement that asked for confirmation is on disk.</summary>
    void OnSettled(ulong tag);

    /// <summary>A transaction ended: committed and on disk (error null), or rolled back because of the error.</summary>
    void OnDischarged(Transaction transaction, ulong tag, BrokerException? error);

    /// <summary>The core closed a consumer (its queue was deleted, an operator closed it). Its deliveries are
    /// void.</summary>
    void OnConsumerClosed(Consumer consumer, BrokerException reason);

    /// <summary>The core closed a producer (its address was deleted).</summary>
    void OnProducerClosed(Producer producer, BrokerException reason);

    /// <summary>A queue was made that <see cref="BrokerClient.WatchQueues"/> asked for.</summary>
    void OnQueueMade(QueueWatch watch, string queue)
    {
    }

    /// <summary>A queue or a topic was made, or has gone, of which <see cref="BrokerClient.WatchNames"/> asked.
    /// </summary>
    void OnNameChanged(QueueWatch watch, in NameChange change)
    {
    }

    /// <summary>An operator, or the node's stop, asks the connection to close.</summary>
    void OnCloseRequested(BrokerException reason);
}

/// <summary>Wakes a connection's loop so that it calls <see cref="BrokerClient.DrainInbox"/>. Called from any thread;
/// must be cheap; may be called too often.</summary>
public interface IWakeable
{
    /// <summary>Wakes the loop.</summary>
    void Wake();
}
