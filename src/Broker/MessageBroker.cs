using System.Collections.Concurrent;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Quotas;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Storage;

namespace Pillarbox.Broker;

/// <summary>What a broker is made of: its seams and limits. Immutable.</summary>
public sealed record BrokerOptions
{
    /// <summary>The disk; a <see cref="MemoryFileSystem"/> makes a node without one.</summary>
    public required IFileSystem FileSystem { get; init; }

    /// <summary>The data directory.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Randomness.</summary>
    public IRandom Random { get; init; } = SystemRandom.Instance;

    /// <summary>Shards; 0 = one per processor, at most 16.</summary>
    public int Shards { get; init; }

    /// <summary>Bytes of bodies kept in memory (journal cache plus transient messages). Default 64 MiB.</summary>
    public long CacheBytes { get; init; } = 64L << 20;

    /// <summary>Journal segment size in bytes.</summary>
    public int SegmentBytes { get; init; } = 64 << 20;

    /// <summary>Payloads above this go to a file of their own.</summary>
    public int LargeMessageBytesMin { get; init; } = 256 << 10;

    /// <summary>Most bytes that one transaction may hold in memory.</summary>
    public int TransactionBytesMax { get; init; } = 32 << 20;

    /// <summary>How long a branch of a distributed transaction may take from its start to its preparation, in
    /// milliseconds; beyond, it is rolled back. Prepared branches wait for ever. Default 300,000.</summary>
    public int XaTimeoutMs { get; init; } = 300_000;

    /// <summary>Credit of one producer: messages under way that are not yet acknowledged.</summary>
    public int ProducerCredit { get; init; } = 1000;

    /// <summary>Bytes that one connection may have published while the log takes nothing, before it reads no more of
    /// its peer (or, on a full disk, refuses more). Default 32 MiB.</summary>
    public int StalledBytesMax { get; init; } = 32 << 20;

    /// <summary>Bytes of the journal that may wait for the disk before it takes no more. Producers' credit is withheld
    /// at a quarter of the default. Default 256 MiB.</summary>
    public long PendingBytesMax { get; init; } = 256L << 20;

    /// <summary>A snapshot of the index is written when the journal has grown by so many bytes (and by four times the
    /// last snapshot). Default 64 MiB: dead segments then come back soon enough to be overwritten instead of new ones
    /// being filled, which the disk does at a fraction of the speed.</summary>
    public long SnapshotBytesMin { get; init; } = 64L << 20;

    /// <summary>Bytes of the newest records of streams that are kept in memory. Default 64 MiB.</summary>
    public long StreamCacheBytes { get; init; } = 64L << 20;

    /// <summary>Segment files of streams that are kept open. Default 512.</summary>
    public int StreamOpenFilesMax { get; init; } = 512;

    /// <summary>Keys of one partition that one round of compaction remembers, at about 70 bytes each; what does not fit
    /// has its turn in the next one. Default 1,500,000.</summary>
    public int StreamCompactionKeysMax { get; init; } = 1_500_000;

    /// <summary>Limits and defaults of groups, transactions and share groups, in each address space.</summary>
    public CoordinatorOptions Coordinators { get; init; } = new();

    /// <summary>How much of what is damaged is kept.</summary>
    public Storage.Quarantine.QuarantineLimits Quarantine { get; init; } = new();

    /// <summary>Own threads and timers (false: a simulation pumps by hand with <see
    /// cref="MessageBroker.Pump"/>).</summary>
    public bool OwnThreads { get; init; } = true;

    /// <summary>Address settings by pattern.</summary>
    public IReadOnlyDictionary<string, AddressSettings> AddressSettings { get; init; } =
        new Dictionary<string, AddressSettings>();

    /// <summary>Address spaces (tenants) by name, beside <c>default</c>, which is always there.</summary>
    public IReadOnlyDictionary<string, AddressSpaceOptions> AddressSpaces { get; init; } =
        new Dictionary<string, AddressSpaceOptions>();

    /// <summary>Readers of properties, one per payload format.</summary>
    public IReadOnlyList<IPropertyReader> PropertyReaders { get; init; } = [];

    /// <summary>Maps between payload formats, one per format.</summary>
    public IReadOnlyList<IContentMap> ContentMaps { get; init; } = [];

    /// <summary>The largest payload that is converted to another format, in bytes: it is held in memory whole. One
    /// that is larger is refused to the consumer as undeliverable there. Default 64 MiB.</summary>
    public int ConvertedBytesMax { get; init; } = 64 << 20;

    /// <summary>Mergers of consumers' annotations, one per payload format.</summary>
    public IReadOnlyList<IAnnotationMerger> AnnotationMergers { get; init; } = [];

    /// <summary>Users, roles and permissions; null: everybody may do everything (development mode).</summary>
    public SecurityConfig? Security { get; init; }

