using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Security;
using Pillarbox.Model;
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

    /// <summary>Credit of one producer: messages under way that are not yet acknowledged.</summary>
    public int ProducerCredit { get; init; } = 1000;

    /// <summary>Own threads and timers (false: a simulation pumps by hand with <see
    /// cref="MessageBroker.Pump"/>).</summary>
    public bool OwnThreads { get; init; } = true;

    /// <summary>Address settings by pattern.</summary>
    public IReadOnlyDictionary<string, AddressSettings> AddressSettings { get; init; } =
        new Dictionary<string, AddressSettings>();

    /// <summary>Readers of properties, one per payload format.</summary>
    public IReadOnlyList<IPropertyReader> PropertyReaders { get; init; } = [];

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
    /// <summary>Opens the data directory, recovers, and is ready when it returns. Errors: <see
    /// cref="StorageException"/> with what to do.</summary>
    public static MessageBroker Open(BrokerOptions options) => throw new NotImplementedException();

    /// <summary>Views and operations for operators. Any thread.</summary>
    public BrokerManagement Management => throw new NotImplementedException();

    /// <summary>Checks every permission.</summary>
    public Authorizer Authorizer => throw new NotImplementedException();

    /// <summary>A connection's handle; any thread. Errors: NotFound (address space), Unavailable (stopping).</summary>
    public BrokerClient Connect(ClientInfo info, IWakeable wakeable) => throw new NotImplementedException();

    /// <summary>Stops taking connections, asks clients to close, waits until they have or <paramref name="timeout"/>
    /// is over.</summary>
    public Task DrainAsync(TimeSpan timeout) => throw new NotImplementedException();

    /// <summary>With OwnThreads false: one round of flushing, timers and shards on this thread.</summary>
    public void Pump() => throw new NotImplementedException();

    /// <summary>Writes the last snapshot, closes the files, gives the directory free.</summary>
    public void Dispose() => throw new NotImplementedException();
}
