using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Mqtt.Retained;

/// <summary>Hears that its retained message is on disk. Any thread.</summary>
internal interface IRetainWaiter
{
    /// <summary>It is, or it is not (<paramref name="error"/>).</summary>
    void OnRetained(ulong tag, BrokerException? error);
}

/// <summary>A message that is published in one transaction with a change of the store.</summary>
/// <param name="Client">Whose message it is: its permission counts, and its name for no local.</param>
/// <param name="Header">What the broker reads of it.</param>
/// <param name="Stored">The message as <see cref="MqttMessageMap"/> has it.</param>
/// <param name="Address">Where it goes.</param>
internal sealed record PublishedAlso(ClientInfo Client, MessageHeader Header, byte[] Stored, string Address);

/// <summary>
/// The last message of each topic of an address space, such as the retained ones (MQTT 5.0 §3.3.1.3): in memory to be
/// looked up, and in a durable queue. A client of the broker's of its own writes that queue: it publishes the newest of
/// each topic and settles the one before, whatever number came in between. Thread-safe.
/// </summary>
internal sealed class RetainedStore : IClientEvents, IWakeable, IThreadPoolWorkItem
{
    /// <summary>The queue of retained messages; browsing it shows the last messages of all topics.</summary>
    public const string QueueName = "$mqtt.retained";

    /// <summary>The queue of delayed wills.</summary>
    public const string WillsName = "$mqtt.wills";

    private const int CreditMax = 1 << 30;
    private const int ExpiredPerTick = 10_000;

    private readonly MqttEnvironment _environment;
    private readonly RetainedTree _tree = new();
    private readonly UndecidedRetains _undecided = new();
    private readonly RetainedExpiry _expiry;
    private readonly BrokerClient _client;
    private readonly Consumer _consumer;
    private readonly Producer _producer;
    private readonly RetainedStream? _stream;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Write> _writes = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private readonly Dictionary<ulong, Write> _publishing = [];
    private readonly Dictionary<string, Delivery> _kept = new(StringComparer.Ordinal);
    private readonly Queue<Delivery> _unread = new();
    private readonly TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task<LoadedMessage>? _read;
    private ulong _lastTag;
    private int _credit;
    private int _wakes;
    private bool _isDrained;
    private bool _fillsStream;
    private int _toLoad;
    private volatile bool _isClosing;
    private bool _isClosed;

    public RetainedStore(MqttEnvironment environment, string addressSpace, string queue = QueueName)
    {
        _environment = environment;
        _expiry = new RetainedExpiry(_tree);
        _client = environment.Broker.Connect(
            new ClientInfo
            {
                AddressSpace = addressSpace,
                Identity = Identity.Node,
                ClientId = queue,
                Protocol = "mqtt",
            },
            this);
        _client.CreateQueue(new QueueConfig
        {
            Name = queue,
            Address = queue,
            RoutingType = RoutingType.Multicast,
            IsSubscription = true,
        });
        _consumer = _client.OpenConsumer(new ConsumerOptions { Queue = queue });
        _producer = _client.OpenProducer(new ProducerOptions { Address = $"{queue}::{queue}" });
        _stream = queue == QueueName ? RetainedStream.Open(environment, addressSpace, _client) : null;
        _fillsStream = _stream is { IsNew: true };
        _client.Grant(_consumer, CreditMax);
        _client.Drain(_consumer);
        Wake();
    }

    /// <summary>Completes when what is on disk is here.</summary>
    public Task Loaded => _loaded.Task;

    /// <summary>Messages.</summary>
    public int Count => _tree.Count;

    /// <summary>
    /// Sets, or with an empty payload removes, the message of a topic; at once for those who subscribe from now on.
    /// <paramref name="waiter"/> hears when it is on disk. False: there is no room for it. What is published
    /// <paramref name="also"/> is on disk with it or not at all.
    /// </summary>
    public bool Set(RetainedMessage message, IRetainWaiter? waiter, ulong tag, PublishedAlso? also = null)
    {
        lock (_gate)
        {
            if (!HasRoom(message))
            {
                return false;
            }

            SetLocked(message, waiter, tag, also);
        }

        Wake();
        return true;
    }

