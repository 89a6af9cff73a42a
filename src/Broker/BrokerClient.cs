using System.Buffers;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Routing;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Transactions;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Model;

namespace Pillarbox.Broker;

/// <summary>
/// One connection's handle on the broker. Every method is called on the connection's own loop only; nothing blocks.
/// Calls are collected; <see cref="Flush"/> at the end of a pass hands them to the log and the shards in batches, and
/// <see cref="DrainInbox"/> tells what came back. Refusals are <see cref="BrokerException"/>.
/// </summary>
public sealed partial class BrokerClient : IDisposable
{
    private readonly MessageBroker _broker;
    private readonly BrokerServices _services;
    private readonly AddressSpace _space;
    private readonly ClientNames _names;
    private readonly MessageReader _reader;
    private readonly Publications _publications;
    private readonly Commits _commits;
    private readonly ClientReports _reports;
    private readonly ShardOutbox _ops;
    private readonly List<Producer> _producers = [];
    private readonly List<Consumer> _consumers = [];
    private readonly List<Transaction> _transactions = [];
    private readonly List<Queue> _temporaries = [];
    private readonly HashSet<ProducerMemory> _memories = [];
    private readonly List<QueueWatch> _watches = [];
    private readonly ulong _publisherHash;
    private long _transactionId;
    private long _passMs;
    private XaSteps? _xa;
    private volatile bool _isXaTimedOut;
    private bool _isDisposed;

    internal BrokerClient(MessageBroker broker, BrokerServices services, AddressSpace space, ClientInfo info,
        IWakeable wakeable)
    {
        _broker = broker;
        _services = services;
        _space = space;
        Info = info;
        _names = new ClientNames(services, space, info);
        _reader = new MessageReader(services);
        _publications = new Publications(this, services);
        _commits = new Commits(this, services, _publications);
        _reports = new ClientReports(this, services, _commits, wakeable);
        _publisherHash = PublisherHashOf(info.ClientId);
        _ops = new ShardOutbox(services.Shards);
        Outboxes = new Buffer<ClientEvent>?[services.Shards.Count];
        Mark = services.Marks.Add();
        SinceMs = services.NowMs;
    }

    /// <summary>Who it is.</summary>
    public ClientInfo Info { get; }

    // ---- names -------------------------------------------------------------------------------------------------

    /// <summary>What the address is, or null when there is none by that name.</summary>
    public AddressDescription? FindAddress(string address) =>
        _space.FindAddress(address) is { } node ? new AddressDescription(node.Name, node.IsAnycast, node.IsMulticast)
            : null;

    /// <summary>Grows whenever addresses, queues or streams come or go. Any thread.</summary>
    public long PlacesVersion => _space.Version + Catalog.Version;

    /// <summary>The addresses that others can know of: those that live longer than the connection of who made them, and
    /// the streams.</summary>
    public IEnumerable<AddressDescription> Places()
    {
        IEnumerable<AddressDescription> addresses = _space.Addresses
            .Where(IsForOthers)
            .Select(node => new AddressDescription(node.Name, node.IsAnycast, node.IsMulticast));
        IEnumerable<AddressDescription> streams = Catalog.All
            .Where(stream => !stream.IsInternal)
            .Select(stream => new AddressDescription(stream.Name, Anycast: false, Multicast: true));
        return streams.Concat(addresses).DistinctBy(place => place.Name);
    }

    // A topic lives as long as somebody uses it; a node of one connection bears its queue's name.
    private bool IsForOthers(AddressNode node) =>
        (node.IsAnycast || node.IsMulticast) && node.Name[0] is not ('$' or '_')
        && (!node.IsTemporary || (node.IsMulticast && _space.FindQueue(node.Name) is null));

    /// <summary>The routing type of an address for a client that asks for none: what it carries (anycast first), else
    /// what its settings say.</summary>
    public RoutingType RoutingTypeOf(string address) => _names.TypeOf(address);

