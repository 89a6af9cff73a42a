using System.Buffers;
using System.Text;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Model;
using Pillarbox.Model.Records;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests;

/// <summary>One broker on one thread, on memory and a hand clock, and its clients.</summary>
internal sealed class Scene : IDisposable
{
    /// <summary>A producer that is held back is woken each round for ever.</summary>
    private const int RoundsMax = 60;

    private Func<BrokerOptions, BrokerOptions> _configure;
    private readonly List<MessageBroker> _crashed = [];

    public Scene(Func<BrokerOptions, BrokerOptions>? configure = null, MemoryFileSystem? files = null)
    {
        _configure = configure ?? (options => options);
        Files = files ?? new MemoryFileSystem();
        Broker = Open();
    }

    public MemoryFileSystem Files { get; private set; }

    public HandClock Clock { get; } = new();

    public MessageBroker Broker { get; private set; }

    public List<Actor> Actors { get; } = [];

    public static Scene With(string pattern, AddressSettings settings) => new(options => options with
    {
        AddressSettings = new Dictionary<string, AddressSettings> { [pattern] = settings },
    });

    /// <summary>What counts from the next start on.</summary>
    public void Configure(Func<BrokerOptions, BrokerOptions> configure) => _configure = configure;

    public Actor Connect(string clientId = "client", string space = "default", Identity? who = null)
    {
        Actor actor = new(this, new ClientInfo
        {
            AddressSpace = space,
            Identity = who ?? Identity.Anonymous,
            ClientId = clientId,
            Protocol = "test",
        });
        Actors.Add(actor);
        return actor;
    }

    public Grant GrantFor(string name) => Broker.Authorizer.Authorize(
        Identity.Node, Permission.CreateAddress, "default", new AddressName(name, null));

    /// <summary>Makes a stream; its first partition.</summary>
    public Partition Stream(string name, int partitions = 1, params (string Name, string Value)[] config)
    {
        CatalogResult result = Broker.Streams.Create(GrantFor(name), new StreamSpec
        {
            Name = name,
            Partitions = partitions,
            Config = config.ToDictionary(pair => pair.Name, pair => pair.Value),
        });
        Assert.Equal((StreamError.None, null), (result.Error, result.Message));
        return result.Stream!.Partitions[0];
    }

    /// <summary>Appends records with these values and makes them durable; keys are k0, k1...</summary>
    public void Append(Partition partition, params string[] values) =>
        AppendBatch(partition, new RecordBatchOptions(), values);

    public void AppendBatch(Partition partition, in RecordBatchOptions options, params string[] values)
    {
        RecordBatchBuilder builder = new();
        builder.Begin(options);
        for (int i = 0; i < values.Length; i++)
        {
            builder.Add(Clock.NowMs, Encoding.UTF8.GetBytes($"k{i}"), Encoding.UTF8.GetBytes(values[i]));
        }

        AppendResult result = partition.Append(builder.Finish().Span, new AppendOptions());
        Assert.Equal((StreamError.None, null), (result.Error, result.Message));
        Broker.Pump();
    }

    /// <summary>Lets everything happen that can happen without the clock.</summary>
    public void Settle()
    {
        for (int quiet = 0, rounds = 0; quiet < 3 && rounds < RoundsMax; quiet++, rounds++)
        {
            Broker.Pump();
            foreach (Actor actor in Actors)
            {
                if (actor.Pass())
                {
                    quiet = -1;
                }
            }
        }
    }

    public void Advance(long milliseconds)
    {
        Clock.Advance(milliseconds);
        Settle();
    }

    /// <summary>Stops cleanly and starts again.</summary>
    public void Restart()
    {
        Actors.Clear();
        Broker.Dispose();
        Broker = Open();
    }

    /// <summary>Starts again from what was written, as after a crash: nothing is finished before.</summary>
    public void Crash()
    {
        MemoryFileSystem copy = new();
        foreach (string folder in new[]
            { DataLayout.Journal, DataLayout.Snapshots, DataLayout.Large, DataLayout.Quarantine })
        {
            string directory = "data/" + folder;
            foreach (string name in Files.List(directory, ""))
            {
                using IFile from = Files.Open($"{directory}/{name}", FileOpening.Read);
                using IFile to = copy.Open($"{directory}/{name}", FileOpening.CreateNew);
                byte[] bytes = new byte[from.Length];
                from.Read(0, bytes);
                to.Write(0, bytes);
            }
        }

        Actors.Clear();
        _crashed.Add(Broker);
        Files = copy;
        Broker = Open();
    }

    public void Dispose()
    {
        Broker.Dispose();
        foreach (MessageBroker crashed in _crashed)
        {
            crashed.Dispose();
        }
    }

    private MessageBroker Open() => MessageBroker.Open(_configure(new BrokerOptions
    {
        FileSystem = Files,
        DataDirectory = "data",
        Time = Clock,
        Random = new SeededRandom(1),
        Shards = 2,
        OwnThreads = false,
        SegmentBytes = 1 << 20,
        PropertyReaders = [new PlainReader()],
    }));
}