    /// <summary>Publishes a message and sets it, or does neither: when <paramref name="publish"/> says why it is not
    /// taken nothing changes, and nobody hears of it here. Who subscribes meanwhile gets it as a message, or finds it
    /// set. With a <paramref name="waiter"/> the caller tells later whether it was taken in the end (<see
    /// cref="Decide"/>). False: there is no room to set it, and it was not published.</summary>
    public bool TryPublish(
        RetainedMessage message, Func<BrokerException?> publish, IRetainWaiter? waiter, ulong tag)
    {
        lock (_gate)
        {
            if (!HasRoom(message))
            {
                return false;
            }

            if (publish() is not null)
            {
                return true;
            }

            if (waiter is not null)
            {
                _undecided.Begin(message, _tree.Find(message.Topic));
            }

            SetLocked(message, waiter, tag, null);
        }

        Wake();
        return true;
    }

    /// <summary>A message was taken in the end, or was not: then what was set before comes back, unless something else
    /// was set since.</summary>
    public void Decide(RetainedMessage message, bool isTaken)
    {
        lock (_gate)
        {
            if (!_undecided.End(message, isTaken, out RetainedMessage? older))
            {
                return;
            }

            SetLocked(older ?? RetainedMessage.Removal(message.Topic), null, 0, null);
        }

        Wake();
    }

    /// <summary>Takes away what has expired, so that there is room for others; the clock's tick.</summary>
    public void Expire(long nowMs)
    {
        bool isAny = false;
        lock (_gate)
        {
            for (int i = 0; i < ExpiredPerTick && _expiry.Take(nowMs) is { } expired; i++)
            {
                SetLocked(RetainedMessage.Removal(expired.Topic), null, 0, null);
                isAny = true;
            }
        }

        if (isAny)
        {
            Wake();
        }
    }

    private void SetLocked(RetainedMessage message, IRetainWaiter? waiter, ulong tag, PublishedAlso? also)
    {
        bool isRemoval = message.IsRemoval;
        RetainedMessage? older = isRemoval ? _tree.Remove(message.Topic) : _tree.Set(message);
        _undecided.OnSet(message);
        _expiry.Add(message);
        if (isRemoval && older is null && also is null && !_writes.ContainsKey(message.Topic))
        {
            waiter?.OnRetained(tag, null);
            return;
        }

        Enqueue(message, waiter, tag);
        if (also is not null)
        {
            (_writes[message.Topic].Also ??= []).Add(also);
        }
    }

    // What is in its place goes.
    private bool HasRoom(RetainedMessage message)
    {
        MqttOptions options = _environment.Options;
        if (message.IsRemoval)
        {
            return true;
        }

        if (_tree.Count < options.RetainedMessagesMax && _tree.Bytes + message.Bytes <= options.RetainedBytesMax)
        {
            return true;
        }

        return _tree.Find(message.Topic) is { } older && _tree.Count <= options.RetainedMessagesMax
            && _tree.Bytes - older.Bytes + message.Bytes <= options.RetainedBytesMax;
    }

    /// <summary>Sets a message that is not kept over a restart.</summary>
    public void SetInMemory(RetainedMessage message)
    {
        lock (_gate)
        {
            _tree.Set(message);
        }
    }

    /// <summary>Goes through the messages that a filter matches.</summary>
    public RetainedTree.Cursor Match(ReadOnlySpan<byte> filter)
    {
        // What is being published was not for who subscribes now: it is set first.
        lock (_gate)
        {
            return _tree.Match(filter);
        }
    }

    /// <inheritdoc/>
    public void Wake()
    {
        if (Interlocked.Increment(ref _wakes) != 1)
        {
            return;
        }

        if (_environment.OwnThreads)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        else
        {
            Execute();
        }
    }

    /// <summary>Does what is to be done; one thread at a time.</summary>
    public void Execute()
    {
        int seen;
        do
        {
            seen = Volatile.Read(ref _wakes);
            try
            {
                Work();
            }
            catch (Exception e)
            {
                Log.RetainedTrouble(_environment.Logger, e.Message);
            }
        }
        while (Interlocked.Add(ref _wakes, -seen) != 0);
    }