    /// <summary>Whether an address is the name of a stream.</summary>
    public bool IsStream(string address) => _names.StreamOf(address) is not null;

    /// <summary>The partition that <c>address::number</c> names; null when it names a queue, or nothing.</summary>
    public int? FindPartition(AddressName name) => _names.PartitionOf(name);

    /// <summary>The queue's configuration, or null.</summary>
    public QueueConfig? FindQueue(string queue) => _space.FindQueue(queue)?.Config;

    /// <summary>
    /// Makes sure that a name which a client consumes from exists, as the settings allow: an anycast address gets a
    /// queue of its own name.
    /// Returns the name of the queue to consume from. For <c>address::queue</c> that is the named queue.
    /// Errors: NotFound (may not be made), PreconditionFailed (exists with another routing type), Unauthorized.
    /// </summary>
    public string ResolveQueue(AddressName name, RoutingType? routingType) => _names.ResolveQueue(name, routingType);

    /// <summary>
    /// The anycast queues whose names match a pattern, and that are neither temporary nor anybody's own; those that are
    /// made later are told by <see cref="IClientEvents.OnQueueMade"/>, until <see cref="EndWatch"/>. Errors:
    /// InvalidField, Unauthorized (to consume from all that matches).
    /// </summary>
    public QueueWatch WatchQueues(string pattern, out IReadOnlyList<string> there)
    {
        QueueWatch watch = _names.Watch(this, pattern, isOfNames: false);
        _watches.Add(watch);
        there = _space.Watch(watch);
        return watch;
    }

    /// <summary>
    /// All queues (anycast, and neither temporary nor anybody's own) and topics (multicast addresses, but those of one
    /// connection) that are there; their changes are told by <see cref="IClientEvents.OnNameChanged"/>, until <see
    /// cref="EndWatch"/>. Errors: Unauthorized (to consume from all).
    /// </summary>
    public QueueWatch WatchNames(out IReadOnlyList<string> queues, out IReadOnlyList<string> topics)
    {
        QueueWatch watch = _names.Watch(this, AddressPattern.AnyWords, isOfNames: true);
        _watches.Add(watch);
        (queues, topics) = _space.WatchNames(watch);
        return watch;
    }

    /// <summary>
    /// The queues that read streams for a subscription (<see cref="QueueConfig.StreamsMax"/>); those that are made
    /// later are told by <see cref="IClientEvents.OnQueueMade"/>, until <see cref="EndWatch"/>. Errors: NotFound,
    /// Unauthorized.
    /// </summary>
    public QueueWatch WatchReaders(string queue, out IReadOnlyList<string> there)
    {
        QueueWatch watch = _names.WatchReaders(this, queue, out there);
        _watches.Add(watch);
        return watch;
    }

    /// <summary>Nothing more is told.</summary>
    public void EndWatch(QueueWatch watch)
    {
        watch.IsEnded = true;
        _watches.Remove(watch);
        _space.Unwatch(watch);
    }

    /// <summary>Makes a queue, and its address; when it exists with equal settings that is fine, otherwise
    /// PreconditionFailed.</summary>
    public void CreateQueue(QueueConfig config) => Keep(_names.CreateQueue(config));

    /// <summary>
    /// Puts a queue with other settings in the place of one that nobody uses; the old one's messages go with it. When
    /// that is refused the old one stays. Errors: as for making and deleting.
    /// </summary>
    public void ReplaceQueue(QueueConfig config) => Keep(_names.ReplaceQueue(config));

    /// <summary>
    /// How long a queue lives without consumers, in milliseconds (-1: for ever), and whether that time begins now; for
    /// a durable queue that goes on over a restart. A queue that is not there is no error. Errors: Unavailable.
    /// </summary>
    public void SetQueueExpiry(string queue, long timeoutMs, bool begins)
    {
        if (_space.FindQueue(queue) is { } found)
        {
            _space.SetExpiry(found, timeoutMs, begins);
        }
    }

