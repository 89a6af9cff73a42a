using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams;
using Pillarbox.Storage;
using Pillarbox.Storage.Partitions;

namespace Pillarbox.Broker;

/// <summary>How a broker comes up: opens its files, then takes back what they hold.</summary>
internal static class BrokerStart
{
    private const int ShardsMax = 16;

    public static BrokerServices OpenServices(BrokerOptions options)
    {
        string root = options.DataDirectory.TrimEnd('/');
        LogOptions journal = new()
        {
            SegmentBytes = options.SegmentBytes,
            BlockBytes = Math.Min(options.SegmentBytes, 1 << 20),
            CacheBytes = options.CacheBytes / 2,
            OwnThread = options.OwnThreads,
            ZeroFill = options.FileSystem is not MemoryFileSystem,
        };
        LogOptions transient = journal with { Mode = LogMode.Spill };
        BrokerServices services = new()
        {
            Options = options,
            Journal = SegmentedLog.Open(options.FileSystem, $"{root}/{DataLayout.Journal}", journal),
            Transient = SegmentedLog.Open(options.FileSystem, $"{root}/{DataLayout.Spill}", transient),
            Blobs = BlobStore.Open(options.FileSystem, $"{root}/{DataLayout.Large}"),
            Logger = options.LoggerFactory.CreateLogger("Pillarbox.Broker"),
            Authorizer = AuthorizerOf(options, options.Security),
            Settings = new SettingsTree(options.AddressSettings),
            SpaceSettings = options.AddressSpaces.ToDictionary(
                space => space.Key, space => Merged(options.AddressSettings, space.Value.AddressSettings)),
            StreamServices = OpenStreams(options, $"{root}/{DataLayout.Streams}"),
        };
        int shards = Math.Clamp(options.Shards == 0 ? Environment.ProcessorCount : options.Shards, 1, ShardsMax);
        services.Shards = [.. Enumerable.Range(0, shards).Select(index => new Shard(services, index))];
        return services;
    }

    private static void RecoverStreams(BrokerServices services)
    {
        StreamServices streams = services.StreamServices;
        StreamCheckpoint checkpoint = StreamCheckpoint.Read(streams.Store.FileSystem, streams.CheckpointDirectory);
        foreach (string damaged in checkpoint.Damaged)
        {
            services.CountDamage();
            BrokerLog.FileSetAside(services.Logger, damaged);
        }

        streams.Checkpoint = checkpoint;
        streams.CheckpointNumber = checkpoint.Number;
        foreach (AddressSpace space in services.Spaces.All)
        {
            services.Streams.Add(space.Name, new StreamCatalog(streams, space.Name));
        }

        streams.Checkpoint = null;
        streams.Store.EndRecovery();
        streams.Recovery.Log(streams.Logger, services.Streams.Values.Sum(catalog => catalog.All.Count));
        services.StreamUpkeep = new StreamUpkeep(streams, services.Streams.Values);
        services.StreamUpkeep.WriteCheckpoint(isClean: false);
    }

    private static StreamServices OpenStreams(BrokerOptions options, string directory) => new()
    {
        CheckpointDirectory = directory + "/checkpoints",
        Store = PartitionStore.Open(options.FileSystem, directory, new PartitionStoreOptions
        {
            CacheBytes = options.StreamCacheBytes,
            OpenFilesMax = options.StreamOpenFilesMax,
            OwnThread = options.OwnThreads,
        }),
        Time = options.Time,
        Random = options.Random,
        Logger = options.LoggerFactory.CreateLogger("Pillarbox.Broker.Streams"),
        Deadlines = new ReadDeadlines(options.Time, options.OwnThreads),
    };

    public static void Recover(BrokerServices services, BindingJournal bindings)
    {
        services.Spaces = new AddressSpaces();
        foreach (string name in services.Options.AddressSpaces.Keys.Prepend(AddressSpaces.DefaultName).Distinct())
        {
            services.Spaces.Add(new AddressSpace(name, services, bindings));
        }

        Recovery recovery = new(services, bindings);
        long from = ReadSnapshot(services, bindings, recovery);
        RecoveryReport report = services.Journal.Replay(from, recovery);
        long messages = recovery.Finish();
        DeleteOrphans(services);
        RecoverStreams(services);
        services.StreamCommits.Recover(recovery.Decided);
        foreach (LogDamage damage in report.Damages)
        {
            services.CountDamage();
            BrokerLog.JournalDamage(services.Logger, damage.Position, damage.Length, damage.Segment, damage.Reason);
        }

        foreach (string file in report.Quarantined)
        {
            BrokerLog.FileSetAside(services.Logger, file);
        }

        BrokerLog.Recovered(services.Logger, messages, recovery.Queues, report.Records, report.TornBytes);
    }

    /// <summary>The node's permissions, and those of the spaces that have their own; null: development mode.</summary>
    public static Authorizer AuthorizerOf(BrokerOptions options, SecurityConfig? security) =>
        new(security, options.AddressSpaces
            .Where(space => security is not null && space.Value.Security is not null)
            .ToDictionary(space => space.Key, space => space.Value.Security));

    private static SettingsTree Merged(
        IReadOnlyDictionary<string, AddressSettings> node, IReadOnlyDictionary<string, AddressSettings> own)
    {
        Dictionary<string, AddressSettings> merged = new(node);
        foreach ((string pattern, AddressSettings settings) in own)
        {
            merged[pattern] = settings;
        }

        return new SettingsTree(merged);
    }

    /// <summary>Takes the newest good snapshot in; returns where the journal goes on.</summary>
    private static long ReadSnapshot(BrokerServices services, BindingJournal bindings, Recovery recovery)
    {
        string directory = services.Options.DataDirectory.TrimEnd('/') + "/" + DataLayout.Snapshots;
        services.Options.FileSystem.CreateDirectory(directory);
        SnapshotSearch search = SnapshotFile.OpenNewest(services.Options.FileSystem, directory);
        foreach (string damaged in search.Damaged)
        {
            services.CountDamage();
            BrokerLog.FileSetAside(services.Logger, damaged);
        }

        if (search.Reader is null)
        {
            return 0;
        }

        using SnapshotReader reader = search.Reader;
        new SnapshotImport(reader, recovery, bindings, services).Run();
        return reader.Position;
    }

    private static void DeleteOrphans(BrokerServices services)
    {
        ICollection<long> known = services.Large.Blobs;
        foreach (long id in services.Blobs.ListIds().Where(id => !known.Contains(id)))
        {
            services.Blobs.Delete(id);
        }
    }
}