    void IClientEvents.OnDelivery(in Delivery delivery)
    {
        if (_unread.Count == 0 && !delivery.Large && _client.TryRead(delivery, out MessageLease lease))
        {
            using (lease)
            {
                Keep(delivery, Found(lease.Payload, lease.Header, lease.Publisher), isLoading: !_isDrained);
            }

            return;
        }

        _unread.Enqueue(delivery);
    }

    void IClientEvents.OnPublished(Producer producer, ulong tag, BrokerException? error)
    {
        if (_publishing.Remove(tag, out Write? write))
        {
            write.Tell(error);
        }
    }

    void IClientEvents.OnProducerCredit(Producer producer, int credit) =>
        _credit += ReferenceEquals(producer, _producer) ? credit : 0;

    void IClientEvents.OnDrained(Consumer consumer, int unusedCredit)
    {
        _isDrained = true;
        _toLoad = _unread.Count;
        _client.Grant(_consumer, CreditMax);
    }

    void IClientEvents.OnSettled(ulong tag)
    {
    }

    void IClientEvents.OnDischarged(Transaction transaction, ulong tag, BrokerException? error)
    {
        if (_publishing.Remove(tag, out Write? write))
        {
            write.Tell(error);
        }
    }

    void IClientEvents.OnConsumerClosed(Consumer consumer, BrokerException reason) =>
        Log.RetainedTrouble(_environment.Logger, $"they are kept no longer: {reason.Message}");

    void IClientEvents.OnProducerClosed(Producer producer, BrokerException reason)
    {
    }

    void IClientEvents.OnCloseRequested(BrokerException reason)
    {
        _loaded.TrySetResult();
        _isClosing = reason.Error == BrokerError.Unavailable;
    }

    private void Enqueue(RetainedMessage message, IRetainWaiter? waiter, ulong tag)
    {
        if (!_writes.TryGetValue(message.Topic, out Write? write))
        {
            write = new Write();
            _writes[message.Topic] = write;
            _order.Enqueue(message.Topic);
        }

        write.Message = message;
        if (waiter is not null)
        {
            (write.Waiters ??= []).Add((waiter, tag));
        }
    }

    private void Work()
    {
        if (_isClosed)
        {
            Refuse();
            return;
        }

        if (_read is { IsCompleted: true })
        {
            EndRead();
        }

        _client.DrainInbox(this);
        while (_credit > 0 && _isDrained && TryTake(out Write? write))
        {
            Publish(write);
        }

        _client.Flush();
        _client.DrainInbox(this);
        _client.Flush();
        if (_read is null && _unread.TryPeek(out Delivery next))
        {
            _read = LoadedMessage.ReadAsync(_client, next, CancellationToken.None);
            _read.ConfigureAwait(!_environment.OwnThreads).GetAwaiter().UnsafeOnCompleted(Wake);
        }

        if (_isDrained && _unread.Count == 0)
        {
            FillStream();
            _loaded.TrySetResult();
        }

        if (_isClosing && _read is null)
        {
            // The node stops: what was taken is written by now, or nobody was told that it is.
            _isClosed = true;
            _client.Dispose();
            Refuse();
        }
        else if (_client.HasEvents)
        {
            Interlocked.Increment(ref _wakes);
        }
    }

    private void Refuse()
    {
        var refusal = new BrokerException(BrokerError.Unavailable, "the node is stopping");
        while (TryTake(out Write? write))
        {
            write.Tell(refusal);
        }
    }

    private bool TryTake([NotNullWhen(true)] out Write? write)
    {
        lock (_gate)
        {
            write = null;
            return _order.TryDequeue(out string? topic) && _writes.Remove(topic, out write);
        }
    }