    /// <summary>Where the broker reports (recovery damage, quarantine, dead letters dropped); never null.</summary>
    public Microsoft.Extensions.Logging.ILoggerFactory LoggerFactory { get; init; } =
        Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance;
}

/// <summary>
/// The protocol-blind heart: address spaces, addresses, queues on one journal. Thread-safe where it says so.
/// Start reading here; <see cref="BrokerClient"/> is the waist that every protocol uses.
/// </summary>
public sealed class MessageBroker : IDisposable
{
    private const int TickMs = 50;
    private const int TicksPerSweep = 10;
    private readonly BrokerServices _services;
    private readonly IDisposable _directoryLock;
    // By number, so that a seeded run goes through them in the same order each time.
    private readonly ConcurrentDictionary<long, BrokerClient> _clients = new();
    private readonly ConcurrentDictionary<long, BrokerClient> _lingering = new();
    private readonly Upkeep _upkeep;
    private readonly BrokerMetrics _metrics;
    private readonly Dictionary<string, FirstUse<StreamCoordinators>> _coordinators = [];
    private ITimer? _timer;
    private ITimer? _streamTimer;
    private long _connections;
    private int _ticking;
    private long _ticks;
    private volatile bool _isStopping;
    private bool _isDisposed;

    private MessageBroker(BrokerServices services, BindingJournal bindings, IDisposable directoryLock)
    {
        _services = services;
        _directoryLock = directoryLock;
        _upkeep = new Upkeep(services, bindings);
        Management = new BrokerManagement(this, services, bindings);
        StreamManagement = new StreamManagement(this);
        GroupManagement = new GroupManagement(this);
        AccessManagement = new AccessManagement(services);
        _metrics = new BrokerMetrics(services, () => _clients.Count, GroupManagement.OffsetMemory);
        foreach ((string space, StreamCatalog streams) in services.Streams)
        {
            var deadLetters = new ShareDeadLetters(services.Spaces.Find(space)!, services);
            _coordinators[space] = new(() => StreamCoordinators.Open(
                streams, Authorizer, services.Options.Coordinators, deadLetters.Keep));
        }

        services.MarkerWritten = OnMarker;

        services.CoordinatorsOf = CoordinatorsOf;
        StartedAtMs = services.NowMs;
    }

    /// <summary>Views and operations for operators. Any thread.</summary>
    public BrokerManagement Management { get; }

    /// <summary>The same of streams. Any thread.</summary>
    public StreamManagement StreamManagement { get; }

    /// <summary>The same of the groups that read streams. Any thread.</summary>
    public GroupManagement GroupManagement { get; }

    /// <summary>The same of access rules and quotas. Any thread.</summary>
    public AccessManagement AccessManagement { get; }

    /// <summary>The streams of the default address space. Any thread.</summary>
    public StreamCatalog Streams => _services.Streams[AddressSpaces.DefaultName];

    /// <summary>The coordinators of groups and transactions over <see cref="Streams"/>: see <see
    /// cref="CoordinatorsOf"/>.</summary>
    public StreamCoordinators Coordinators => CoordinatorsOf(AddressSpaces.DefaultName);

    /// <summary>Checks every permission.</summary>
    public Authorizer Authorizer => _services.Authorizer;

    /// <summary>Who may take how much a second. Any thread.</summary>
    public QuotaStore Quotas => _services.Quotas;

    /// <summary>Limits and defaults of the coordinators of every address space. Immutable.</summary>
    public CoordinatorOptions CoordinatorLimits => _services.Options.Coordinators;

    /// <summary>Whether it has threads of its own (see <see cref="BrokerOptions.OwnThreads"/>). Any thread.</summary>
    public bool OwnThreads => _services.Options.OwnThreads;

    /// <summary>The coordinators that somebody has used since start, by address space. Any thread.</summary>
    internal IEnumerable<KeyValuePair<string, StreamCoordinators>> CoordinatorsInUse =>
        from coordinators in _coordinators
        where coordinators.Value.IsMade
        orderby coordinators.Key
        select KeyValuePair.Create(coordinators.Key, coordinators.Value.Value);

    internal long StartedAtMs { get; }

    internal ICollection<BrokerClient> Clients => _clients.Values;

    /// <summary>Opens the data directory, recovers, and is ready when it returns. Errors: <see
    /// cref="StorageException"/> with what to do.</summary>
    public static MessageBroker Open(BrokerOptions options)
    {
        IFileSystem files = options.FileSystem;
        files.CreateDirectory(options.DataDirectory);
        IDisposable directoryLock = files.LockDirectory(options.DataDirectory);
        BrokerServices? services = null;
        try
        {
            services = BrokerStart.OpenServices(options);
            BindingJournal bindings = new(services.Journal);
            BrokerStart.Recover(services, bindings);
            MessageBroker broker = new(services, bindings, directoryLock);
            broker.Start();
            return broker;
        }
        catch
        {
            services?.Close();
            directoryLock.Dispose();
            throw;
        }
    }

