using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Kafka;

/// <summary>What all Kafka connections of a node share. Thread-safe.</summary>
internal sealed class KafkaEnvironment(
    MessageBroker broker, KafkaOptions options, SaslServers sasl, TimeProvider time, ILogger logger, IRandom random)
{
    public MessageBroker Broker { get; } = broker;

    public KafkaOptions Options { get; } = options;

    public SaslServers Sasl { get; } = sasl;

    public ILogger Logger { get; } = logger;

    public IRandom Random { get; } = random;

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public long UnixMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Milliseconds of a clock that never jumps.</summary>
    public long SteadyMs => (long)(time.GetTimestamp() * (1000.0 / time.TimestampFrequency));
}
