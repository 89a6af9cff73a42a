using System.Collections.Concurrent;
using Pillarbox.Broker.Security;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Streams;

/// <summary>What became of a change to the catalog.</summary>
/// <param name="Error">Why nothing was changed.</param>
/// <param name="Message">A sentence for the user, with an error.</param>
/// <param name="Stream">The stream.</param>
/// <param name="DurableAt">Hand it to <see cref="StreamCatalog.WhenDurable"/> before the client is told.</param>
public readonly record struct CatalogResult(
    StreamError Error, string? Message, RecordStream? Stream, long DurableAt)
{
    internal static CatalogResult Refused(StreamError error, string message) => new(error, message, null, 0);
}

/// <summary>
/// The streams of one address space, by name and by id. Finding takes no lock; changes are rare and take the one lock
/// here,
/// under which they are written to the catalog's own partition, so that it has them in the order in which they
/// happened.
/// </summary>
public sealed class StreamCatalog
{
    /// <summary>The most partitions of one stream.</summary>
    public const int PartitionsMax = 100_000;

    private const int NameCharsMax = 249;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, RecordStream> _byName = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Guid, RecordStream> _byId = new();
    private readonly CatalogLog _log;
    private long _version;

    internal StreamCatalog(StreamServices services, string addressSpace)
    {
        Services = services;
        AddressSpace = addressSpace;
        services.Recovery.Enter(addressSpace);
        _log = new CatalogLog(services, addressSpace);
        foreach (Guid id in _log.Deleted)
        {
            services.Store.DeleteFolder(Partition.FolderOf(id));
        }

        foreach (StreamDefinition definition in _log.Read())
        {
            Recover(definition);
        }
    }

    /// <summary>The tenant whose streams these are.</summary>
    public string AddressSpace { get; }

    /// <summary>Partitions of a stream that does not say how many.</summary>
    public int PartitionsDefault { get; init; } = 1;

    /// <summary>All streams, in no order.</summary>
    public ICollection<RecordStream> All => _byName.Values;

    /// <summary>Grows with every change of the streams and their partitions.</summary>
    public long Version => Volatile.Read(ref _version);

    internal StreamServices Services { get; }

    /// <summary>Told of a stream that comes into being, with what makes it known: to be called before this returns.
    /// Null: nobody wants to hear of it.</summary>
    internal Action<RecordStream, Action>? Entering { get; set; }

    /// <summary>Told of a stream that was deleted. Null: nobody wants to hear of it.</summary>
    internal Action<RecordStream>? Left { get; set; }

    /// <summary>The stream of a name; null when there is none.</summary>
    public RecordStream? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The stream of a name when it is none of the node's own; else null.</summary>
    public RecordStream? FindPublic(string name) => Find(name) is { IsInternal: false } stream ? stream : null;

    /// <summary>The stream of an id; null when there is none, or none any more.</summary>
    public RecordStream? Find(Guid id) => _byId.GetValueOrDefault(id);

    /// <summary>What is wrong with a stream to make, as if it were made; an error of None when nothing is.</summary>
    public CatalogResult Check(StreamSpec spec)
    {
        if (CheckName(spec.Name) is { } problem)
        {
            return CatalogResult.Refused(StreamError.InvalidName, problem);
        }

        if (_byName.ContainsKey(spec.Name))
        {
            return CatalogResult.Refused(StreamError.AlreadyExists, $"stream '{spec.Name}' exists");
        }

        if (IsOwn(spec.Name) && !spec.IsInternal)
        {
            // With settings and records of others, groups and transactions would be lost in it.
            return CatalogResult.Refused(
                StreamError.InvalidName, $"'{spec.Name}' is a stream of the node's own: it makes it when it needs it");
        }

        if (spec.Partitions is 0 or < -1 or > PartitionsMax)
        {
            return CatalogResult.Refused(
                StreamError.InvalidPartitions, $"a stream has 1 to {PartitionsMax} partitions, not {spec.Partitions}");
        }

        return StreamConfig.TryMake(spec.Config, out string? wrong) is null
            ? CatalogResult.Refused(StreamError.InvalidConfig, wrong!)
            : default;
    }