    /// <summary>The address spaces that have a queue of a name. Any thread.</summary>
    public IReadOnlyList<string> SpacesWith(string queue) =>
        [.. _services.Spaces.All.Where(space => space.FindQueue(queue) is not null).Select(space => space.Name)];

    /// <summary>The streams of an address space; null when there is no such space. Any thread.</summary>
    public StreamCatalog? StreamsOf(string addressSpace) => _services.Streams.GetValueOrDefault(addressSpace);

    /// <summary>The coordinators of groups and transactions of an address space, which must exist; made with the first
    /// use. Any thread. Errors: <see cref="BrokerException"/> when there is no room for their streams.</summary>
    public StreamCoordinators CoordinatorsOf(string addressSpace) => _coordinators[addressSpace].Value;

    /// <summary>A connection's handle; any thread. Errors: NotFound (address space), Unauthorized (the user belongs to
    /// another), Unavailable (stopping).</summary>
    public BrokerClient Connect(ClientInfo info, IWakeable wakeable)
    {
        if (_isStopping)
        {
            throw new BrokerException(BrokerError.Unavailable, "the node is stopping");
        }

        AddressSpace space = _services.Spaces.Find(info.AddressSpace)
            ?? throw new BrokerException(BrokerError.NotFound, $"there is no address space '{info.AddressSpace}'");
        if (!Authorizer.MayEnter(info.Identity, space.Name))
        {
            throw new BrokerException(BrokerError.Unauthorized,
                $"user \"{info.Identity.Name}\" does not belong to the address space '{space.Name}'");
        }

        BrokerClient client = new(this, _services, space, info, wakeable)
        {
            Number = Interlocked.Increment(ref _connections),
        };
        _clients[client.Number] = client;
        return client;
    }

    /// <summary>Commits of a client that has gone may be under way still: completes when none are; null: there are
    /// none now. Who takes up what an older connection of the client kept waits for it. Any thread.</summary>
    public Task? WhenEnded(string addressSpace, string clientId)
    {
        foreach ((_, BrokerClient client) in _lingering)
        {
            if (client.Info.ClientId == clientId && client.Info.AddressSpace == addressSpace)
            {
                return client.Ended;
            }
        }

        return null;
    }

