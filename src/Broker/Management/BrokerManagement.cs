using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Filters;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Quotas;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Management;

/// <summary>
/// Everything an operator sees and does. Any thread; views are immutable copies. Operations check the identity's
/// permissions and throw <see cref="BrokerException"/> on refusal; what they changed is on disk when they complete.
/// </summary>
public sealed class BrokerManagement
{
    /// <summary>Messages that a purge removes before the shard does other things.</summary>
    private const int PurgeStep = 10_000;

    private readonly MessageBroker _broker;
    private readonly BrokerServices _services;
    private readonly BindingJournal _bindings;
    private readonly QueueInspection _inspection;

    internal BrokerManagement(MessageBroker broker, BrokerServices services, BindingJournal bindings)
    {
        _broker = broker;
        _services = services;
        _bindings = bindings;
        _inspection = new QueueInspection(services);
        Quarantine = new QuarantineManagement(services);
        Transactions = new TransactionManagement(broker, services);
    }

    /// <summary>What is damaged and kept.</summary>
    public QuarantineManagement Quarantine { get; }

    /// <summary>Distributed transactions.</summary>
    public TransactionManagement Transactions { get; }

    /// <summary>The node's figures.</summary>
    public Task<NodeView> GetNodeAsync()
    {
        IEnumerable<Queue> queues = _services.Spaces.All.SelectMany(space => space.Queues);
        long messages = 0;
        long acknowledged = _services.AcknowledgedElsewhere;
        int count = 0;
        foreach (Queue queue in queues)
        {
            count++;
            messages += QueueInspection.MessagesOf(queue);
            acknowledged += Volatile.Read(ref queue.Counters.AcknowledgedTotal);
        }

        IReadOnlyList<SegmentInfo> segments = _services.Journal.Segments;
        return Task.FromResult(new NodeView(
            typeof(MessageBroker).Assembly.GetName().Version?.ToString(3) ?? "0", _broker.StartedAtMs,
                _broker.Clients.Count, count,
            _services.Spaces.All.Sum(space => space.Addresses.Count), messages,
                segments.Sum(segment => segment.FileBytes),
            segments.Count, _services.Journal.SpaceState == SpaceState.Full, _services.StorageFailure is not null,
            _services.DamagedRecords, _services.PublishedTotal, _services.Shards.Sum(shard => shard.DeliveredTotal),
            acknowledged)
        {
            QuarantineBytes = _services.Damage.Store.Bytes,
            QuarantineDroppedTotal = _services.Damage.Store.DroppedTotal,
        });
    }

    /// <summary>The queues that the identity may view, by name.</summary>
    public async Task<IReadOnlyList<QueueView>> ListQueuesAsync(Identity who, string space)
    {
        List<QueueView> views = [];
        foreach (Queue queue in Space(space).Queues.Where(queue => May(who, Permission.View, queue))
            .OrderBy(queue => queue.Config.Name, StringComparer.Ordinal))
        {
            views.Add(await _inspection.ViewWithOldestAsync(queue).ConfigureAwait(false));
        }

        return views;
    }

    /// <summary>One queue, or null.</summary>
    public async Task<QueueView?> FindQueueAsync(Identity who, string space, string queue)
    {
        Queue? found = Space(space).FindQueue(queue);
        return found is not null && May(who, Permission.View, found)
            ? await _inspection.ViewWithOldestAsync(found).ConfigureAwait(false)
            : null;
    }

    /// <summary>The addresses that the identity may view, by name.</summary>
    public Task<IReadOnlyList<AddressView>> ListAddressesAsync(Identity who, string space) =>
        Task.FromResult<IReadOnlyList<AddressView>>([.. Space(space).Addresses
            .Where(node => _services.Authorizer.IsAllowed(
                who, Permission.View, space, new AddressName(node.Name, null)))
            .OrderBy(node => node.Name, StringComparer.Ordinal)
            .Select(node => ViewOf(space, node))]);

    /// <summary>How clients were held back by quotas, in the address spaces where the identity may view everything.
    /// </summary>
    public IReadOnlyList<ThrottleView> ListThrottles(Identity who) =>
    [
        .. _services.Quotas.Throttles().Where(view => _services.Authorizer.IsAllowed(
            who, Permission.View, view.AddressSpace, new AddressName("#", null))),
    ];

