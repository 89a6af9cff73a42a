using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Storage;
using Pillarbox.Storage.Quarantine;

namespace Pillarbox.Hosting;

/// <summary>Configuration to what the broker is made of.</summary>
internal static class NodeBroker
{
    private const string Space = "default";

    /// <summary>The disk, or memory, that the configuration asks for.</summary>
    public static IFileSystem FileSystemOf(PillarboxConfig config, NodeSeams seams) =>
        seams.FileSystem
        ?? (config.DataDirectory == PillarboxConfig.InMemory ? new MemoryFileSystem() : DiskFileSystem.Instance);

    /// <summary>The data directory, as the disk names it.</summary>
    public static string DirectoryOf(PillarboxConfig config) =>
        config.DataDirectory == PillarboxConfig.InMemory ? "data" : config.DataDirectory;

    public static BrokerOptions Options(
        PillarboxConfig config, NodeSeams seams, IFileSystem fileSystem, NodeSecurity security)
    {
        LimitsConfig limits = config.Limits;
        return new BrokerOptions
        {
            FileSystem = fileSystem,
            DataDirectory = DirectoryOf(config),
            Time = seams.Time,
            Random = seams.Random,
            LoggerFactory = seams.LoggerFactory,
            PropertyReaders = PayloadFormats.Readers,
            ContentMaps = PayloadFormats.Maps,
            AnnotationMergers = [new AmqpAnnotationMerger()],
            Shards = limits.Shards,
            CacheBytes = limits.CacheBytes,
            SegmentBytes = limits.SegmentBytes,
            LargeMessageBytesMin = limits.LargeMessageBytesMin,
            TransactionBytesMax = limits.TransactionBytesMax,
            XaTimeoutMs = limits.XaTimeoutMs,
            ProducerCredit = limits.ProducerCredit,
            Coordinators = new CoordinatorOptions
            {
                Groups = new GroupOptions
                {
                    OffsetsBytesMax = limits.OffsetsBytesMax,
                    OffsetRetentionMs = limits.OffsetRetentionMs,
                },
            },
            Quarantine = new QuarantineLimits { BytesMax = limits.QuarantineBytesMax },
            AddressSettings = config.AddressSettings,
            AddressSpaces = config.AddressSpaces.ToDictionary(space => space.Key, space => new AddressSpaceOptions
            {
                AddressSettings = space.Value.AddressSettings,
                Security = NodeSecurity.Of(space.Value),
            }),
            Security = security.Config,
        };
    }

    /// <summary>
    /// Makes the configured queues that are missing. One that exists with other settings stays as it is, and is
    /// reported: a node must
    /// start so that the operator can delete it.
    /// </summary>
    public static async Task CreateQueuesAsync(MessageBroker broker, PillarboxConfig config, ILogger logger)
    {
        await CreateQueuesAsync(broker, Space, config.Queues, logger);
        foreach ((string name, AddressSpaceConfig space) in config.AddressSpaces)
        {
            await CreateQueuesAsync(broker, name, space.Queues, logger);
        }
    }

    private static async Task CreateQueuesAsync(
        MessageBroker broker, string space, IReadOnlyList<QueueEntryConfig> queues, ILogger logger)
    {
        foreach (QueueEntryConfig queue in queues)
        {
            try
            {
                await broker.Management.CreateQueueAsync(Identity.Node, space, ConfigOf(queue));
            }
            catch (BrokerException e)
            {
                NodeLog.QueueNotMade(logger, queue.Name, e.Message);
            }
        }
    }

    private static QueueConfig ConfigOf(QueueEntryConfig queue) => new()
    {
        Name = queue.Name,
        Address = queue.Address ?? queue.Stream ?? queue.Name,
        Stream = queue.Stream,
        StreamStart = queue.From is null ? StreamStart.Next
            : StreamStart.Parse(queue.From) ?? throw new BrokerException(
                BrokerError.InvalidField, $"'from' is '{queue.From}': not next, first, last, an offset or a time"),
        RoutingType = queue.RoutingType,
        Durable = queue.Durable,
        Filter = queue.Filter,
        ConsumersMax = queue.ConsumersMax,
        NonDestructive = queue.NonDestructive,
    };
}