/// <summary>A client that notes what it is told.</summary>
internal sealed class Actor : IClientEvents, IWakeable
{
    private readonly Scene _scene;

    public Actor(Scene scene, ClientInfo info)
    {
        _scene = scene;
        Client = scene.Broker.Connect(info, this);
    }

    public BrokerClient Client { get; }

    public List<Delivery> Deliveries { get; } = [];

    public List<(ulong Tag, BrokerException? Error)> Published { get; } = [];

    public List<ulong> Settled { get; } = [];

    public List<(Consumer Consumer, int Unused)> Drained { get; } = [];

    public List<(ulong Tag, BrokerException? Error)> Discharged { get; } = [];

    public List<BrokerError> Closed { get; } = [];

    public Dictionary<Producer, int> Credit { get; } = [];

    public bool Pass()
    {
        bool had = Client.HasEvents;
        Client.DrainInbox(this);
        Client.Flush();
        return had;
    }

    public Producer Producer(string? address, RoutingType? type = null) =>
        Client.OpenProducer(new ProducerOptions { Address = address, RoutingType = type });

    public Consumer Consume(string queue, int credit = 1000, Func<ConsumerOptions, ConsumerOptions>? with = null)
    {
        ConsumerOptions options = new() { Queue = queue };
        Consumer consumer = Client.OpenConsumer(with is null ? options : with(options));
        if (credit > 0)
        {
            Client.Grant(consumer, credit);
        }

        _scene.Settle();
        return consumer;
    }

    public void Queue(string name, Func<Queues.QueueConfig, Queues.QueueConfig>? with = null)
    {
        Queues.QueueConfig config = new() { Name = name, Address = name };
        Client.CreateQueue(with is null ? config : with(config));
    }

    /// <summary>Publishes durable messages with these bodies, one after the other; tags count from 1 on.</summary>
    public void Send(string address, params string[] bodies)
    {
        Producer producer = Producer(address);
        foreach (string body in bodies)
        {
            Send(producer, body);
        }

        _scene.Settle();
    }

    public void Send(Producer producer, string body, Func<MessageHeader, MessageHeader>? with = null,
        Transactions.Transaction? transaction = null, string? to = null)
    {
        MessageHeader header = new() { Durable = true };
        Client.Publish(
            producer, with is null ? header : with(header), new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(body)),
            (ulong)Published.Count + 1, to, transaction);
    }

    public string Body(Delivery delivery)
    {
        using MessageLease lease = Read(delivery);
        return Encoding.UTF8.GetString(lease.Payload.Span);
    }

    public MessageLease Read(Delivery delivery) => Client.TryRead(delivery, out MessageLease lease)
        ? lease
        : Client.ReadAsync(delivery, CancellationToken.None).AsTask().GetAwaiter().GetResult();

    /// <summary>The bodies delivered since the last call.</summary>
    public string[] Take()
    {
        string[] bodies = [.. Deliveries.Select(Body)];
        Deliveries.Clear();
        return bodies;
    }

    public void Settle(Delivery delivery, Outcome outcome, ulong tag = 0)
    {
        Client.Settle(delivery, outcome, tag);
        _scene.Settle();
    }

    public void AcceptAll()
    {
        foreach (Delivery delivery in Deliveries)
        {
            Client.Settle(delivery, Outcome.Accepted);
        }

        Deliveries.Clear();
        _scene.Settle();
    }

    public void Wake()
    {
    }

    public void OnDelivery(in Delivery delivery) => Deliveries.Add(delivery);

    public void OnPublished(Producer producer, ulong tag, BrokerException? error) => Published.Add((tag, error));

    public void OnProducerCredit(Producer producer, int credit) =>
        Credit[producer] = Credit.GetValueOrDefault(producer) + credit;

    public void OnDrained(Consumer consumer, int unusedCredit) => Drained.Add((consumer, unusedCredit));

    public void OnSettled(ulong tag) => Settled.Add(tag);

    public void OnDischarged(Transactions.Transaction transaction, ulong tag, BrokerException? error) =>
        Discharged.Add((tag, error));

    public void OnConsumerClosed(Consumer consumer, BrokerException reason) => Closed.Add(reason.Error);

    public void OnProducerClosed(Producer producer, BrokerException reason) => Closed.Add(reason.Error);

    public void OnCloseRequested(BrokerException reason) => Closed.Add(reason.Error);
}

/// <summary>Knows the priority, of messages without a format.</summary>
internal sealed class PlainReader : IPropertyReader
{
    public PayloadFormat Format => PayloadFormat.None;

    public PropertyValue Read(in MessageHeader header, ReadOnlySpan<byte> payload, string name) =>
        name == "JMSPriority" ? PropertyValue.From((long)header.Priority) : PropertyValue.Null;
}