    /// <summary>Deletes a queue. Errors: NotFound, ResourceLocked (has consumers and <paramref name="ifUnused"/>),
    /// Unauthorized.</summary>
    public void DeleteQueue(string queue, bool ifUnused) => _names.DeleteQueue(queue, ifUnused);

    /// <summary>
    /// Binds a subscription's queue to an address pattern: from now on it takes what is published there, once however
    /// many of its patterns match; streams that match are read for it (<see cref="QueueConfig.StreamsMax"/>). For a
    /// durable queue that goes on over a restart (<see cref="WhenMade"/>). False: it was bound already. Errors:
    /// NotFound, InvalidField, Unauthorized (to consume from all that matches), ResourceLimitExceeded (a stream by its
    /// name too many), Unavailable.
    /// </summary>
    public bool Bind(string queue, string pattern) => _names.Bind(queue, pattern);

    /// <summary>Takes <see cref="Bind"/> back; false: it was not bound.</summary>
    public bool Unbind(string queue, string pattern) =>
        _space.FindQueue(queue) is { } found && _space.SetBinding(found, pattern, isBound: false);

    /// <summary>
    /// Completes when all queues and addresses that were made so far are on disk; null when they are already. Its
    /// continuation runs on the journal's thread and has to be short. Errors: Unavailable (the journal failed).
    /// </summary>
    public Task? WhenMade()
    {
        if (_space.BindingsEnd <= _services.Journal.DurablePosition)
        {
            return null;
        }

        BindingsGate gate = new();
        _services.Journal.WhenDurable(_space.BindingsEnd, gate);
        if (!gate.Done.IsCompleted)
        {
            return gate.Done;
        }

        return gate.Done.Result
            ? null
            : throw new BrokerException(BrokerError.Unavailable, "the node's journal failed");
    }

    // ---- publishing --------------------------------------------------------------------------------------------

    /// <summary>
    /// Opens a producer; makes the address (and for anycast its queue) as the settings allow.
    /// First credit comes by <see cref="IClientEvents.OnProducerCredit"/>.
    /// </summary>
    public Producer OpenProducer(ProducerOptions options)
    {
        Producer producer = _names.OpenProducer(this, options);
        _producers.Add(producer);
        producer.Node?.CountProducer(1);
        _reports.Due(producer);
        return producer;
    }

    /// <summary>Closes it; publishes under way still complete.</summary>
    public void CloseProducer(Producer producer)
    {
        if (producer.IsClosed)
        {
            return;
        }

        producer.IsClosed = true;
        producer.Node?.CountProducer(-1);
        _producers.Remove(producer);
        if (producer is { Options.TellsGone: true, Queue: { } queue })
        {
            Op(queue.Shard, OpKind.Work, new ShardAction(_ => queue.ForgetNotices(producer)));
        }
    }

    /// <summary>
    /// Publishes one message; the payload is copied before the call returns. With <paramref name="tag"/> not 0 its
    /// end is told by
    /// <see cref="IClientEvents.OnPublished"/> (in the order of publishing per client). In a transaction it completes
    /// at once
    /// (held until the discharge). A refusal that is known at once is also told by OnPublished, never thrown;
    /// for a tag of 0 it is dropped and counted. Returned, too, for whom a transaction must not go on without it.
    /// </summary>
    public BrokerException? Publish(
        Producer producer, in MessageHeader header, in ReadOnlySequence<byte> payload, ulong tag,
        string? to = null, Transaction? transaction = null)
    {
        MessageHead head = new() { Header = header, Publisher = producer.PublisherHash };
        return PublishHead(producer, head, payload, payload.Length, tag, to, transaction);
    }

