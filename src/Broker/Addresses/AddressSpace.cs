using System.Collections.Concurrent;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Filters;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Routing;
using Pillarbox.Broker.Shards;
using Pillarbox.Model;

namespace Pillarbox.Broker.Addresses;

/// <summary>
/// One tenant's addresses and queues. Finding takes no lock; changes are rare and take the one lock here, under which
/// they are journaled too, so the journal has them in the order in which they happened. The journal comes first: when
/// it takes nothing, nothing has changed.
/// </summary>
internal sealed partial class AddressSpace(string name, BrokerServices services, BindingJournal bindings)
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, AddressNode> _addresses = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Queue> _queues = new(StringComparer.Ordinal);
    private readonly WildcardTree<Queue> _patterns = new();
    private readonly List<Queue> _matches = [];
    private readonly QueueWatches _watches = new();
    private long _version;
    private long _mark;

    public string Name { get; } = name;

    /// <summary>Where the journal ends that says what was made and deleted.</summary>
    public long BindingsEnd => bindings.End;

    /// <summary>Grows whenever a message may go elsewhere than before.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>How its addresses and queues belong to its streams.</summary>
    public StreamBinding Streams { get; } = new(name, services);

    public ICollection<AddressNode> Addresses => _addresses.Values;

    public ICollection<Queue> Queues => _queues.Values;

    public int QueueCount => _queues.Count;

    public AddressNode? FindAddress(string address) => _addresses.GetValueOrDefault(address);

    public Queue? FindQueue(string queue) => _queues.GetValueOrDefault(queue);

    /// <summary>The settings of an address.</summary>
    public EffectiveSettings SettingsOf(string address) => services.SettingsOf(Name, address);

    /// <summary>The address, made if it is not there; with <paramref name="type"/> added to what it carries.</summary>
    public AddressNode EnsureAddress(string address, RoutingType type, bool temporary)
    {
        lock (_gate)
        {
            return EnsureAddressLocked(address, type, temporary, journal: true);
        }
    }

    /// <summary>Stands for a name that is no address here; only what is bound by patterns takes its
    /// messages.</summary>
    public AddressNode LooseAddress(string address) => new(address, SettingsOf(address), this) { IsLoose = true };

    /// <summary>The address of a stream's name, without a routing type of its own; not journaled, for the stream
    /// is.</summary>
    public AddressNode EnsureStreamAddress(string stream)
    {
        lock (_gate)
        {
            if (!_addresses.TryGetValue(stream, out AddressNode? node))
            {
                node = NodeLocked(stream);
                node.IsTemporary = true;
            }

            return node;
        }
    }

    /// <summary>Makes a queue; when one by that name is there with equal settings, that one.</summary>
    public Queue CreateQueue(QueueConfig config, out bool made)
    {
        // Before it is journaled: what cannot be made must not come back at the next start.
        Selector? filter = Selector.ParseOptional(config.Filter);
        if (FindQueue(config.Name) is null)
        {
            config = Streams.Complete(config);
        }

        FeedPlaces? places = Streams.PlacesOf(config);
        Queue queue;
        lock (_gate)
        {
            made = false;
            if (_queues.TryGetValue(config.Name, out Queue? there))
            {
                return IsSame(there.Config, config)
                    ? there
                    : throw new BrokerException(
                        BrokerError.PreconditionFailed,
                        $"queue '{config.Name}' exists with other settings: {Difference(there.Config, config)}");
            }

            if (!config.IsSubscription)
            {
                // A node of one connection bears its queue's name.
                EnsureAddressLocked(config.Address, config.RoutingType, config.Temporary, journal: true,
                    isForOthers: !config.Temporary || config.Name != config.Address);
            }

            long id = bindings.NextQueueId();
            if (config.Durable && !config.Temporary)
            {
                bindings.QueueCreated(Name, id, config, places);
            }

            made = true;
            queue = AddLocked(id, config, filter, places);
        }

        queue.Feed?.Begin();
        return queue;
    }

    /// <summary>Puts back what the disk holds; before the shards run.</summary>
    public Queue Recover(long id, QueueConfig config)
    {
        lock (_gate)
        {
            if (!config.IsSubscription)
            {
                EnsureAddressLocked(config.Address, config.RoutingType, temporary: false, journal: false);
            }

            return AddLocked(id, config, RecoverFilter(config), null);
        }
    }

    /// <summary>Puts back what the disk holds; before the shards run.</summary>
    public void RecoverAddress(string address, bool anycast, bool multicast)
    {
        lock (_gate)
        {
            AddressNode node = NodeLocked(address);
            node.IsAnycast |= anycast;
            node.IsMulticast |= multicast;
            ShowLocked(node);
        }
    }

    /// <summary>Takes back <see cref="Recover"/>; before the shards run.</summary>
    public void Forget(Queue queue)
    {
        lock (_gate)
        {
            _queues.TryRemove(queue.Config.Name, out _);
            Unbind(queue);
        }
    }

    /// <summary>Takes back <see cref="RecoverAddress"/>; before the shards run.</summary>
    public void DeleteAddressIfEmpty(string address)
    {
        lock (_gate)
        {
            if (_addresses.TryGetValue(address, out AddressNode? node) && node.Bound.Count == 0)
            {
                RemoveAddressLocked(node, journal: false);
            }
        }
    }

    /// <summary>Deletes a queue with its messages. False when it is not there.</summary>
    public bool DeleteQueue(Queue queue, bool ifUnused, bool journal = true)
    {
        ReaderChanges changes = new();
        lock (_gate)
        {
            if (ifUnused && queue.Admission.Consumers > 0)
            {
                throw new BrokerException(BrokerError.ResourceLocked, $"queue '{queue.Config.Name}' has consumers");
            }

            if (FindQueue(queue.Config.Name) != queue)
            {
                return false;
            }

            RemoveQueueLocked(queue, journal, changes);
            queue.Approaches?.Close();
        }

        changes.Tell();

        queue.Shard.Post(new ShardAction(_ => queue.Delete()));
        return true;
    }

    /// <summary>Deletes a queue that deletes itself, unless somebody uses it or a message is in it or on its way. In
    /// the queue's shard.</summary>
    public void DeleteIfIdle(Queue queue)
    {
        ReaderChanges changes = new();
        lock (_gate)
        {
            if (queue.Admission.Consumers > 0 || FindQueue(queue.Config.Name) != queue
                || queue.Approaches?.TryClose() != true)
            {
                return;
            }

            if (queue.Counters.Messages > 0)
            {
                queue.Approaches.Reopen();
                return;
            }

            RemoveQueueLocked(queue, journal: true, changes);
        }

        changes.Tell();
        queue.Delete();
    }

    /// <summary>Deletes an address that has no queues. False when it is not there.</summary>
    public bool DeleteAddress(string address, bool journal = true)
    {
        lock (_gate)
        {
            if (!_addresses.TryGetValue(address, out AddressNode? node))
            {
                return false;
            }

            if (node.Bound.Count > 0)
            {
                throw new BrokerException(
                    BrokerError.ResourceLocked,
                        $"address '{address}' has {node.Bound.Count} queues: delete those first");
            }

            RemoveAddressLocked(node, journal);
            return true;
        }
    }

    /// <summary>The route of an address as things are now.</summary>
    public Route FindRoute(AddressNode node)
    {
        lock (_gate)
        {
            return node.Keep(RouteLocked(node));
        }
    }

    /// <summary>Counts a consumer in, or says why not.</summary>
    public void Admit(Queue queue, ConsumerOptions options)
    {
        lock (_gate)
        {
            QueueAdmission admission = queue.Admission;
            string name = queue.Config.Name;
            if (admission.HasExclusive || (options.Exclusive && admission.Consumers > 0))
            {
                throw new BrokerException(BrokerError.ResourceLocked, $"queue '{name}' is used exclusively");
            }

            if (queue.Config.ConsumersMax >= 0 && admission.Consumers >= queue.Config.ConsumersMax)
            {
                throw new BrokerException(
                    BrokerError.ResourceLimitExceeded,
                        queue.Config.ConsumersMax == 1
                            ? $"queue '{name}' is in use: it takes one consumer at a time"
                            : $"queue '{name}' takes at most {queue.Config.ConsumersMax} consumers");
            }

            admission.Consumers++;
            admission.HasExclusive = options.Exclusive;
            admission.UnusedSinceMs = 0;
        }
    }

    /// <summary>Counts a consumer out; true when the queue goes with it.</summary>
    public bool Leave(Queue queue)
    {
        lock (_gate)
        {
            QueueAdmission admission = queue.Admission;
            admission.Consumers--;
            admission.HasExclusive = false;
            admission.UnusedSinceMs = admission.Consumers == 0 ? services.NowMs : 0;
            return admission.Consumers == 0 && queue.Config.DeleteOnNoConsumers;
        }
    }

    /// <summary>How long a queue lives without users (-1: for ever), and whether that time begins now.</summary>
    public void SetExpiry(Queue queue, long timeoutMs, bool begins)
    {
        lock (_gate)
        {
            QueueAdmission admission = queue.Admission;
            long sinceMs = begins ? services.NowMs : 0;
            if (FindQueue(queue.Config.Name) != queue
                || (admission.ExpiryTimeoutMs == timeoutMs && admission.ExpirySinceMs == sinceMs))
            {
                return;
            }

            if (queue.IsDurable)
            {
                bindings.QueueExpiry(queue.Id, timeoutMs, sinceMs);
            }

            admission.ExpiryTimeoutMs = timeoutMs;
            admission.ExpirySinceMs = sinceMs;
        }
    }

    /// <summary>The queues of an address, also those that read a stream: past it, for what the stream does not
    /// take.</summary>
    public Route DirectRoute(AddressNode node) => Frozen(() => new Route(
        [.. node.Bound.Where(queue => queue.Config.RoutingType == RoutingType.Anycast)],
        [.. node.Bound.Where(queue => queue.Config.RoutingType == RoutingType.Multicast)]));

    /// <summary>Where the broker's own copies for an address go; an anycast queue is made when none is there to
    /// take them. Throws <see cref="BrokerException"/> when it cannot be made.</summary>
    public Queue[] ResolveForBroker(string address)
    {
        AddressNode? node = FindAddress(address);
        if (node is null || (!node.IsMulticast && node.Route.Anycast.Length == 0))
        {
            CreateQueue(new QueueConfig
            {
                Name = address,
                Address = address,
                AutoCreated = true,
                Owner = Identity.Node.Name
            }, out _);
            node = FindAddress(address);
        }

        Route route = node?.Route ?? Route.Empty;
        if (node is not null && route.Anycast.Length == 0 && route.Multicast.Length == 0)
        {
            route = DirectRoute(node);
        }

        return route.Anycast.Length == 0 ? route.Multicast : [route.PickAnycast(0), .. route.Multicast];
    }

    /// <summary>Runs with the lock held: nothing is made or deleted meanwhile.</summary>
    public T Frozen<T>(Func<T> read)
    {
        lock (_gate)
        {
            return read();
        }
    }

    private static string Difference(QueueConfig there, QueueConfig wanted)
    {
        (string What, object? Has, object? Wanted)[] settings =
        [
            ("address", there.Address, wanted.Address),
            ("routing type", there.RoutingType, wanted.RoutingType),
            ("durable", there.Durable, wanted.Durable),
            ("temporary", there.Temporary, wanted.Temporary),
            ("filter", there.Filter ?? "none", wanted.Filter ?? "none"),
            ("stream", there.Stream ?? "none", wanted.Stream ?? there.Stream ?? "none"),
        ];
        return string.Join(", ", settings.Where(setting => !Equals(setting.Has, setting.Wanted))
            .Select(setting => $"{setting.What} is {setting.Has}, wanted {setting.Wanted}"));
    }

    private static bool IsSame(QueueConfig there, QueueConfig wanted) =>
        there.Address == wanted.Address && there.RoutingType == wanted.RoutingType && there.Durable == wanted.Durable
        && there.Temporary == wanted.Temporary && there.Filter == wanted.Filter
        && there.NotFrom == wanted.NotFrom && (wanted.Stream is null || there.Stream == wanted.Stream)
        && there.IsSubscription == wanted.IsSubscription;

    private AddressNode EnsureAddressLocked(
        string address, RoutingType type, bool temporary, bool journal, bool isForOthers = true)
    {
        bool isNew = !_addresses.TryGetValue(address, out AddressNode? node);
        bool anycast = type == RoutingType.Anycast || node is { IsAnycast: true };
        bool multicast = type == RoutingType.Multicast || node is { IsMulticast: true };
        bool changes = node is null or { IsTemporary: true }
            || node.IsAnycast != anycast || node.IsMulticast != multicast;
        if (journal && !temporary && changes)
        {
            bindings.AddressCreated(Name, address, anycast, multicast);
        }

        node ??= NodeLocked(address);
        node.AddType(type);
        if (isNew || !temporary)
        {
            node.IsTemporary = temporary;
        }

        if (isForOthers)
        {
            ShowLocked(node);
        }

        return node;
    }

    private AddressNode NodeLocked(string address)
    {
        if (_addresses.TryGetValue(address, out AddressNode? node))
        {
            return node;
        }

        node = new AddressNode(address, SettingsOf(address), this);
        _addresses[address] = node;
        Change();
        return node;
    }

    // A queue that several patterns bring is in it once.
    private Route RouteLocked(AddressNode node)
    {
        _mark++;
        List<Queue> anycast = [];
        List<Queue> multicast = [];
        bool isFollowed = false;
        _matches.Clear();
        _matches.AddRange((_addresses.GetValueOrDefault(node.Name) ?? node).Bound);
        _patterns.Match(node.Name, _matches);
        foreach (Queue queue in _matches)
        {
            // Who reads a stream gets its messages there.
            if (queue.Mark != _mark && queue.Config.Stream is null)
            {
                queue.Mark = _mark;
                isFollowed |= Reads(queue, node.Name);
                (queue.Config.RoutingType == RoutingType.Anycast ? anycast : multicast).Add(queue);
            }
        }

        _matches.Clear();
        Route route = new([.. anycast], [.. multicast]) { Version = _version };
        return isFollowed
            ? route with { Kept = new(route.Anycast, Array.FindAll(route.Multicast, q => !Reads(q, node.Name))) }
            : route;
    }

    private static bool Reads(Queue queue, string stream) => queue.Readers?.ContainsKey(stream) == true;

    // Whoever routes from now on looks anew.
    private void Change() => Volatile.Write(ref _version, _version + 1);

    // A filter that this program cannot read must not keep the node from starting: such a queue takes nothing new.
    private static Selector? RecoverFilter(QueueConfig config)
    {
        try
        {
            return Selector.ParseOptional(config.Filter);
        }
        catch (BrokerException)
        {
            return Selector.ParseOptional("FALSE");
        }
    }

    private Queue AddLocked(long id, QueueConfig config, Selector? filter, FeedPlaces? places)
    {
        Shard shard = services.Shards[(int)(id % services.Shards.Count)];
        EffectiveSettings rules = SettingsOf(config.Address);
        Queue queue = new(id, config, this, shard, config.IsSubscription ? rules.ForSubscription : rules)
        {
            Filter = filter,
            NotFromHash = config.NotFrom is null ? 0 : BrokerClient.PublisherHashOf(config.NotFrom),
        };
        if (config.Stream is { } stream)
        {
            queue.Bind(stream, followsAll: true).Place(places);
        }

        _queues[config.Name] = queue;
        if (NodeOf(queue) is { } node)
        {
            node.Bound.Add(queue);
            if (AddressPattern.IsWildcard(config.Address))
            {
                _patterns.Add(config.Address, queue);
            }
        }

        Change();
        if (config.ReadsFor is null)
        {
            _watches.Tell(config);
        }

        return queue;
    }

    private void RemoveQueueLocked(Queue queue, bool journal, ReaderChanges changes)
    {
        if (journal && queue.IsDurable)
        {
            bindings.QueueDeleted(queue.Id);
        }

        services.CountGone(queue);
        _queues.TryRemove(queue.Config.Name, out _);
        _watches.TellGone(queue.Config);
        Unbind(queue);
        EndReadersLocked(queue, journal, changes);
    }

    private void Unbind(Queue queue)
    {
        foreach (string pattern in queue.Bindings ?? [])
        {
            _patterns.Remove(pattern, queue);
        }

        if (NodeOf(queue) is { } node)
        {
            node.Bound.Remove(queue);
            _patterns.Remove(queue.Config.Address, queue);
            if (node.IsTemporary && node.Bound.Count == 0)
            {
                RemoveAddressLocked(node, journal: false);
            }
        }

        Change();
    }

    // A subscription has no address of its own.
    private AddressNode? NodeOf(Queue queue) =>
        queue.Config.IsSubscription ? null : _addresses.GetValueOrDefault(queue.Config.Address);

    private void RemoveAddressLocked(AddressNode node, bool journal)
    {
        if (journal && !node.IsTemporary)
        {
            bindings.AddressDeleted(Name, node.Name);
        }

        _addresses.TryRemove(node.Name, out _);
        node.IsDeleted = true;
        if (node.IsShown)
        {
            _watches.TellTopic(node.Name, isGone: true);
        }

        Change();
    }
}