    /// <summary>Stops taking connections, asks clients to close, waits until they have or <paramref name="timeout"/> is
    /// over.</summary>
    public async Task DrainAsync(TimeSpan timeout)
    {
        _isStopping = true;
        AskToClose(new BrokerException(BrokerError.Unavailable, "the node is stopping"));
        long until = _services.NowMs + (long)timeout.TotalMilliseconds;
        while (!_clients.IsEmpty && _services.NowMs < until)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), _services.Options.Time).ConfigureAwait(false);
        }
    }

    /// <summary>From now on these permissions hold: clients that are connected are asked to close and to log in. Throws
    /// <see cref="BrokerException"/> InvalidField.</summary>
    public void Secure(SecurityConfig security)
    {
        _services.Authorizer = BrokerStart.AuthorizerOf(_services.Options, security, _services.Rules);
        AskToClose(new BrokerException(BrokerError.Unavailable, "the node has users now: log in"));
    }

    /// <summary>With OwnThreads false: one round of flushing, timers and shards on this thread.</summary>
    public void Pump()
    {
        _services.Journal.Flush();
        _services.Transient.Flush();
        _services.StreamServices.Store.Flush();
        Tick();
        _services.StreamServices.Deadlines.Tick();
        _services.StreamUpkeep.Run();
        _services.Journal.Flush();
    }

    /// <summary>Writes the last snapshot, closes the files, gives the directory free.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _isStopping = true;
        _timer?.Dispose();
        _metrics.Dispose();
        foreach ((_, BrokerClient client) in _clients)
        {
            client.Dispose();
        }

        WriteLastSnapshot();
        _streamTimer?.Dispose();
        WriteLastCheckpoint();
        _services.Close();
        _directoryLock.Dispose();
    }

    /// <summary>A client has gone; when it lingers, commits of it are still under way.</summary>
    internal void Leave(BrokerClient client, bool lingers)
    {
        _clients.TryRemove(client.Number, out _);
        if (lingers)
        {
            client.BeginLingering();
            _lingering[client.Number] = client;
        }
        else
        {
            _services.Marks.Remove(client.Mark);
        }
    }

    internal void AskToClose(BrokerException reason)
    {
        foreach ((_, BrokerClient client) in _clients)
        {
            client.Receive([new ClientEvent { Kind = EventKind.CloseRequested, Error = reason }]);
        }
    }

    /// <summary>A clean stop leaves a snapshot, so the next start has little to replay.</summary>
    private void WriteLastSnapshot()
    {
        try
        {
            if (_services.StorageFailure is null)
            {
                _upkeep.WriteSnapshotAsync().GetAwaiter().GetResult();
            }
        }
        catch (StorageException e)
        {
            BrokerLog.SnapshotFailed(_services.Logger, e);
        }
    }

    /// <summary>A clean stop leaves a checkpoint of the streams, so the next start reads none of their
    /// records.</summary>
    private void WriteLastCheckpoint()
    {
        try
        {
            _services.StreamUpkeep.WriteCheckpoint(isClean: true);
        }
        catch (StorageException e)
        {
            BrokerLog.SnapshotFailed(_services.Logger, e);
        }
    }

    private void Start()
    {
        foreach (Queues.Queue queue in _services.Spaces.All.SelectMany(space => space.Queues))
        {
            queue.Feed?.Begin();
        }

        foreach (Addresses.AddressSpace space in _services.Spaces.All)
        {
            space.RecoverReaders();
        }

        _services.Journal.Failed = OnStorageFailed;
        _services.Journal.SpaceStateChanged = OnSpaceChanged;
        _services.StreamServices.Store.Failed = OnStorageFailed;
        _services.StreamServices.Store.SpaceStateChanged = OnSpaceChanged;
        if (_services.Options.OwnThreads)
        {
            TimeSpan period = TimeSpan.FromMilliseconds(TickMs);
            _timer = _services.Options.Time.CreateTimer(_ => Tick(), null, period, period);
            period *= TicksPerSweep;
            _streamTimer = _services.Options.Time.CreateTimer(_ => _services.StreamUpkeep.Run(), null, period, period);
        }

        foreach ((string space, StreamCatalog streams) in _services.Streams)
        {
            if (StreamCoordinators.AreInUse(streams))
            {
                // Transactions that were decided before the last stop are carried out, also when nobody comes back.
                _ = CoordinatorsOf(space);
            }
        }
    }

    /// <summary>Offsets of groups that were a part of a transaction count from now on, or never.</summary>
    private void OnMarker(Partition partition, long producerId, bool isCommit)
    {
        if (partition.Stream.Name != StreamCoordinators.OffsetsStream)
        {
            return;
        }

        foreach ((string space, FirstUse<StreamCoordinators> coordinators) in _coordinators)
        {
            if (coordinators.IsMade && _services.Streams[space].Find(partition.Stream.Id) is not null)
            {
                var producer = new ProducerStamp(producerId, StreamCommits.Epoch);
                coordinators.Value.Groups.EndTransaction(partition.Number, producer, isCommit);
            }
        }
    }

    private void Tick()
    {
        if (Interlocked.Exchange(ref _ticking, 1) != 0)
        {
            return;
        }

        foreach (Shard shard in _services.Shards)
        {
            shard.Post(new ShardOp { Kind = OpKind.Tick });
        }

        foreach ((_, BrokerClient client) in _clients)
        {
            if (client.IsHeldBack)
            {
                client.Poke();
            }
        }

        foreach ((_, BrokerClient client) in _lingering)
        {
            if (client.Linger())
            {
                _lingering.TryRemove(client.Number, out _);
                _services.Marks.Remove(client.Mark);
                client.HasEnded();
            }
        }

        foreach ((_, FirstUse<StreamCoordinators> coordinators) in _coordinators)
        {
            if (coordinators.IsMade)
            {
                coordinators.Value.Tick();
            }
        }

        if (++_ticks % TicksPerSweep == 0)
        {
            _services.StreamCommits.Tick();
            UnusedQueues.Sweep(_services);
            TimeOutBranches();
            _ = _upkeep.RunAsync();
        }

        Volatile.Write(ref _ticking, 0);
    }

    private void TimeOutBranches()
    {
        if (_services.Xa.HasBranches)
        {
            foreach (BrokerClient owner in _services.Xa.MarkTimedOut(_services.NowMs - _services.Options.XaTimeoutMs))
            {
                owner.OnXaTimedOut();
            }
        }
    }

    private void OnStorageFailed(StorageFailedException failure)
    {
        _services.StorageFailure = failure;
        BrokerLog.StorageFailed(_services.Logger, failure);
        AskToClose(new BrokerException(BrokerError.Unavailable, failure.Message));
    }

    private void OnSpaceChanged(SpaceState state)
    {
        if (state == SpaceState.Full)
        {
            BrokerLog.DiskFull(_services.Logger);
        }
        else
        {
            BrokerLog.DiskResumed(_services.Logger);
        }
    }
}
