using Pillarbox.Broker;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Storage;

namespace Pillarbox.Hosting;

/// <summary>Configuration to what the broker is made of.</summary>
internal static class NodeBroker
{
    public static BrokerOptions Options(PillarboxConfig config, NodeSeams seams)
    {
        LimitsConfig limits = config.Limits;
        return new BrokerOptions
        {
            FileSystem = seams.FileSystem ?? FileSystemOf(config),
            DataDirectory = config.DataDirectory == PillarboxConfig.InMemory ? "data" : config.DataDirectory,
            Time = seams.Time,
            Random = seams.Random,
            LoggerFactory = seams.LoggerFactory,
            Shards = limits.Shards,
            CacheBytes = limits.CacheBytes,
            SegmentBytes = limits.SegmentBytes,
            LargeMessageBytesMin = limits.LargeMessageBytesMin,
            TransactionBytesMax = limits.TransactionBytesMax,
            ProducerCredit = limits.ProducerCredit,
            AddressSettings = config.AddressSettings,
        };
    }

    private static IFileSystem FileSystemOf(PillarboxConfig config) =>
        new MemoryFileSystem();
}
