using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Damage;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Quotas;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams;
using Pillarbox.Storage;
using Pillarbox.Storage.Partitions;
using Pillarbox.Storage.Quarantine;

namespace Pillarbox.Broker;

/// <summary>How a broker comes up: opens its files, then takes back what they hold.</summary>
internal static class BrokerStart
{
    private const int ShardsMax = 16;

    /// <summary>Messages that are not durable may take so many bytes beyond the cache before appends wait.</summary>
    private const long TransientPendingBytesMax = 96 << 20;

    public static BrokerServices OpenServices(BrokerOptions options)
    {
        string root = options.DataDirectory.TrimEnd('/');
        LogOptions journal = new()
        {
            SegmentBytes = options.SegmentBytes,
            BlockBytes = Math.Min(options.SegmentBytes, 1 << 20),
            CacheBytes = options.CacheBytes / 2,
            PendingBytesMax = options.PendingBytesMax,
            OwnThread = options.OwnThreads,
            ZeroFill = options.FileSystem is not MemoryFileSystem,
        };
        AccessRuleStore rules = AccessRuleStore.Open(options.FileSystem, root);
        LogOptions transient = journal with { Mode = LogMode.Spill, PendingBytesMax = TransientPendingBytesMax };
        ILogger logger = options.LoggerFactory.CreateLogger("Pillarbox.Broker");
        BrokerServices services = new()
        {
            Options = options,
            Journal = SegmentedLog.Open(options.FileSystem, $"{root}/{DataLayout.Journal}", journal),
            Transient = SegmentedLog.Open(options.FileSystem, $"{root}/{DataLayout.Spill}", transient),
            Blobs = BlobStore.Open(options.FileSystem, $"{root}/{DataLayout.Large}"),
            Identity = StoreIdentity.Open(options.FileSystem, root, options.Random),
            Run = StoreIdentity.Draw(options.Random),
            Logger = logger,
            Damage = new DamageKeeper(
                QuarantineStore.Open(
                    options.FileSystem, $"{root}/{DataLayout.Quarantine}", options.Quarantine, options.Time),
                logger),
            Authorizer = AuthorizerOf(options, options.Security, rules),
            Rules = rules,
            Quotas = QuotaStore.Open(
                options.FileSystem, root, options.AddressSpaces.Keys.Prepend(AddressSpaces.DefaultName).Distinct()),
            Settings = new SettingsTree(options.AddressSettings),
            SpaceSettings = options.AddressSpaces.ToDictionary(
                space => space.Key, space => Merged(options.AddressSettings, space.Value.AddressSettings)),
            StreamServices = OpenStreams(options, root),
        };
        int shards = Math.Clamp(options.Shards == 0 ? Environment.ProcessorCount : options.Shards, 1, ShardsMax);
        services.Shards = [.. Enumerable.Range(0, shards).Select(index => new Shard(services, index))];
        return services;
    }

    private static void RecoverStreams(BrokerServices services, StartDamage damage)
    {
        StreamServices streams = services.StreamServices;
        StreamCheckpoint checkpoint = StreamCheckpoint.Read(streams.Store.FileSystem, streams.CheckpointDirectory);
        foreach (string damaged in checkpoint.Damaged)
        {
            services.CountDamage();
            BrokerLog.FileSetAside(services.Logger, damaged);
            NoteDamaged(damage, DataLayout.Checkpoints, damaged);
        }

        streams.Checkpoint = checkpoint;
        streams.CheckpointNumber = checkpoint.Number;
        foreach (AddressSpace space in services.Spaces.All)
        {
            services.Streams.Add(space.Name, new StreamCatalog(streams, space.Name)
            {
                Entering = space.StreamMade,
                Left = space.StreamGone,
            });
        }

        streams.Checkpoint = null;
        streams.Store.EndRecovery();
        streams.Recovery.Log(streams.Logger, services.Streams.Values.Sum(catalog => catalog.All.Count), damage);
        services.StreamUpkeep = new StreamUpkeep(streams, services.Streams.Values);
        services.StreamUpkeep.WriteCheckpoint(isClean: false);
    }

