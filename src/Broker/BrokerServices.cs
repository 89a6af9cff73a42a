using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Damage;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Quotas;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Records;
using Pillarbox.Broker.Transactions;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker;

/// <summary>What the rooms of one broker share: seams, logs, shards. Fixed after start except where said.</summary>
internal sealed class BrokerServices
{
    /// <summary>Bytes of each log that may wait for the disk before producers are held back.</summary>
    private const long PendingBytesMax = 64 << 20;

    private static readonly RecordPropertyReader Records = new();

    private int _consumers;
    private long _damaged;
    private long _published;
    private long _acknowledgedElsewhere;
    private Authorizer _authorizer = null!;

    public required BrokerOptions Options { get; init; }

    public required SegmentedLog Journal { get; init; }

    public required SegmentedLog Transient { get; init; }

    public required BlobStore Blobs { get; init; }

    /// <summary>The data directory's own number.</summary>
    public required long Identity { get; init; }

    /// <summary>This run's own number.</summary>
    public required long Run { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>Keeps what is damaged.</summary>
    public required DamageKeeper Damage { get; init; }

    /// <summary>The permissions in force; swapped whole.</summary>
    public required Authorizer Authorizer
    {
        get => Volatile.Read(ref _authorizer);
        set => Volatile.Write(ref _authorizer, value);
    }

    /// <summary>Rules beside the configured permissions.</summary>
    public required AccessRuleStore Rules { get; init; }

    /// <summary>Who may take how much a second.</summary>
    public required QuotaStore Quotas { get; init; }

    public required SettingsTree Settings { get; init; }

    public required StreamServices StreamServices { get; init; }

    /// <summary>The streams of each address space, by its name.</summary>
    public Dictionary<string, StreamCatalog> Streams { get; } = new(StringComparer.Ordinal);

    /// <summary>Settings of address spaces that have their own.</summary>
    public IReadOnlyDictionary<string, SettingsTree> SpaceSettings { get; init; } =
        new Dictionary<string, SettingsTree>();

    /// <summary>The part of transactions that lies in streams.</summary>
    public StreamCommits StreamCommits => field ??= new StreamCommits(this);

    /// <summary>The coordinators of an address space, made with the first use.</summary>
    public Func<string, StreamCoordinators> CoordinatorsOf { get; set; } = null!;

    public StreamUpkeep StreamUpkeep { get; set; } = null!;

    /// <summary>Called on any thread when a transaction of the node's own has its marker in a partition, on disk: the
    /// partition, the producer, and whether it is a commit.</summary>
    public Action<Partition, long, bool>? MarkerWritten { get; set; }

    public LargeBodies Large { get; } = new();

    public PayloadConverter Converter => field ??= new PayloadConverter(Options);

    public AppendMarks Marks { get; } = new();

    /// <summary>Branches of distributed transactions. Any thread.</summary>
    public XaTable Xa { get; } = new();

    /// <summary>Producers whose messages are numbered. Any thread.</summary>
    public ProducerMemories Producers { get; } = new();

    public PendingMerges Merges { get; } = new();

    public IReadOnlyList<Shard> Shards { get; set; } = [];

    public AddressSpaces Spaces { get; set; } = null!;

    public long NowMs => Options.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Damaged records met since start.</summary>
    public long DamagedRecords => Volatile.Read(ref _damaged);

    /// <summary>Set when the journal failed: nothing is acknowledged any more.</summary>
    public StorageFailedException? StorageFailure { get; set; }

    /// <summary>The incarnation in the name of a delivery: ids of what is not durable are good for one run.</summary>
    public long IncarnationOf(bool inJournal) => inJournal ? Identity : Run;

    /// <summary>Which of the two it is; null: neither, so the name is of another node or run.</summary>
    public bool? InJournal(long incarnation) =>
        incarnation == IncarnationOf(true) ? true : incarnation == IncarnationOf(false) ? false : null;

    /// <summary>The settings of an address in a space.</summary>
    public EffectiveSettings SettingsOf(string space, string address) =>
        SpaceSettings.GetValueOrDefault(space, Settings).For(address);

    /// <summary>Whether producers to an address get no more credit now.</summary>
    public bool HoldsBack(AddressNode? node) =>
        StorageFailure is not null || Journal.SpaceState == SpaceState.Full || Journal.PendingBytes > PendingBytesMax
        || Transient.PendingBytes > PendingBytesMax
        || (node is not null && node.IsFull);

    /// <summary>Messages that reached a queue, since start.</summary>
    public long PublishedTotal => Volatile.Read(ref _published);

    /// <summary>Messages consumed from queues that are gone, since start.</summary>
    public long AcknowledgedElsewhere => Volatile.Read(ref _acknowledgedElsewhere);

    /// <summary>Deletes the file of a body that nobody refers to. One that the disk does not give up is left to the
    /// next start, which deletes such files.</summary>
    public void DeleteBody(long blobId)
    {
        try
        {
            Blobs.Delete(blobId);
        }
        catch (StorageException e)
        {
            BrokerLog.BodyNotDeleted(Logger, Blobs.FileOf(blobId), e.Message);
        }
    }

    public void CountPublished(int count) => Interlocked.Add(ref _published, count);

    /// <summary>A queue goes: what it counted stays counted.</summary>
    public void CountGone(Queues.Queue queue) =>
        Interlocked.Add(ref _acknowledgedElsewhere, Volatile.Read(ref queue.Counters.AcknowledgedTotal));

    public int NextConsumerNumber() => Interlocked.Increment(ref _consumers);

    public void CountDamage() => Interlocked.Increment(ref _damaged);

    public SegmentedLog LogOf(bool inJournal) => inJournal ? Journal : Transient;

    /// <summary>Closes the files, and ends the threads that write them.</summary>
    public void Close()
    {
        StreamServices.Deadlines.Dispose();
        StreamServices.Store.Dispose();
        Journal.Dispose();
        Transient.Dispose();
        Blobs.Dispose();
    }

    public IAnnotationMerger? MergerOf(PayloadFormat format) =>
        Options.AnnotationMergers.FirstOrDefault(merger => merger.Format == format);

    public IPropertyReader? ReaderOf(PayloadFormat format)
    {
        foreach (IPropertyReader reader in Options.PropertyReaders)
        {
            if (reader.Format == format)
            {
                return reader;
            }
        }

        return format == PayloadFormat.KafkaRecord ? Records : null;
    }
}