    /// <summary>Makes a stream; it can be used at once. The grant is for <see cref="Permission.CreateAddress"/> on its
    /// name.</summary>
    public CatalogResult Create(in Grant grant, StreamSpec spec)
    {
        RequireGrant(grant, spec.Name);
        lock (_gate)
        {
            CatalogResult check = Check(spec);
            if (check.Error != StreamError.None)
            {
                return check;
            }

            StreamConfig config = StreamConfig.TryMake(spec.Config, out _)!;
            var stream = new RecordStream(NewId(), spec, config, Services.NowMs);
            int partitions = spec.Partitions < 0 ? PartitionsDefault : spec.Partitions;
            return Change(stream, StreamDefinition.Of(stream, partitions, config), () =>
            {
                AddPartitions(stream, partitions);
                if (Entering is { } entering)
                {
                    entering(stream, () => Enter(stream));
                }
                else
                {
                    Enter(stream);
                }
            });
        }
    }

    /// <summary>Deletes a stream with its records. The grant is for <see cref="Permission.DeleteAddress"/>.</summary>
    public CatalogResult Delete(in Grant grant, RecordStream stream)
    {
        RequireGrant(grant, stream.Name);
        lock (_gate)
        {
            if (stream.IsDeleted)
            {
                return CatalogResult.Refused(StreamError.UnknownStream, $"there is no stream '{stream.Name}'");
            }

            return Change(stream, null, () =>
            {
                stream.IsDeleted = true;
                _byName.TryRemove(stream.Name, out _);
                _byId.TryRemove(stream.Id, out _);
                foreach (Partition partition in stream.Partitions)
                {
                    partition.Delete();
                }

                Services.Store.DeleteFolder(Partition.FolderOf(stream.Id));
                Left?.Invoke(stream);
            });
        }
    }

    /// <summary>Makes it so many partitions. The grant is for <see cref="Permission.CreateAddress"/>.</summary>
    public CatalogResult SetPartitionCount(in Grant grant, RecordStream stream, int count)
    {
        RequireGrant(grant, stream.Name);
        lock (_gate)
        {
            if (count <= stream.Partitions.Count || count > PartitionsMax)
            {
                return CatalogResult.Refused(
                    StreamError.InvalidPartitions,
                    $"stream '{stream.Name}' has {stream.Partitions.Count} partitions; it can only get more, "
                    + $"{PartitionsMax} at most");
            }

            return Change(
                stream,
                StreamDefinition.Of(stream, count, stream.Config),
                () => AddPartitions(stream, count));
        }
    }

    /// <summary>What is wrong with settings for a stream; an error of None when nothing is.</summary>
    public static CatalogResult CheckConfig(RecordStream stream, IReadOnlyDictionary<string, string> given) =>
        ConfigOf(stream, given, out string? problem) is null
            ? CatalogResult.Refused(StreamError.InvalidConfig, problem!)
            : default;

    /// <summary>Replaces the settings that were given. The grant is for <see cref="Permission.Edit"/>.</summary>
    public CatalogResult SetConfig(in Grant grant, RecordStream stream, IReadOnlyDictionary<string, string> given)
    {
        RequireGrant(grant, stream.Name);
        if (ConfigOf(stream, given, out string? problem) is not { } config)
        {
            return CatalogResult.Refused(StreamError.InvalidConfig, problem!);
        }

        lock (_gate)
        {
            return Change(
                stream,
                StreamDefinition.Of(stream, stream.Partitions.Count, config),
                () => stream.SetConfig(config));
        }
    }