    /// <summary>
    /// What the node knows of a producer that numbers its messages, by a name that is the user's own in its address
    /// space; of one that it does not know, nothing. For <see cref="Producer.NumberNext"/>, until <see
    /// cref="ForgetProducer"/>.
    /// </summary>
    public ProducerMemory RememberProducer(string name)
    {
        ProducerMemory memory = _services.Producers.Use(_names.KeyOf(name));
        _memories.Add(memory);
        return memory;
    }

    /// <summary>The producer is closed, and will not send anything again.</summary>
    public void ForgetProducer(ProducerMemory memory)
    {
        if (_memories.Remove(memory))
        {
            _services.Producers.Release(memory, isOver: true);
        }
    }

    /// <summary>In the place of a publish whose message the journal has already: with a tag that is not 0 it is told,
    /// in its turn, when all that the journal has now is on disk.</summary>
    public void Repeat(Producer producer, ulong tag)
    {
        producer.Outstanding++;
        producer.Granted = Math.Max(0, producer.Granted - 1);
        _publications.AddRepeated(producer, tag);
    }

    /// <summary>Begins a message whose payload comes in pieces and may be larger than memory.</summary>
    public LargePublish BeginLarge(Producer producer)
    {
        RecordStream? stream = producer.Queue is null ? producer.Node?.StreamIn(Catalog) : null;
        return new LargeUpload(
            this, _services, producer, stream?.Config.BatchBytesMax ?? _services.Options.LargeMessageBytesMin);
    }

    // ---- consuming ---------------------------------------------------------------------------------------------

    /// <summary>Opens a consumer with no credit. Errors: NotFound, Unauthorized, ResourceLocked,
    /// ResourceLimitExceeded, InvalidField (selector).</summary>
    public Consumer OpenConsumer(ConsumerOptions options)
    {
        Consumer consumer = _names.OpenConsumer(this, options);
        _consumers.Add(consumer);
        Op(consumer.Queue.Shard, OpKind.OpenConsumer, consumer);
        return consumer;
    }

    /// <summary>
    /// Closes it. Its unsettled deliveries go back to their places; with <paramref name="countAttempts"/> those are
    /// counted as failed.
    /// No delivery for it is told afterwards.
    /// </summary>
    public void CloseConsumer(Consumer consumer, bool countAttempts)
    {
        if (consumer.IsClosed)
        {
            return;
        }

        consumer.IsClosed = true;
        _consumers.Remove(consumer);
        ref ShardOp op = ref Op(consumer.Queue.Shard, OpKind.CloseConsumer, consumer);
        op.Outcome = countAttempts ? OutcomeBits.DeliveryFailed : 0;
        if (consumer.Options.Stream is not null)
        {
            Queue reader = consumer.Queue;
            Op(reader.Shard, OpKind.Work, new ShardAction(_ => reader.Delete()));
        }
        else if (_space.Leave(consumer.Queue))
        {
            PostOps();
            _space.DeleteQueue(consumer.Queue, ifUnused: false);
        }
    }

    /// <summary>Grants <paramref name="credit"/> (at least 1) further deliveries.</summary>
    public void Grant(Consumer consumer, int credit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(credit, 1);
        Op(consumer.Queue.Shard, OpKind.Grant, consumer).Id = credit;
    }

    /// <summary>
    /// Asks for messages by the names of earlier deliveries: those that are still in the consumer's queue, and that
    /// nobody else has, are told as deliveries, without credit; then <see cref="IClientEvents.OnReclaimed"/>. Not for
    /// browsers.
    /// </summary>
    public void Reclaim(Consumer consumer, DeliveryName[] names) =>
        Op(consumer.Queue.Shard, OpKind.Work, new Reclaims(consumer, names));

    /// <summary>Takes all unused credit back once nothing more can be delivered now; answered by <see
    /// cref="IClientEvents.OnDrained"/>.</summary>
    public void Drain(Consumer consumer) => Op(consumer.Queue.Shard, OpKind.Drain, consumer);

