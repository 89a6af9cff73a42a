using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Stomp;

/// <summary>What all STOMP connections of a node share. Thread-safe.</summary>
internal sealed class StompEnvironment(
    MessageBroker broker, StompOptions options, SaslServers sasl, TimeProvider time, ILogger logger, IRandom random)
{
    private const int NameBytes = 8;

    public MessageBroker Broker { get; } = broker;

    public StompOptions Options { get; private set; } = options;

    public SaslServers Sasl { get; private set; } = sasl;

    public TimeProvider Time { get; } = time;

    public ILogger Logger { get; } = logger;

    public IRandom Random { get; } = random;

    /// <summary>Whether a wake goes on on a thread of the pool; otherwise on the thread that wakes (a broker on one
    /// thread).</summary>
    public bool OwnThreads => Broker.OwnThreads;

    /// <summary>How logins to come are judged; the servers first, so that nobody meets the new rule without
    /// them.</summary>
    public void Secure(bool allowAnonymous, SaslServers servers)
    {
        Sasl = servers;
        Options = Options with { AllowAnonymous = allowAnonymous, AllowAnyPassword = false };
    }

    /// <summary>A name that nobody guesses.</summary>
    public string RandomName()
    {
        Span<byte> bytes = stackalloc byte[NameBytes];
        Random.Fill(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    /// <summary>The name of a queue that goes with its connection.</summary>
    public string RandomQueueName() => $"temp.{RandomName()}{RandomName()}";

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public long UnixMs => Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Milliseconds of a clock that never jumps.</summary>
    public long SteadyMs => (long)(Time.GetTimestamp() * (1000.0 / Time.TimestampFrequency));
}