    /// <summary>Deletes the records below an offset; -1 = all that can be read. The grant is for
    /// <see cref="Permission.Manage"/>.</summary>
    public CatalogResult DeleteRecords(in Grant grant, Partition partition, long beforeOffset)
    {
        RecordStream stream = partition.Stream;
        RequireGrant(grant, stream.Name);
        lock (_gate)
        {
            long before = beforeOffset < 0 ? partition.HighWatermark : beforeOffset;
            if (beforeOffset < -1 || before > partition.HighWatermark)
            {
                return CatalogResult.Refused(
                    StreamError.OffsetOutOfRange, $"the partition's records end at {partition.HighWatermark}");
            }

            try
            {
                long durableAt = _log.AppendStart(stream.Id, partition.Number, before);
                partition.SetStart(before);
                return new CatalogResult(StreamError.None, null, stream, durableAt);
            }
            catch (StorageException error)
            {
                return CatalogResult.Refused(StreamErrors.Of(error), error.Message);
            }
        }
    }

    /// <summary>Calls the waiter once, when a change is durable.</summary>
    public void WhenDurable(long durableAt, IDurableWaiter waiter) => _log.WhenDurable(durableAt, waiter);

    /// <summary>Keeps the catalog's log short. Throws <see cref="StorageException"/>.</summary>
    internal void Shorten()
    {
        lock (_gate)
        {
            _log.Shorten(All);
        }
    }

    /// <summary>Whether a name is that of one of the node's own streams, there or not: only the node makes those.
    /// </summary>
    public static bool IsOwn(string name) => OwnStreams.Names.Contains(name);

    /// <summary>What is wrong with a name; null when nothing is.</summary>
    public static string? CheckName(string name)
    {
        if (name.Length is 0 or > NameCharsMax || name is "." or "..")
        {
            return $"a stream's name has 1 to {NameCharsMax} characters, and is not '.' or '..'";
        }

        return name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            ? null
            : $"the name '{name}' may hold only letters, digits, '.', '_' and '-'";
    }

    private static StreamConfig? ConfigOf(
        RecordStream stream, IReadOnlyDictionary<string, string> given, out string? problem)
    {
        problem = null;
        IReadOnlyDictionary<string, string>? all = stream.IsInternal
            ? OwnStreams.Apply(stream.Name, given, out problem)
            : given;
        return all is null ? null : StreamConfig.TryMake(all, out problem);
    }

    private static void RequireGrant(in Grant grant, string name) =>
        Model.Invariant.That(grant.Address == name, "the grant is for this stream");

    private CatalogResult Change(RecordStream stream, StreamDefinition? definition, Action apply)
    {
        if (stream.IsDeleted)
        {
            return CatalogResult.Refused(StreamError.UnknownStream, $"there is no stream '{stream.Name}'");
        }

        try
        {
            long durableAt = _log.Append(stream.Id, definition);
            apply();
            Interlocked.Increment(ref _version);
            return new CatalogResult(StreamError.None, null, stream, durableAt);
        }
        catch (StorageException error)
        {
            return CatalogResult.Refused(StreamErrors.Of(error), error.Message);
        }
    }

    private void Recover(StreamDefinition definition)
    {
        var spec = new StreamSpec { Name = definition.Name, IsInternal = definition.IsInternal };
        StreamConfig config = StreamConfig.TryRead(definition.Config, out _) ?? StreamConfig.Default;
        var stream = new RecordStream(definition.Id, spec, config, definition.CreatedAtMs);
        AddPartitions(stream, definition.Partitions);
        foreach (Partition partition in stream.Partitions)
        {
            partition.SetStart(_log.StartOf(stream.Id, partition.Number));
        }

        Enter(stream);
    }

    private void Enter(RecordStream stream)
    {
        _byId[stream.Id] = stream;
        _byName[stream.Name] = stream;
    }

    private void AddPartitions(RecordStream stream, int count)
    {
        var partitions = new Partition[count];
        for (int number = 0; number < count; number++)
        {
            partitions[number] = stream.FindPartition(number)
                ?? Partition.Open(stream, number, Services);
        }

        stream.SetPartitions(partitions);
    }

    private Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        do
        {
            Services.Random.Fill(bytes);
        }
        while (_byId.ContainsKey(new Guid(bytes)) || new Guid(bytes) == Guid.Empty);

        return new Guid(bytes);
    }
}