    /// <summary>
    /// Looks for messages that a subscription (its queue, or those that read streams for it) was given before. For each
    /// that is there no longer, and will not come again, <see cref="IClientEvents.OnSettled"/> tells with its tag (not
    /// 0) when that is on disk. Of one that is there nothing is told.
    /// </summary>
    public void AwaitGone(string subscription, IEnumerable<(MessageKey Message, ulong Tag)> messages)
    {
        foreach (var ofQueue in messages.GroupBy(one => one.Message.QueueNumber))
        {
            if (_space.FindOf(subscription, ofQueue.Key) is { } queue)
            {
                Dictionary<long, ulong> wanted = new(ofQueue.Select(
                    one => KeyValuePair.Create(one.Message.MessageId, one.Tag)));
                Op(queue.Shard, OpKind.Work, new Absences(queue, this, wanted));
                continue;
            }

            foreach ((_, ulong tag) in ofQueue)
            {
                _reports.Complete(
                    new Completion { Kind = CompletionKind.Settled, Tag = tag, Need = _space.BindingsEnd });
            }
        }
    }

    /// <summary>All that the journal has now, of whomever it is: <see cref="IClientEvents.OnSettled"/> tells with the
    /// tag (not 0) when it is on disk.</summary>
    public void AwaitDisk(ulong tag) => _reports.Complete(
        new Completion { Kind = CompletionKind.Settled, Tag = tag, Need = _services.Journal.TailPosition });

    /// <summary>The message of a delivery when it is in memory; false: use <see cref="ReadAsync"/>.</summary>
    public bool TryRead(in Delivery delivery, out MessageLease lease) => _reader.TryRead(delivery, out lease);

    /// <summary>
    /// The message of a delivery, from disk if need be; reads ahead. Throws <see
    /// cref="Storage.DamagedRecordException"/> when its bytes
    /// are damaged: the caller then calls <see cref="Quarantine"/> and goes on; and <see cref="ConversionException"/>
    /// when it cannot be had in the consumer's format: the caller then rejects it with that reason.
    /// </summary>
    public ValueTask<MessageLease> ReadAsync(Delivery delivery, CancellationToken cancellation) =>
        _reader.ReadAsync(delivery, cancellation);

    /// <summary>Takes a damaged message out of its queue and reports it by name. Its bytes go into
    /// quarantine.</summary>
    public void Quarantine(in Delivery delivery, string reason)
    {
        if (!delivery.Browsing && !delivery.Consumer.IsClosed)
        {
            ref ShardOp op = ref Op(delivery.Queue.Shard, OpKind.Quarantine, delivery.Consumer);
            SettleOp.Fill(ref op, delivery, default, reason);
        }
    }

    /// <summary>
    /// Settles a delivery, once. With <paramref name="tag"/> not 0, <see cref="IClientEvents.OnSettled"/> tells when
    /// that is on disk.
    /// In a transaction it takes effect when that commits; until then the delivery stays acquired. One that the
    /// transaction has no room for is not kept, and makes that roll back in the end: see
    /// <see cref="Transaction.IsOverfull"/>.
    /// </summary>
    public void Settle(in Delivery delivery, in Outcome outcome, ulong tag = 0, Transaction? transaction = null)
    {
        if (delivery.Browsing || delivery.Consumer.IsClosed)
        {
            _reports.CompleteSettled(tag);
            return;
        }

        OutcomeBits bits = SettleOp.Pack(outcome);
        if (transaction is not null)
        {
            Stage(transaction, new StagedSettlement(delivery, bits, outcome.Reason, outcome.Annotations));
            _reports.CompleteSettled(tag);
            return;
        }

        if (!outcome.Annotations.IsEmpty && outcome.Kind == OutcomeKind.Modified)
        {
            Op(delivery.Queue.Shard, OpKind.Work, new AnnotationMerge(delivery, outcome.Annotations));
        }

        ref ShardOp op = ref Op(delivery.Queue.Shard, OpKind.Settle, delivery.Consumer);
        SettleOp.Fill(ref op, delivery, bits, outcome.Reason);
        op.Tag = tag;
    }