    /// <summary>The address spaces that the identity may enter, by name.</summary>
    public IReadOnlyList<string> ListSpaces(Identity who) =>
    [
        .. _services.Spaces.All.Select(space => space.Name).Where(name => Authorizer.MayEnter(who, name))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The connections in the address spaces where the identity may view everything; it needs one.</summary>
    public Task<IReadOnlyList<ConnectionView>> ListConnectionsAsync(Identity who)
    {
        string home = who.AddressSpace ?? AddressSpaces.DefaultName;
        _services.Authorizer.Authorize(who, Permission.View, home, new AddressName("#", null));
        return Task.FromResult<IReadOnlyList<ConnectionView>>([.. _broker.Clients.Where(client =>
            MayAll(who, Permission.View, client)).Select(client => new ConnectionView(
            client.Id, client.Space.Name, client.Info.Protocol, client.Info.ClientId, client.Info.Identity.Name,
            client.Info.RemoteEndPoint, client.ConsumerCount, client.ProducerCount, client.SinceMs))]);
    }

    /// <summary>The consumers of one queue, or of all.</summary>
    public async Task<IReadOnlyList<ConsumerView>> ListConsumersAsync(Identity who, string space, string? queue)
    {
        List<ConsumerView> views = [];
        IEnumerable<Queue> queues = queue is null ? Space(space).Queues : [Need(space, queue)];
        foreach (Queue one in queues.Where(one => one.Admission.Consumers > 0 && May(who, Permission.View, one)))
        {
            views.AddRange(await QueueInspection.ConsumersAsync(one).ConfigureAwait(false));
        }

        return views;
    }

    /// <summary>Looks at up to <paramref name="max"/> messages from the head, without consuming.</summary>
    public Task<IReadOnlyList<MessageView>> BrowseAsync(Identity who, string space, string queue, int max,
        string? selector)
    {
        Queue found = Need(space, queue);
        Authorize(who, Permission.Browse, found);
        return _inspection.BrowseAsync(found, max, Selector.ParseOptional(selector));
    }

    /// <summary>Removes all messages that no consumer holds; returns how many, when that is on disk.</summary>
    public async Task<long> PurgeAsync(Identity who, string space, string queue)
    {
        Queue found = Need(space, queue);
        Authorize(who, Permission.Manage, found);
        long left = Volatile.Read(ref found.Counters.Messages);
        long removed = await SkipStreamAsync(found).ConfigureAwait(false);
        while (left > 0)
        {
            (int step, long? end) = await found.Shard.Ask(shard =>
            {
                int count = found.Purge((int)Math.Min(left, PurgeStep));
                shard.Settlements.Flush(shard);
                return (count, shard.Settlements.End);
            }).ConfigureAwait(false);
            removed += step;
            left = step == 0 ? 0 : left - step;
            if (left <= 0)
            {
                await UntilDurable(end).ConfigureAwait(false);
            }
        }

        return removed;
    }

    /// <summary>Makes a queue. Errors: PreconditionFailed when it exists with other settings.</summary>
    public Task CreateQueueAsync(Identity who, string space, QueueConfig config)
    {
        Permission permission = config.Durable && !config.Temporary
            ? Permission.CreateDurableQueue
            : Permission.CreateNonDurableQueue;
        AddressName name = Checked(config);
        _services.Authorizer.Authorize(who, permission, space, name);
        _ = Selector.ParseOptional(config.Filter);
        if (config.Stream is { } stream && Space(space).FindQueue(config.Name) is null)
        {
            _services.Authorizer.Authorize(who, Permission.Consume, space, new AddressName(stream, null));
            MakeStream(who, space, stream);
        }

        Space(space).CreateQueue(config with { Owner = config.Owner ?? who.Name }, out _);
        return DurableWait.Until(_services.Journal, _services.Journal.TailPosition);
    }

    /// <summary>A queue that reads a stream goes on from another place, of one partition or of all: what was settled
    /// from there on comes again. Errors: PreconditionFailed (it reads no stream), NotFound.</summary>
    public async Task RewindQueueAsync(Identity who, string space, string queue, StreamStart start, int? partition)
    {
        Queue found = Need(space, queue);
        Authorize(who, Permission.Manage, found);
        RecordStream? stream = found.Feed is null ? null : _services.Streams[space].FindPublic(found.Feed.StreamName);
        if (stream is null)
        {
            throw new BrokerException(BrokerError.PreconditionFailed, $"queue '{queue}' reads no stream");
        }

        await MoveAsync(found, FeedPlaces.Of(stream, start, partition)).ConfigureAwait(false);
    }

    /// <summary>Deletes a queue with its messages.</summary>
    public Task DeleteQueueAsync(Identity who, string space, string queue, bool ifUnused)
    {
        Queue found = Need(space, queue);
        Authorize(who, found.IsDurable ? Permission.DeleteDurableQueue : Permission.DeleteNonDurableQueue, found);
        Space(space).DeleteQueue(found, ifUnused);
        return DurableWait.Until(_services.Journal, _services.Journal.TailPosition);
    }

    /// <summary>A paused queue takes messages but delivers none. Kept over restarts.</summary>
    public async Task SetPausedAsync(Identity who, string space, string queue, bool paused)
    {
        Queue found = Need(space, queue);
        Authorize(who, Permission.Manage, found);
        long end = Space(space).Frozen(() => found.IsDurable ? _bindings.QueuePaused(found.Id, paused) : 0);
        await found.Shard.Ask(_ =>
        {
            found.SetPaused(paused);
            return true;
        }).ConfigureAwait(false);
        await DurableWait.Until(_services.Journal, end).ConfigureAwait(false);
    }

    /// <summary>Asks a connection to close.</summary>
    public Task CloseConnectionAsync(Identity who, string connectionId)
    {
        string home = who.AddressSpace ?? AddressSpaces.DefaultName;
        _services.Authorizer.Authorize(who, Permission.Manage, home, new AddressName("#", null));
        BrokerClient client = _broker.Clients.FirstOrDefault(client =>
                client.Id == connectionId && MayAll(who, Permission.Manage, client))
            ?? throw new BrokerException(BrokerError.NotFound, $"there is no connection '{connectionId}'");
        if (ReferenceEquals(client.Info.Identity, Identity.Node))
        {
            throw new BrokerException(
                BrokerError.PreconditionFailed, $"connection '{connectionId}' is the node's own");
        }

        BrokerException reason = new(BrokerError.ResourceDeleted, "closed by an operator");
        client.Receive([new ClientEvent { Kind = EventKind.CloseRequested, Error = reason }]);
        return Task.CompletedTask;
    }

    /// <summary>Deletes an address that has no queues; its producers are closed.</summary>
    public Task DeleteAddressAsync(Identity who, string space, string address)
    {
        _services.Authorizer.Authorize(who, Permission.DeleteAddress, space, new AddressName(address, null));
        AddressNode? node = Space(space).FindAddress(address);
        if (node is null || !Space(space).DeleteAddress(address))
        {
            throw new BrokerException(BrokerError.NotFound, $"address '{address}' does not exist");
        }

        BrokerException reason = new(BrokerError.ResourceDeleted, $"address '{address}' was deleted");
        foreach (BrokerClient client in _broker.Clients)
        {
            client.Receive([new ClientEvent { Kind = EventKind.ProducerClosed, Subject = node, Error = reason }]);
        }

        return DurableWait.Until(_services.Journal, _services.Journal.TailPosition);
    }

    // What a queue has not read of its stream yet is purged by passing over it.
    private async Task<long> SkipStreamAsync(Queue queue)
    {
        RecordStream? stream = queue.Feed is null ? null
            : _services.Streams[queue.Space.Name].FindPublic(queue.Feed.StreamName);
        if (stream is null)
        {
            return 0;
        }

        long backlog = queue.Feed!.Backlog;
        await MoveAsync(queue, FeedPlaces.Of(stream, StreamStart.Next)).ConfigureAwait(false);
        return backlog;
    }

    private async Task MoveAsync(Queue queue, FeedPlaces places)
    {
        long? end = await queue.Shard.Ask(shard =>
        {
            queue.Feed!.MoveTo(places);
            shard.Settlements.Flush(shard);
            return shard.Settlements.End;
        }).ConfigureAwait(false);
        await UntilDurable(end).ConfigureAwait(false);
    }

    // The shard keeps what the log did not take for its next try, but nobody can say when that is.
    private Task UntilDurable(long? end) => end is { } position
        ? DurableWait.Until(_services.Journal, position)
        : throw new BrokerException(
            BrokerError.Unavailable, "the disk takes nothing now: what was done may not outlive the node");

    private void MakeStream(Identity who, string space, string stream)
    {
        if (_services.Streams.GetValueOrDefault(space)?.FindPublic(stream) is null)
        {
            _services.Authorizer.Authorize(who, Permission.CreateAddress, space, new AddressName(stream, null));
            Space(space).Streams.Make(stream, Space(space).SettingsOf(stream).StreamPartitions);
        }
    }

    private static AddressName Checked(QueueConfig config)
    {
        string? error = AddressName.Check(config.Name, "queue name") ?? AddressName.Check(config.Address, "address");
        return error is null
            ? new AddressName(config.Address, config.Name)
            : throw new BrokerException(BrokerError.InvalidField, error);
    }

    private static AddressView ViewOf(string space, AddressNode node)
    {
        List<RoutingType> types = [];
        if (node.IsAnycast)
        {
            types.Add(RoutingType.Anycast);
        }

        if (node.IsMulticast)
        {
            types.Add(RoutingType.Multicast);
        }

        Route route = node.Route;
        string[] queues = [.. route.Anycast.Concat(route.Multicast).Select(queue => queue.Config.Name).Order(
            StringComparer.Ordinal)];
        return new AddressView(
            space, node.Name, types, queues, Paused: false, node.IsFull, node.RoutedTotal, node.UnroutedTotal,
            node.Settings.ToSettings());
    }

    private AddressSpace Space(string name) =>
        _services.Spaces.Find(name) ?? throw new BrokerException(BrokerError.NotFound,
            $"there is no address space '{name}'");

    private Queue Need(string space, string queue) =>
        Space(space).FindQueue(queue) ?? throw new BrokerException(BrokerError.NotFound,
            $"queue '{queue}' does not exist");

    private bool MayAll(Identity who, Permission permission, BrokerClient client) =>
        _services.Authorizer.IsAllowed(who, permission, client.Space.Name, new AddressName("#", null));

    private bool May(Identity who, Permission permission, Queue queue) =>
        _services.Authorizer.IsAllowed(
            who, permission, queue.Space.Name, new AddressName(queue.Config.Address, queue.Config.Name));

    private void Authorize(Identity who, Permission permission, Queue queue) => _services.Authorizer.Authorize(
        who, permission, queue.Space.Name, new AddressName(queue.Config.Address, queue.Config.Name));
}
