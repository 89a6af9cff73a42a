using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Policy;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.LinkRoutes;

namespace Pillarbox.Protocols.Amqp;

/// <summary>What all AMQP connections of a node share. Thread-safe.</summary>
internal sealed class AmqpEnvironment(
    MessageBroker broker, AmqpOptions options, SaslServers sasl, TimeProvider time, ILogger logger, IRandom random)
{
    public MessageBroker Broker { get; } = broker;

    public AmqpOptions Options { get; private set; } = options;

    public SaslServers Sasl { get; private set; } = sasl;

    public TimeProvider Time { get; } = time;

    public ILogger Logger { get; } = logger;

    public IRandom Random { get; } = random;

    /// <summary>Whether a wake goes on on a thread of the pool; otherwise on the thread that wakes (a broker on one
    /// thread).</summary>
    public bool OwnThreads => Broker.OwnThreads;

    /// <summary>The network that the node is in; null: none. Set before the first connection.</summary>
    public INetwork? Network { get; set; }

    /// <summary>Who may connect, and what for; null: only the authorizer says so. Set before the first
    /// connection.</summary>
    public PolicyEngine? Policy { get; set; }

    /// <summary>Links through the network.</summary>
    public RoutedLinkTable RoutedLinks { get; } = new();

    /// <summary>Links that go through the node as a whole, before their answer.</summary>
    public LinksUnderWay UnderWay { get; } = new();

    /// <summary>Container ids and link names in use.</summary>
    public ContainerRegistry Containers { get; } = new();

    /// <summary>What links that may come back remember.</summary>
    public SuspendedLinks Suspended { get; } = new(options);

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