    private void Publish(Write write)
    {
        _credit--;
        ulong tag = ++_lastTag;
        _publishing[tag] = write;
        var header = new MessageHeader
        {
            Durable = true,
            ExpiresAtMs = write.Message!.ExpiresAtMs,
            Format = PayloadFormat.Mqtt,
        };
        var payload = new ReadOnlySequence<byte>(write.Message.Stored);
        if (_stream is null && write.Also is null)
        {
            _client.Publish(_producer, header, payload, tag);
            return;
        }

        Transaction all = _client.Begin();
        all.Fail(_client.Publish(_producer, header, payload, 0, transaction: all));
        if (_stream?.Publish(write.Message, header, all) is { } refusal)
        {
            // What the stream does not take, such as one that is too large for it, is retained all the same.
            Log.RetainedTrouble(_environment.Logger, $"not in the stream: {refusal.Message}");
        }

        foreach (PublishedAlso also in write.Also ?? [])
        {
            all.Fail(Publish(also, all));
        }

        _client.Discharge(all, fail: false, tag);
    }

    private BrokerException? Publish(PublishedAlso also, Transaction transaction)
    {
        Producer producer = _client.OpenProducer(
            new ProducerOptions { MakesNoAddress = true, OnBehalfOf = also.Client });
        BrokerException? refusal = _client.Publish(
            producer, also.Header, new ReadOnlySequence<byte>(also.Stored), 0, also.Address, transaction);
        _client.CloseProducer(producer);
        return refusal;
    }

    // Whoever asked for the stream now has what was retained before, too: all of it is written anew, to both.
    private void FillStream()
    {
        if (!_fillsStream)
        {
            return;
        }

        _fillsStream = false;
        RetainedTree.Cursor all = _tree.Match("#"u8);
        lock (_gate)
        {
            int steps = int.MaxValue;
            while (all.Next(ref steps) is { } message)
            {
                if (!_writes.ContainsKey(message.Topic))
                {
                    Enqueue(message, null, 0);
                }
            }
        }

        Interlocked.Increment(ref _wakes);
    }

    private void EndRead()
    {
        Task<LoadedMessage> read = _read!;
        _read = null;
        Delivery delivery = _unread.Dequeue();
        bool isLoading = !_isDrained || _toLoad-- > 0;
        try
        {
            LoadedMessage message = read.GetAwaiter().GetResult();
            Keep(delivery, Found(message.Payload, message.Header, message.Publisher), isLoading);
        }
        catch (DamagedRecordException damage)
        {
            _client.Quarantine(delivery, damage.Message);
        }
    }

    private static RetainedMessage? Found(ReadOnlyMemory<byte> stored, in MessageHeader header, ulong publisher) =>
        MqttMessageMap.TryRead(stored.Span, out MqttMessageMap message)
            ? new RetainedMessage(
                Wire.TopicText.ToText(message.Topic), stored.ToArray(), header.ExpiresAtMs, publisher)
            : null;

    // In the order of the queue: the newest of a topic stays, the one before goes.
    private void Keep(in Delivery delivery, RetainedMessage? found, bool isLoading)
    {
        if (found is not null && _kept.Remove(found.Topic, out Delivery older))
        {
            _client.Settle(older, Outcome.Accepted);
        }

        if (found is null || found.IsRemoval)
        {
            _client.Settle(delivery, Outcome.Accepted);
        }
        else
        {
            _kept[found.Topic] = delivery;
        }

        if (found is not null && isLoading)
        {
            Load(found);
        }
    }

    // What was there at the start.
    private void Load(RetainedMessage found)
    {
        lock (_gate)
        {
            if (found.IsRemoval)
            {
                _tree.Remove(found.Topic);
            }
            else
            {
                _tree.Set(found);
                _expiry.Add(found);
            }
        }
    }

    /// <summary>The newest message of a topic that is not on disk yet, and who waits for it or one before.</summary>
    private sealed class Write
    {
        public RetainedMessage? Message { get; set; }

        public List<(IRetainWaiter Waiter, ulong Tag)>? Waiters { get; set; }

        public List<PublishedAlso>? Also { get; set; }

        public void Tell(BrokerException? error)
        {
            foreach ((IRetainWaiter waiter, ulong tag) in Waiters ?? [])
            {
                waiter.OnRetained(tag, error);
            }
        }
    }
}