    private static StreamServices OpenStreams(BrokerOptions options, string root) => new()
    {
        CheckpointDirectory = $"{root}/{DataLayout.Checkpoints}",
        Store = PartitionStore.Open(options.FileSystem, $"{root}/{DataLayout.Streams}", new PartitionStoreOptions
        {
            CacheBytes = options.StreamCacheBytes,
            OpenFilesMax = options.StreamOpenFilesMax,
            OwnThread = options.OwnThreads,
        }),
        CompactionKeysMax = options.StreamCompactionKeysMax,
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
        string root = services.Options.DataDirectory.TrimEnd('/');
        StartDamage set = new(services.Damage, services.Options.FileSystem, root);
        long from = ReadSnapshot(services, bindings, recovery, set);
        RecoveryReport report = services.Journal.Replay(from, recovery);
        long messages = recovery.Finish();
        recovery.MergeNotes();
        DeleteOrphans(services, recovery, report.Damages.Count + report.Quarantined.Count > 0, set);
        RecoverStreams(services, set);
        services.StreamCommits.Recover(recovery.Decided);
        foreach (LogDamage damage in report.Damages)
        {
            services.CountDamage();
            BrokerLog.JournalDamage(services.Logger, damage.Position, damage.Length, damage.Segment, damage.Reason);
            set.Keep(services.Journal, damage);
        }

        foreach (string file in report.Quarantined)
        {
            services.CountDamage();
            BrokerLog.FileSetAside(services.Logger, file);
            set.Note(DataLayout.Journal, file, "the header of the file cannot be read");
        }

        set.TakeFiles(services.Streams.Values);
        BrokerLog.Recovered(services.Logger, messages, recovery.Queues, report.Records, report.TornBytes);
    }

    /// <summary>The node's permissions, and those of the spaces that have their own; null: development mode.</summary>
    public static Authorizer AuthorizerOf(BrokerOptions options, SecurityConfig? security, AccessRuleStore rules) =>
        new(security, options.AddressSpaces
            .Where(space => security is not null && space.Value.Security is not null)
            .ToDictionary(space => space.Key, space => space.Value.Security), rules);

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
    private static long ReadSnapshot(
        BrokerServices services, BindingJournal bindings, Recovery recovery, StartDamage damage)
    {
        string directory = services.Options.DataDirectory.TrimEnd('/') + "/" + DataLayout.Snapshots;
        services.Options.FileSystem.CreateDirectory(directory);
        SnapshotSearch search = SnapshotFile.OpenNewest(services.Options.FileSystem, directory);
        foreach (string damaged in search.Damaged)
        {
            services.CountDamage();
            BrokerLog.FileSetAside(services.Logger, damaged);
            NoteDamaged(damage, DataLayout.Snapshots, damaged);
        }

        if (search.Reader is null)
        {
            return 0;
        }

        using SnapshotReader reader = search.Reader;
        new SnapshotImport(reader, recovery, bindings, services).Run();
        return reader.Position;
    }

    /// <summary>The search says "file: what is wrong with it".</summary>
    private static void NoteDamaged(StartDamage damage, string folder, string damaged)
    {
        string[] parts = damaged.Split(": ", 2);
        damage.Note(folder, parts[0], parts[^1]);
    }

    /// <summary>Bodies that nothing refers to: of a publish that did not come so far, or, when the journal has damage,
    /// perhaps of a message whose record cannot be read.</summary>
    private static void DeleteOrphans(BrokerServices services, Recovery recovery, bool hasDamage, StartDamage damage)
    {
        HashSet<long> known = [.. services.Large.Blobs, .. recovery.Xa.Blobs()];
        foreach (long id in services.Blobs.ListIds().Where(id => !known.Contains(id)))
        {
            if (!hasDamage || !damage.TakeBody(services.Blobs.FileOf(id)))
            {
                services.DeleteBody(id);
            }
        }
    }
}
