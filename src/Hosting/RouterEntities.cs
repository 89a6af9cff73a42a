using System.Collections.Immutable;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Hosting;

/// <summary>Configuration to what the router's management shows of it: listeners and connectors of AMQP.</summary>
internal static class RouterEntities
{
    /// <summary>Each address of a listener or connector is an entity.</summary>
    public static IEnumerable<ConfiguredEntity> Of(PillarboxConfig config, RouterSection section)
    {
        foreach ((string name, ListenerConfig listener) in config.Listeners)
        {
            if (!ListenerConfig.TryProtocol(name, out ListenerProtocol named)
                || (listener.Protocol ?? named) is not ListenerProtocol.Amqp)
            {
                continue;
            }

            ConnectionRole role = ListenerConfig.RoleOf(name, listener);
            foreach (string address in listener.Addresses)
            {
                yield return Entity("listener", name, address, role, listener.Cost);
            }
        }

        foreach ((string name, ConnectorConfig connector) in section.Connectors)
        {
            foreach (string address in connector.Addresses)
            {
                ConfiguredEntity entity = Entity("connector", name, address, connector.Role, connector.Cost);
                yield return connector.User is null
                    ? entity
                    : entity with { Attributes = entity.Attributes.Add("saslUsername", connector.User) };
            }
        }
    }

    private static ConfiguredEntity Entity(string type, string name, string address, ConnectionRole role, int cost)
    {
        int colon = address.LastIndexOf(':');
        return new ConfiguredEntity(
            type,
            $"{type}/{address}:{name}",
            name,
            ImmutableDictionary<string, AmqpValue>.Empty
                .Add("host", address[..Math.Max(colon, 0)])
                .Add("port", address[(colon + 1)..])
                .Add("role", NameOf(role))
                .Add("cost", (long)cost));
    }

    private static string NameOf(ConnectionRole role) => role switch
    {
        ConnectionRole.InterRouter => "inter-router",
        ConnectionRole.RouteContainer => "route-container",
        ConnectionRole.Edge => "edge",
        _ => "normal",
    };
}
