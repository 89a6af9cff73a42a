using System.Buffers;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;

namespace Pillarbox.Broker;

/// <summary>
/// One connection's handle on the broker. Every method is called on the connection's own loop only; nothing blocks.
/// Calls are collected; <see cref="Flush"/> at the end of a pass hands them to the log and the shards in batches, and
/// <see cref="DrainInbox"/> tells what came back. Refusals are <see cref="BrokerException"/>.
/// </summary>
public sealed class BrokerClient : IDisposable
{
    internal BrokerClient(MessageBroker broker, ClientInfo info, IWakeable wakeable)
    {
        Broker = broker;
        Info = info;
        Wakeable = wakeable;
    }

    /// <summary>Who it is.</summary>
    public ClientInfo Info { get; }

    internal MessageBroker Broker { get; }

    internal IWakeable Wakeable { get; }

    // ---- names -------------------------------------------------------------------------------------------------

    /// <summary>What the address is, or null when there is none by that name.</summary>
    public AddressDescription? FindAddress(string address) => throw new NotImplementedException();

    /// <summary>The queue's configuration, or null.</summary>
    public QueueConfig? FindQueue(string queue) => throw new NotImplementedException();

    /// <summary>
    /// Makes sure that a name which a client consumes from exists, as the settings allow: an anycast address gets a
    /// queue of its own name.
    /// Returns the name of the queue to consume from. For <c>address::queue</c> that is the named queue.
    /// Errors: NotFound (may not be made), PreconditionFailed (exists with another routing type), Unauthorized.
    /// </summary>
    public string ResolveQueue(AddressName name, RoutingType? routingType) => throw new NotImplementedException();

    /// <summary>Makes a queue, and its address; when it exists with equal settings that is fine, otherwise
    /// PreconditionFailed.</summary>
    public void CreateQueue(QueueConfig config) => throw new NotImplementedException();

    /// <summary>Deletes a queue. Errors: NotFound, ResourceLocked (has consumers and <paramref name="ifUnused"/>),
    /// Unauthorized.</summary>
    public void DeleteQueue(string queue, bool ifUnused) => throw new NotImplementedException();

    // ---- publishing --------------------------------------------------------------------------------------------

    /// <summary>
    /// Opens a producer; makes the address (and for anycast its queue) as the settings allow.
    /// First credit comes by <see cref="IClientEvents.OnProducerCredit"/>.
    /// </summary>
    public Producer OpenProducer(ProducerOptions options) => throw new NotImplementedException();

    /// <summary>Closes it; publishes under way still complete.</summary>
    public void CloseProducer(Producer producer) => throw new NotImplementedException();

    /// <summary>
    /// Publishes one message; the payload is copied before the call returns. With <paramref name="tag"/> not 0 its
    /// end is told by
    /// <see cref="IClientEvents.OnPublished"/> (in the order of publishing per client). In a transaction it completes
    /// at once
    /// (held until the discharge). A refusal that is known at once is also told by OnPublished, never thrown;
    /// for a tag of 0 it is dropped and counted.
    /// </summary>
    public void Publish(
        Producer producer, in MessageHeader header, in ReadOnlySequence<byte> payload, ulong tag,
        string? to = null, Transaction? transaction = null) => throw new NotImplementedException();

    /// <summary>Begins a message whose payload comes in pieces and may be larger than memory.</summary>
    public LargePublish BeginLarge(Producer producer) => throw new NotImplementedException();

    // ---- consuming ---------------------------------------------------------------------------------------------

    /// <summary>Opens a consumer with no credit. Errors: NotFound, Unauthorized, ResourceLocked,
    /// ResourceLimitExceeded, InvalidField (selector).</summary>
    public Consumer OpenConsumer(ConsumerOptions options) => throw new NotImplementedException();

    /// <summary>
    /// Closes it. Its unsettled deliveries go back to their places; with <paramref name="countAttempts"/> those are
    /// counted as failed.
    /// No delivery for it is told afterwards.
    /// </summary>
    public void CloseConsumer(Consumer consumer, bool countAttempts) => throw new NotImplementedException();

