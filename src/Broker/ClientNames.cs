using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Filters;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Routing;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Model;

namespace Pillarbox.Broker;

/// <summary>What one client's names lead to: permission first, then the address space. The connection's.</summary>
internal sealed class ClientNames(BrokerServices services, AddressSpace space, ClientInfo info)
{
    /// <summary>Addresses that the anonymous relay remembers per client.</summary>
    private const int RememberedMax = 256;

    private readonly Dictionary<(string Address, RoutingType? Type), AddressNode> _remembered = [];

    /// <summary>What a producer of this user, in this address space, is known by.</summary>
    public UInt128 KeyOf(string producer)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{space.Name}\0{info.Identity.Name}\0{producer}"), digest);
        UInt128 key = BinaryPrimitives.ReadUInt128LittleEndian(digest);
        return key == 0 ? 1 : key;
    }

    public QueueWatch Watch(BrokerClient client, string pattern, bool isOfNames)
    {
        if (AddressPattern.Check(pattern) is { } fault)
        {
            throw new BrokerException(BrokerError.InvalidField, fault);
        }

        Authorize(Permission.Consume, new AddressName(pattern, null));
        return new QueueWatch(client, pattern) { IsOfNames = isOfNames };
    }

    public string ResolveQueue(AddressName name, RoutingType? routingType)
    {
        string queueName = name.Queue ?? name.Address;
        Queue? there = space.FindQueue(queueName);
        bool isMeant = there is not null
            && (name.Queue is not null || there.Config.Address == name.Address || there.Config.Stream is not null);
        if (isMeant)
        {
            CheckType(there!.Config.RoutingType, routingType, queueName);
            return queueName;
        }

        if (there is not null)
        {
            throw new BrokerException(
                BrokerError.PreconditionFailed, $"queue '{queueName}' belongs to address '{there.Config.Address}'");
        }

        AddressNode? node = space.FindAddress(name.Address);
        RoutingType type = routingType ?? TypeOf(node, name.Address);
        if (name.Queue is null && type == RoutingType.Multicast)
        {
            throw new BrokerException(
                BrokerError.PreconditionFailed,
                    $"address '{name.Address}' is multicast: it is consumed by a subscription");
        }

        if (!space.SettingsOf(name.Address).AutoCreateQueues)
        {
            throw new BrokerException(BrokerError.NotFound,
                $"queue '{queueName}' does not exist and may not be made by use");
        }

        EnsureAddress(name.Address, type);
        Make(new QueueConfig
        {
            Name = queueName,
            Address = name.Address,
            RoutingType = type,
            AutoCreated = true,
            Owner = info.Identity.Name,
            AutoDelete = space.SettingsOf(name.Address).AutoDeleteQueues,
        });
        return queueName;
    }

    public QueueWatch WatchReaders(BrokerClient client, string name, out IReadOnlyList<string> there)
    {
        Queue queue = space.FindQueue(name) ?? throw new BrokerException(BrokerError.NotFound,
            $"queue '{name}' does not exist");
        AuthorizeUnlessOwn(Permission.Consume, queue);
        QueueWatch watch = new(client, name) { IsForReaders = true };
        there = space.WatchReaders(queue, watch);
        return watch;
    }

    /// <summary>Returns the queue when it goes with this client.</summary>
    public Queue? CreateQueue(QueueConfig config)
    {
        Check(config.Name, "queue name");
        Check(config.Address, "address");
        Queue queue = Make(config with { Owner = config.Owner ?? info.Identity.Name });
        return config.Temporary ? queue : null;
    }

    /// <summary>Returns the queue when it goes with this client.</summary>
    public Queue? ReplaceQueue(QueueConfig config)
    {
        // Whatever can be refused is refused before the old one goes.
        _ = Selector.ParseOptional(config.Filter);
        Check(config.Address, "address");
        if (!config.IsPrivate)
        {
            AuthorizeMaking(config);
        }

        DeleteQueue(config.Name, ifUnused: true);
        return CreateQueue(config);
    }

    public void DeleteQueue(string name, bool ifUnused)
    {
        Queue queue = space.FindQueue(name) ?? throw new BrokerException(BrokerError.NotFound,
            $"queue '{name}' does not exist");
        AuthorizeUnlessOwn(queue.IsDurable ? Permission.DeleteDurableQueue : Permission.DeleteNonDurableQueue, queue);
        space.DeleteQueue(queue, ifUnused);
    }

    public bool Bind(string name, string pattern)
    {
        Queue queue = space.FindQueue(name) ?? throw new BrokerException(BrokerError.NotFound,
            $"queue '{name}' does not exist");
        if (AddressPattern.Check(pattern) is { } fault)
        {
            throw new BrokerException(BrokerError.InvalidField, fault);
        }

        AuthorizeUnlessOwn(Permission.Consume, queue);
        Authorize(Permission.Consume, new AddressName(pattern, null));
        return space.SetBinding(queue, pattern, isBound: true);
    }

    public Producer OpenProducer(BrokerClient client, ProducerOptions options)
    {
        if (options.Address is null)
        {
            return new Producer(client, options, default);
        }

        AddressName name = Parse(options.Address);
        if (name.Queue is not null && space.FindQueue(name.Queue) is { Config.IsSubscription: true } subscription)
        {
            AuthorizeUnlessOwn(Permission.Send, subscription);
            return new Producer(client, options, default)
            {
                Queue = subscription,
                Node = space.LooseAddress(name.Address),
            };
        }

        Grant grant = Authorize(Permission.Send, name);
        Producer producer = new(client, options, grant);
        if (name.Queue is null)
        {
            producer.Node = ResolveAddress(name.Address, options.RoutingType);
            space.Streams.Keep(producer.Node);
            return producer;
        }

        if (PartitionOf(name) is { } partition)
        {
            producer.Node = space.EnsureStreamAddress(name.Address);
            producer.Partition = partition;
            return producer;
        }

        ResolveQueue(name, options.RoutingType);
        producer.Queue = space.FindQueue(name.Queue);
        producer.Node = space.FindAddress(name.Address);
        return producer;
    }

    /// <summary>The stream of an address; null when there is none.</summary>
    public RecordStream? StreamOf(string address) => Catalog.FindPublic(address);

    /// <summary>The partition that <c>address::number</c> names: of a stream, unless a queue has that name.</summary>
    public int? PartitionOf(AddressName name) =>
        name.Queue is not null && StreamOf(name.Address) is not null && space.FindQueue(name.Queue) is null
        && int.TryParse(name.Queue, NumberStyles.None, CultureInfo.InvariantCulture, out int partition)
            ? partition
            : null;

    public Consumer OpenConsumer(BrokerClient client, ConsumerOptions options)
    {
        if (options.Stream is not null)
        {
            return OpenReader(client, options, options.Stream);
        }

        Queue queue = space.FindQueue(options.Queue)
            ?? throw new BrokerException(BrokerError.NotFound, $"queue '{options.Queue}' does not exist");
        AuthorizeUnlessOwn(options.Browse ? Permission.Browse : Permission.Consume, queue);
        Selector? test = Selector.ParseOptional(options.Selector);
        space.Admit(queue, options);
        Consumer consumer = new(client, options, queue) { Number = services.NextConsumerNumber() };
        if (test is not null || options.NoLocal || consumer.Browses)
        {
            consumer.Filter = new ConsumerFilter(services, test, options.NoLocal ? client.PublisherHash : 0);
        }

        return consumer;
    }

    // A reader of a stream has a queue of its own that nobody else sees, and that is forgotten with it.
    private Consumer OpenReader(BrokerClient client, ConsumerOptions options, StreamReading reading)
    {
        Authorize(
            options.Browse ? Permission.Browse : Permission.Consume, new AddressName(reading.Stream, null));
        RecordStream stream = StreamOf(reading.Stream)
            ?? throw new BrokerException(BrokerError.NotFound, $"stream '{reading.Stream}' does not exist");
        IReadOnlyList<Partition> partitions = PartitionsOf(stream, reading.Partition);
        Selector? test = Selector.ParseOptional(options.Selector);
        int number = services.NextConsumerNumber();
        Shard shard = services.Shards[number % services.Shards.Count];
        QueueConfig config = new()
        {
            Name = stream.Name,
            Address = stream.Name,
            Durable = false,
            Temporary = true,
            Stream = stream.Name,
        };
        EffectiveSettings rules = reading.Group is null ? ReaderRules(stream.Name) : space.SettingsOf(stream.Name);
        Queue queue = new(-number, config, space, shard, rules) { Filter = test };
        if (reading.Group is not null)
        {
            BindGroup(queue, stream, reading, $"{info.ClientId}-{number}");
            return new Consumer(client, options, queue) { Number = number };
        }

        StreamFeed feed = queue.Bind(stream.Name, followsAll: reading.Partition is null);
        foreach (Partition partition in partitions)
        {
            feed.Place(stream.Id, partition.Number, reading.Start.OffsetIn(partition));
        }

        return new Consumer(client, options, queue) { Number = number };
    }

    private void BindGroup(Queue queue, RecordStream stream, StreamReading reading, string memberId)
    {
        string group = reading.Group!;
        if (group.Length == 0)
        {
            throw new BrokerException(BrokerError.InvalidField, "a consumer group has a name");
        }

        Authorize(Permission.Consume, new AddressName(group, null));
        GroupReader reader = new(
            group, memberId, new GroupClient(info.ClientId, info.RemoteEndPoint), reading.Start, reading.Partition);
        GroupReading member = new(queue, stream, services.CoordinatorsOf(space.Name).Groups, reader);
        queue.Bind(stream.Name, followsAll: false).Group = member;
        queue.Shard.Post(new ShardAction(shard =>
        {
            shard.SetTimed(queue, true);
            member.Start();
        }));
    }

    // Who reads on its own has no dead letters: what it refuses is behind it.
    private EffectiveSettings ReaderRules(string stream) =>
        space.SettingsOf(stream) with { DeadLetterAddress = null, MaxDeliveryAttempts = -1 };

    private static IReadOnlyList<Partition> PartitionsOf(RecordStream stream, int? partition) =>
        partition is not { } number ? stream.Partitions
        : stream.FindPartition(number) is { } found ? [found]
        : throw new BrokerException(BrokerError.NotFound, $"stream '{stream.Name}' has no partition {number}");

    private StreamCatalog Catalog => services.Streams[space.Name];

    /// <summary>Where a message goes, or why not.</summary>
    public BrokerException? Route(Producer producer, string? to, long bodyBytes, out AddressNode? node)
    {
        node = producer.Node;
        try
        {
            if (node is null || node.IsDeleted)
            {
                string address = producer.Options.Address ?? to
                    ?? throw new BrokerException(BrokerError.InvalidField, "the message names no address");
                node = Remember(address, producer);
            }
        }
        catch (BrokerException e)
        {
            return e;
        }

        return CheckLimits(producer, node, bodyBytes);
    }

    /// <summary>The queues of one message, which is on its way to them from now on; or why it goes nowhere.</summary>
    public BrokerException? TryTarget(Producer producer, AddressNode node, bool isKept, in MessageHeader header,
        in ReadOnlySequence<byte> payload, out Targets targets)
    {
        targets = default;
        try
        {
            targets = TargetsOf(producer, node, isKept, header, payload);
            while (!targets.TryApproach())
            {
                // A queue deletes itself just now: it is no longer there once that is done.
                space.Frozen(() => true);
                FindQueueAgain(producer);
                targets = TargetsOf(producer, node, isKept, header, payload);
            }

            return null;
        }
        catch (BrokerException refusal)
        {
            return refusal;
        }
    }

    private void FindQueueAgain(Producer producer)
    {
        if (producer.Queue is not null)
        {
            string name = ResolveQueue(Parse(producer.Options.Address!), producer.Options.RoutingType);
            producer.Queue = space.FindQueue(name);
        }
    }

    private Targets TargetsOf(Producer producer, AddressNode node, bool isKept, in MessageHeader header,
        in ReadOnlySequence<byte> payload)
    {
        if (producer.Queue is { } queue)
        {
            return new Targets(queue, null, queue.DurableIds);
        }

        Route all = node.Route;
        Route route = (isKept ? all.Kept ?? all : all).Only(producer.RoutingType);
        if (route.Anycast.Length == 0 && route.Multicast.Length == 0)
        {
            if (node.StreamIn(Catalog) is not null)
            {
                Count(node, routed: true);
                return default;
            }

            route = MakeRoute(node).Only(producer.RoutingType);
        }

        if (route.HasFilters || (route.Anycast.Length > 0 && route.Multicast.Length > 0))
        {
            Queue[] chosen = Choose(producer, route, header, payload);
            Count(node, chosen.Length > 0);
            return new Targets(null, chosen, Addresses.Route.IdsOf(chosen));
        }

        Count(node, route.Anycast.Length + route.Multicast.Length > 0);
        if (route.Anycast.Length > 0)
        {
            Queue one = route.PickAnycast(producer.Turn++);
            return new Targets(one, null, one.DurableIds);
        }

        return new Targets(null, route.Multicast, route.DurableMulticastIds);
    }

    private static void Count(AddressNode node, bool routed)
    {
        if (routed)
        {
            node.CountRouted(1);
        }
        else
        {
            node.CountUnrouted(1);
        }
    }

    private static void Check(string part, string what)
    {
        if (AddressName.Check(part, what) is { } error)
        {
            throw new BrokerException(BrokerError.InvalidField, error);
        }
    }

    private static AddressName Parse(string text) =>
        AddressName.TryParse(text, out AddressName name, out string? error)
            ? name
            : throw new BrokerException(BrokerError.InvalidField, error);

    private static void CheckType(RoutingType there, RoutingType? wanted, string name)
    {
        if (wanted is not null && wanted != there)
        {
            throw new BrokerException(
                BrokerError.PreconditionFailed,
                    $"'{name}' is {there.ToString().ToLowerInvariant()}, not {wanted.ToString()!.ToLowerInvariant()}");
        }
    }

    private BrokerException? CheckLimits(Producer producer, AddressNode node, long bodyBytes)
    {
        if (bodyBytes > node.Settings.MessageBytesMax)
        {
            return new BrokerException(
                BrokerError.ResourceLimitExceeded,
                    $"the message has {bodyBytes} bytes; '{node.Name}' takes at most {node.Settings.MessageBytesMax}");
        }

        if (producer.Outstanding > services.Options.ProducerCredit * 2)
        {
            return new BrokerException(BrokerError.ResourceLimitExceeded,
                "far more messages are under way than credit was given for");
        }

        return node.Settings.AddressFullPolicy == AddressFullPolicy.Fail && node.IsFull
            ? new BrokerException(BrokerError.ResourceLimitExceeded, $"address '{node.Name}' is full")
            : null;
    }

    private Queue[] Choose(Producer producer, Route route, in MessageHeader header, in ReadOnlySequence<byte> payload)
    {
        ReadOnlySpan<byte> bytes = payload.IsSingleSegment || !route.HasFilters ? payload.FirstSpan : payload.ToArray();
        IPropertyReader? reader = services.ReaderOf(header.Format);
        List<Queue> chosen = [];
        List<Queue> anycast = [];
        foreach (Queue queue in route.Anycast)
        {
            if (Takes(producer, queue, header, bytes, reader))
            {
                anycast.Add(queue);
            }
        }

        if (anycast.Count > 0)
        {
            chosen.Add(new Route([.. anycast], []).PickAnycast(producer.Turn++));
        }

        foreach (Queue queue in route.Multicast)
        {
            if (Takes(producer, queue, header, bytes, reader))
            {
                chosen.Add(queue);
            }
        }

        return [.. chosen];
    }

    private static bool Takes(
        Producer producer, Queue queue, in MessageHeader header, ReadOnlySpan<byte> bytes, IPropertyReader? reader) =>
        (queue.NotFromHash == 0 || queue.NotFromHash != producer.PublisherHash)
        && (queue.Filter is null || queue.Filter.Matches(header, bytes, reader));

    private Route MakeRoute(AddressNode node)
    {
        if (node.HasBound)
        {
            // Queues whose stream is gone take what is sent to them.
            return space.DirectRoute(node);
        }

        if (node.IsAnycast && !node.IsMulticast && node.Settings.AutoCreateQueues && space.FindQueue(node.Name) is null)
        {
            Make(new QueueConfig
            {
                Name = node.Name,
                Address = node.Name,
                AutoCreated = true,
                AutoDelete = node.Settings.AutoDeleteQueues,
                Owner = info.Identity.Name
            });
        }

        return node.Route;
    }

    private AddressNode Remember(string address, Producer producer)
    {
        RoutingType? type = producer.RoutingType;
        ClientInfo? other = producer.Options.OnBehalfOf;
        if (other is null && _remembered.TryGetValue((address, type), out AddressNode? node) && !node.IsDeleted
            && !(node.IsLoose && space.FindAddress(node.Name) is not null))
        {
            return node;
        }

        AddressName name = Parse(address);
        services.Authorizer.Authorize((other ?? info).Identity, Permission.Send, space.Name, name);
        node = producer.Options.MakesNoAddress
            ? space.FindAddress(name.Address) ?? space.LooseAddress(name.Address)
            : ResolveAddress(name.Address, type);
        space.Streams.Keep(node);
        if (other is not null)
        {
            return node;
        }

        if (_remembered.Count >= RememberedMax)
        {
            _remembered.Clear();
        }

        _remembered[(address, type)] = node;
        return node;
    }

    private AddressNode ResolveAddress(string address, RoutingType? wanted)
    {
        AddressNode? node = space.FindAddress(address);
        RoutingType type = wanted ?? TypeOf(node, address);
        if (node is not null)
        {
            bool carries = type == RoutingType.Anycast ? node.IsAnycast : node.IsMulticast;
            if (!carries && (node.IsAnycast || node.IsMulticast))
            {
                CheckType(node.IsAnycast ? RoutingType.Anycast : RoutingType.Multicast, wanted, address);
            }

            return node;
        }

        return wanted is null && StreamOf(address) is not null
            ? space.EnsureStreamAddress(address)
            : EnsureAddress(address, type);
    }

    private AddressNode EnsureAddress(string address, RoutingType type)
    {
        if (space.FindAddress(address) is { } there)
        {
            return there;
        }

        if (!space.SettingsOf(address).AutoCreateAddresses)
        {
            throw new BrokerException(BrokerError.NotFound,
                $"address '{address}' does not exist and may not be made by use");
        }

        Authorize(Permission.CreateAddress, new AddressName(address, null));
        return space.EnsureAddress(address, type, temporary: false);
    }

    private Queue Make(QueueConfig config)
    {
        if (space.FindQueue(config.Name) is null && !config.IsPrivate)
        {
            AuthorizeMaking(config);
        }

        return space.CreateQueue(config, out _);
    }

    private void AuthorizeMaking(QueueConfig config) => Authorize(
        config is { Durable: true, Temporary: false }
            ? Permission.CreateDurableQueue : Permission.CreateNonDurableQueue,
        new AddressName(config.Address, config.Name));

    /// <summary>What an address is to a client that asks for nothing: what it has, else what settings say.</summary>
    public RoutingType TypeOf(string address) => TypeOf(space.FindAddress(address), address);

    private RoutingType TypeOf(AddressNode? node, string address) => node switch
    {
        { IsMulticast: true, IsAnycast: false } => RoutingType.Multicast,
        { IsAnycast: true } => RoutingType.Anycast,
        _ => space.SettingsOf(address).DefaultRoutingType,
    };

    private void AuthorizeUnlessOwn(Permission permission, Queue queue)
    {
        if (!queue.Config.IsPrivate)
        {
            Authorize(permission, new AddressName(queue.Config.Address, queue.Config.Name));
        }
        else if (queue.Config.Owner != info.Identity.Name && !ReferenceEquals(info.Identity, Identity.Node))
        {
            throw new BrokerException(BrokerError.Unauthorized, $"queue '{queue.Config.Name}' is another user's own");
        }
    }

    private Grant Authorize(Permission permission, AddressName name) =>
        services.Authorizer.Authorize(info.Identity, permission, space.Name, name);
}
