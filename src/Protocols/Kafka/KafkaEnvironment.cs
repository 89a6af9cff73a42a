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

    public KafkaOptions Options { get; private set; } = options;

    public SaslServers Sasl { get; private set; } = sasl;

    public ILogger Logger { get; } = logger;

    public IRandom Random { get; } = random;

    /// <summary>How logins to come are judged; the servers first, so that nobody meets the new rule without
    /// them.</summary>
    public void Secure(bool allowAnonymous, SaslServers servers)
    {
        Sasl = servers;
        Options = Options with { AllowAnonymous = allowAnonymous, AllowAnyPassword = false };
    }

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public long UnixMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A time for <see cref="MsSince"/>; never 0.</summary>
    public long Timestamp => Math.Max(1, time.GetTimestamp());

    /// <summary>Milliseconds since a <see cref="Timestamp"/>.</summary>
    public double MsSince(long timestamp) => time.GetElapsedTime(timestamp).TotalMilliseconds;

    /// <summary>Waits. Throws when cancelled.</summary>
    public Task DelayAsync(int milliseconds, CancellationToken cancellation) =>
        Task.Delay(TimeSpan.FromMilliseconds(milliseconds), time, cancellation);

    /// <summary>Milliseconds of a clock that never jumps.</summary>
    public long SteadyMs => (long)(time.GetTimestamp() * (1000.0 / time.TimestampFrequency));
}