    /// <summary>Grants <paramref name="credit"/> (at least 1) further deliveries.</summary>
    public void Grant(Consumer consumer, int credit) => throw new NotImplementedException();

    /// <summary>Takes all unused credit back once nothing more can be delivered now; answered by <see
    /// cref="IClientEvents.OnDrained"/>.</summary>
    public void Drain(Consumer consumer) => throw new NotImplementedException();

    /// <summary>The message of a delivery when it is in memory; false: use <see cref="ReadAsync"/>.</summary>
    public bool TryRead(in Delivery delivery, out MessageLease lease) => throw new NotImplementedException();

    /// <summary>
    /// The message of a delivery, from disk if need be; reads ahead. Throws <see
    /// cref="Storage.DamagedRecordException"/> when its bytes
    /// are damaged: the caller then calls <see cref="Quarantine"/> and goes on.
    /// </summary>
    public ValueTask<MessageLease> ReadAsync(Delivery delivery, CancellationToken cancellation) =>
        throw new NotImplementedException();

    /// <summary>Takes a damaged message out of its queue, reports it by name, keeps its bytes for the
    /// operator.</summary>
    public void Quarantine(in Delivery delivery, string reason) => throw new NotImplementedException();

    /// <summary>
    /// Settles a delivery, once. With <paramref name="tag"/> not 0, <see cref="IClientEvents.OnSettled"/> tells when
    /// that is on disk.
    /// In a transaction it takes effect when that commits; until then the delivery stays acquired.
    /// </summary>
    public void Settle(in Delivery delivery, in Outcome outcome, ulong tag = 0, Transaction? transaction = null) =>
        throw new NotImplementedException();

    // ---- transactions ------------------------------------------------------------------------------------------

    /// <summary>Begins a local transaction.</summary>
    public Transaction Begin() => throw new NotImplementedException();

    /// <summary>
    /// Ends it: commits, or with <paramref name="fail"/> rolls back (published messages vanish, settlements are
    /// forgotten: those deliveries are
    /// unsettled again and still held by the client). Answered by <see cref="IClientEvents.OnDischarged"/>.
    /// </summary>
    public void Discharge(Transaction transaction, bool fail, ulong tag) => throw new NotImplementedException();

    // ---- the pass ----------------------------------------------------------------------------------------------

    /// <summary>Whether <see cref="DrainInbox"/> has something to tell. Any thread.</summary>
    public bool HasEvents => throw new NotImplementedException();

    /// <summary>Hands everything collected since the last flush to the log and the shards. Cheap when there is
    /// nothing.</summary>
    public void Flush() => throw new NotImplementedException();

    /// <summary>Tells everything that has come back, in order; at most <paramref name="max"/> events (so a pass is
    /// bounded); true when more remain.</summary>
    public bool DrainInbox(IClientEvents events, int max = 4096) => throw new NotImplementedException();

    /// <summary>Ends the client: open transactions roll back, consumers close (attempts counted as the settings say),
    /// temporary queues go.</summary>
    public void Dispose() => throw new NotImplementedException();
}

/// <summary>What a client may know of an address before it attaches.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Anycast">Whether it carries anycast queues.</param>
/// <param name="Multicast">Whether it carries multicast queues.</param>
public sealed record AddressDescription(string Name, bool Anycast, bool Multicast);

/// <summary>A message on its way in whose payload comes in pieces. Owned by the connection; either completed or
/// aborted.</summary>
public abstract class LargePublish
{
    /// <summary>Bytes so far.</summary>
    public abstract long Length { get; }

    /// <summary>Adds a piece. Small totals stay in memory, larger ones go to a file. False: the disk is behind; wait
    /// for <see cref="ReadyAsync"/> before the next piece.</summary>
    public abstract bool Append(in ReadOnlySequence<byte> piece);

    /// <summary>Completes when more pieces may be appended.</summary>
    public abstract ValueTask ReadyAsync(CancellationToken cancellation);

    /// <summary>The whole message is there: publishes it as <see cref="BrokerClient.Publish"/> does.</summary>
    public abstract void Complete(
        in MessageHeader header, ulong tag, string? to = null, Transaction? transaction = null);

    /// <summary>Forgets it.</summary>
    public abstract void Abort();
}