    // ---- transactions ------------------------------------------------------------------------------------------

    /// <summary>Bytes that a transaction may hold: see <see cref="Transaction.Bytes"/>.</summary>
    public long TransactionBytesMax => _services.Options.TransactionBytesMax;

    /// <summary>Begins a local transaction.</summary>
    public Transaction Begin()
    {
        Transaction transaction = new(++_transactionId);
        _transactions.Add(transaction);
        return transaction;
    }

    /// <summary>
    /// Ends it: commits, or with <paramref name="fail"/> rolls back (published messages vanish, settlements are
    /// forgotten: those deliveries are
    /// unsettled again and still held by the client). Answered by <see cref="IClientEvents.OnDischarged"/>.
    /// </summary>
    public void Discharge(Transaction transaction, bool fail, ulong tag)
    {
        if (transaction.IsEnded)
        {
            throw new BrokerException(BrokerError.TransactionUnknown,
                $"transaction {transaction.Id} has ended already");
        }

        transaction.IsEnded = true;
        _transactions.Remove(transaction);
        if (transaction.Branch is { State: not XaState.TimedOut } branch)
        {
            _services.Xa.Remove(branch, isCommit: !fail, _services.NowMs);
        }

        _publications.Flush();
        _commits.Discharge(transaction, fail, tag);
    }

    /// <summary>Distributed transactions.</summary>
    public XaSteps Xa => _xa ??= new XaSteps(this, _services, _commits);

    // ---- the pass ----------------------------------------------------------------------------------------------

    /// <summary>Whether <see cref="DrainInbox"/> has something to tell. Any thread.</summary>
    public bool HasEvents => _reports.HasEvents;

    /// <summary>What was published and waits for the disk is as much as may wait (see
    /// <see cref="BrokerOptions.StalledBytesMax"/>): the connection takes no more input from its peer until this is
    /// over. It is woken to look again.</summary>
    public bool IsBehind => _publications.IsBehind;

    /// <summary>What was published waits for the disk to take it. The connection is woken when it has.</summary>
    public bool IsStalled => _publications.IsStalled;

    /// <summary>Hands everything collected since the last flush to the log and the shards. Cheap when there is
    /// nothing.</summary>
    public void Flush()
    {
        _passMs = 0;
        _publications.Flush(isAwaited: true);
        PostOps();
        _reports.AwaitDurable();
    }

    /// <summary>Tells everything that has come back, in order; at most <paramref name="max"/> events (so a pass is
    /// bounded); true when more remain.</summary>
    public bool DrainInbox(IClientEvents events, int max = 4096)
    {
        if (_isXaTimedOut)
        {
            _isXaTimedOut = false;
            Xa.EndTimedOut();
        }

        return _reports.Tell(events, max);
    }

    /// <summary>Ends the client: open transactions roll back, consumers close (attempts counted as the settings say),
    /// temporary queues go.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _publications.Flush();
        foreach (Transaction transaction in _transactions.ToArray())
        {
            Discharge(transaction, fail: true, 0);
        }

        foreach (Producer producer in _producers.ToArray())
        {
            CloseProducer(producer);
        }

        foreach (Consumer consumer in _consumers.ToArray())
        {
            CloseConsumer(consumer, countAttempts: false);
        }

        foreach (ProducerMemory memory in _memories)
        {
            _services.Producers.Release(memory, isOver: false);
        }

        foreach (QueueWatch watch in _watches)
        {
            _space.Unwatch(watch);
        }

        _services.Xa.RemoveOf(this);
        _publications.Abandon();
        PostOps();
        foreach (Queue queue in _temporaries)
        {
            _space.DeleteQueue(queue, ifUnused: false);
        }

        _reader.Dispose();
        _broker.Leave(this, lingers: _commits.HasPending);
    }
}
