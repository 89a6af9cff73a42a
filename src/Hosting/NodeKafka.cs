using Microsoft.AspNetCore.Connections;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Protocols.Kafka;

namespace Pillarbox.Hosting;

/// <summary>Configuration to the Kafka engine: a handler for each listener, for each may be known by another name.
/// </summary>
internal sealed class NodeKafka(MessageBroker broker, PillarboxConfig config, NodeSeams seams, NodeSecurity security)
    : IDisposable
{
    private readonly List<KafkaConnectionHandler> _handlers = [];

    /// <summary>The handler of a listener's connections; in development mode nobody needs a password.</summary>
    public ConnectionHandler On(ListenerPlan plan)
    {
        var options = new KafkaOptions
        {
            DataDirectory = config.DataDirectory,
            Advertised = plan.Advertised,
            AddressSpace = plan.AddressSpace ?? "default",
            IsAddressSpaceFixed = plan.AddressSpace is not null,
            AllowAnonymous = security.AllowAnonymous,
            AllowAnyPassword = security.IsOpen,
            HandshakeTimeoutMs = config.Limits.HandshakeTimeoutMs,
        };
        var sasl = new SaslServers(security.IsOpen ? null : security.Users, seams.Random);
        var handler = new KafkaConnectionHandler(broker, options, sasl, seams.Time, seams.LoggerFactory);
        _handlers.Add(handler);
        return handler;
    }

    /// <summary>Development mode has ended: from now on connections log in with these.</summary>
    public void Secure(SaslServers sasl)
    {
        foreach (KafkaConnectionHandler handler in _handlers)
        {
            handler.Secure(security.AllowAnonymous, sasl);
        }
    }

    public void Dispose()
    {
        foreach (KafkaConnectionHandler handler in _handlers)
        {
            handler.Dispose();
        }
    }
}
