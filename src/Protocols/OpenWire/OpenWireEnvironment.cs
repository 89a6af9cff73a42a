using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.OpenWire.Advisories;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>What all OpenWire connections of a node share. Thread-safe.</summary>
internal sealed class OpenWireEnvironment(
    MessageBroker broker, OpenWireOptions options, SaslServers sasl, TimeProvider time, ILogger logger)
{
    public MessageBroker Broker { get; } = broker;

    public OpenWireOptions Options { get; private set; } = options;

    public SaslServers Sasl { get; private set; } = sasl;

    public TimeProvider Time { get; } = time;

    public ILogger Logger { get; } = logger;

    /// <summary>Whether a wake goes on on a thread of the pool; otherwise on the thread that wakes.</summary>
    public bool OwnThreads => Broker.OwnThreads;

    /// <summary>Client ids in use.</summary>
    public ClientRegistry Clients { get; } = new();

    /// <summary>Who is there: connections, consumers, temporary destinations.</summary>
    public AdvisoryHub Advisories { get; } = new();

    /// <summary>How logins to come are judged; the servers first, so that nobody meets the new rule without
    /// them.</summary>
    public void Secure(bool allowAnonymous, SaslServers servers)
    {
        Sasl = servers;
        Options = Options with { AllowAnonymous = allowAnonymous, AllowAnyPassword = false };
    }

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public long UnixMs => Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Milliseconds of a clock that never jumps.</summary>
    public long SteadyMs => (long)(Time.GetTimestamp() * (1000.0 / Time.TimestampFrequency));
}
