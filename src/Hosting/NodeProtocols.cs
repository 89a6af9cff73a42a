using Microsoft.AspNetCore.Connections;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;

namespace Pillarbox.Hosting;

/// <summary>The protocols that the node speaks, one row each; a new one is a row here and a folder of its own.
/// </summary>
internal static class NodeProtocols
{
    /// <summary>The port of the listener that takes every protocol.</summary>
    public const int UsualPortOfAll = 61616;

    /// <summary>The port of the HTTP listener.</summary>
    public const int UsualPortOfHttp = 8161;

    /// <summary>Name, the port of its own listener when none is configured (null: none), plug.</summary>
    public static readonly IReadOnlyList<ProtocolRow> Table =
    [
        new(ListenerProtocol.Amqp, 5672, host => new NodeAmqp(host)),
        new(ListenerProtocol.Kafka, 9092, host => new NodeKafka(host)),
        new(ListenerProtocol.Mqtt, 1883, host => new NodeMqtt(host)),
        new(ListenerProtocol.OpenWire, null, host => new NodeOpenWire(host)),
        new(ListenerProtocol.Stomp, 61613, host => new NodeStomp(host)),
    ];

    /// <summary>What can be listened for: the protocols of the table, all of them on one port, and HTTP.</summary>
    public static bool IsServed(ListenerProtocol protocol) =>
        protocol is ListenerProtocol.All or ListenerProtocol.Http || Table.Any(row => row.Protocol == protocol);

    /// <summary>The names of what can be listened for, for people: <c>all, amqp, … or http</c>.</summary>
    public static string Names =>
        $"all, {string.Join(", ", Table.Select(row => NameOf(row.Protocol)))} or {NameOf(ListenerProtocol.Http)};"
        + $" {ConnectionRoles.Text} for other nodes";

    /// <summary>A protocol's name as it is written in the configuration and printed.</summary>
    public static string NameOf(ListenerProtocol protocol) => protocol.ToString().ToLowerInvariant();

}

/// <summary>
/// The plugs of a node's protocols. A node that keeps nothing on disk makes each when a listener first needs it, so
/// that a router of AMQP alone holds no more than that; others make all, for what they have kept. Any thread.
/// </summary>
internal sealed class SpokenProtocols : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ListenerProtocol, INodeProtocol> _made = [];
    private readonly ProtocolHost _host;
    private SaslServers? _sasl;

    public SpokenProtocols(ProtocolHost host)
    {
        _host = host;
        if (host.Config.DataDirectory != PillarboxConfig.InMemory)
        {
            foreach (ProtocolRow row in NodeProtocols.Table)
            {
                _made.Add(row.Protocol, row.Make(host));
            }
        }
    }

    /// <summary>For each protocol: makes the handler of a listener's connections.</summary>
    public IReadOnlyDictionary<ListenerProtocol, Func<ListenerPlan, ConnectionHandler>> Handlers =>
        NodeProtocols.Table.ToDictionary(
            row => row.Protocol, row => (Func<ListenerPlan, ConnectionHandler>)(plan => Of(row.Protocol).On(plan)));

    /// <summary>The plug of a protocol of the table.</summary>
    public INodeProtocol Of(ListenerProtocol protocol)
    {
        lock (_gate)
        {
            if (!_made.TryGetValue(protocol, out INodeProtocol? plug))
            {
                plug = NodeProtocols.Table.First(row => row.Protocol == protocol).Make(_host);
                _made.Add(protocol, plug);
                if (_sasl is not null)
                {
                    plug.Secure(_sasl);
                }
            }

            return plug;
        }
    }

    /// <summary>Development mode has ended: from now on connections log in with these.</summary>
    public void Secure(SaslServers sasl)
    {
        lock (_gate)
        {
            _sasl = sasl;
            foreach (INodeProtocol plug in _made.Values)
            {
                plug.Secure(sasl);
            }
        }
    }

    public void Dispose()
    {
        foreach (INodeProtocol plug in _made.Values)
        {
            plug.Dispose();
        }
    }
}

/// <summary>One protocol of <see cref="NodeProtocols.Table"/>.</summary>
/// <param name="Protocol">Its name.</param>
/// <param name="UsualPort">The port that it listens on when no listener is configured; null: none of its own.</param>
/// <param name="Make">Makes its plug for a node.</param>
internal sealed record ProtocolRow(
    ListenerProtocol Protocol, int? UsualPort, Func<ProtocolHost, INodeProtocol> Make);

/// <summary>What a protocol's plug is made of.</summary>
internal sealed record ProtocolHost(
    MessageBroker Broker, PillarboxConfig Config, NodeSeams Seams, NodeSecurity Security)
{
    /// <summary>The node's part in a network; null: none.</summary>
    public NodeRouter? Router { get; init; }

    /// <summary>Logins as they stand at start: none are needed in development mode.</summary>
    public SaslServers Sasl() => Security.Sasl();
}

/// <summary>A protocol's plug: configuration to the protocol's engine.</summary>
internal interface INodeProtocol : IDisposable
{
    /// <summary>The protocol.</summary>
    ListenerProtocol Protocol { get; }

    /// <summary>What serves the connections of a listener; called once a listener, before it is bound.</summary>
    ConnectionHandler On(ListenerPlan plan);

    /// <summary>Development mode has ended: from now on connections log in with these.</summary>
    void Secure(SaslServers sasl);
}
