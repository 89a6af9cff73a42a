using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wills;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>What all MQTT connections of a node share. Thread-safe.</summary>
internal sealed class MqttEnvironment(
    MessageBroker broker, MqttOptions options, SaslServers sasl, TimeProvider time, ILogger logger, IRandom random)
{
    private readonly ConcurrentDictionary<string, Lazy<RetainedStore>> _retained = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<RetainedStore>> _willStores = new(StringComparer.Ordinal);

    public MessageBroker Broker { get; } = broker;

    public MqttOptions Options { get; private set; } = options;

    public SaslServers Sasl { get; private set; } = sasl;

    public TimeProvider Time { get; } = time;

    public ILogger Logger { get; } = logger;

    public IRandom Random { get; } = random;

    /// <summary>Whether a wake goes on on a thread of the pool; otherwise on the thread that wakes (a broker on one
    /// thread).</summary>
    public bool OwnThreads => Broker.OwnThreads;

    /// <summary>The clients that are connected.</summary>
    public ClientRegistry Clients { get; } = new();

    /// <summary>Wills whose delay runs.</summary>
    public DelayedWills Wills { get; } = new(broker, options, logger);

    /// <summary>The retained messages of an address space; the first use reads them.</summary>
    public RetainedStore RetainedOf(string addressSpace) =>
        StoreIn(_retained, addressSpace, RetainedStore.QueueName);

    /// <summary>Retained messages whose time is over go.</summary>
    public void ExpireRetained(long nowMs)
    {
        foreach (Lazy<RetainedStore> store in _retained.Values)
        {
            if (store.IsValueCreated)
            {
                store.Value.Expire(nowMs);
            }
        }
    }

    /// <summary>Where the delayed wills of an address space are on disk; the first use reads them.</summary>
    public RetainedStore WillsOf(string addressSpace) => StoreIn(_willStores, addressSpace, RetainedStore.WillsName);

    /// <summary>Whether a client of MQTT has come since the start.</summary>
    public bool IsUsed => !_retained.IsEmpty;

    /// <summary>Packet identifiers that were sent to clients which are gone, and not answered.</summary>
    public SentBefore SentBefore { get; } = new();

    /// <summary>How logins to come are judged; the servers first, so that nobody meets the new rule without
    /// them.</summary>
    public void Secure(bool allowAnonymous, SaslServers servers)
    {
        Sasl = servers;
        Options = Options with { AllowAnonymous = allowAnonymous, AllowAnyPassword = false };
    }

    // One that could not be made, for the disk was full, is tried again by who comes next.
    private RetainedStore StoreIn(
        ConcurrentDictionary<string, Lazy<RetainedStore>> stores, string addressSpace, string queue)
    {
        Lazy<RetainedStore> store = stores.GetOrAdd(
            addressSpace, name => new Lazy<RetainedStore>(() => new RetainedStore(this, name, queue)));
        try
        {
            return store.Value;
        }
        catch (BrokerException)
        {
            stores.TryRemove(new KeyValuePair<string, Lazy<RetainedStore>>(addressSpace, store));
            throw;
        }
    }

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public long UnixMs => Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Milliseconds of a clock that never jumps.</summary>
    public long SteadyMs => (long)(Time.GetTimestamp() * (1000.0 / Time.TimestampFrequency));
}
