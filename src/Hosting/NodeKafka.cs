using Microsoft.AspNetCore.Connections;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Protocols.Kafka;

namespace Pillarbox.Hosting;

/// <summary>Configuration to the Kafka engine: a handler for each listener, for each may be known by another name.
/// </summary>
internal sealed class NodeKafka(ProtocolHost host) : INodeProtocol
{
    private readonly List<KafkaConnectionHandler> _handlers = [];

    public ListenerProtocol Protocol => ListenerProtocol.Kafka;

    /// <summary>The handler of a listener's connections; in development mode nobody needs a password.</summary>
    public ConnectionHandler On(ListenerPlan plan)
    {
        var options = new KafkaOptions
        {
            DataDirectory = host.Config.DataDirectory,
            Advertised = plan.Advertised,
            AddressSpace = plan.AddressSpace ?? "default",
            IsAddressSpaceFixed = plan.AddressSpace is not null,
            AllowAnonymous = host.Security.AllowAnonymous,
            AllowAnyPassword = host.Security.IsOpen,
            HandshakeTimeoutMs = host.Config.Limits.HandshakeTimeoutMs,
            SessionLifetimeMs = host.Config.Security.SessionLifetimeMs,
        };
        var handler = new KafkaConnectionHandler(
            host.Broker, options, host.Sasl(), host.Seams.Time, host.Seams.LoggerFactory);
        _handlers.Add(handler);
        return handler;
    }

    public void Secure(SaslServers sasl)
    {
        foreach (KafkaConnectionHandler handler in _handlers)
        {
            handler.Secure(host.Security.AllowAnonymous, sasl);
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
