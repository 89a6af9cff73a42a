using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Router;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Peers;
using Pillarbox.Storage;
using Pillarbox.Transport;

namespace Pillarbox.Simulation.Tests.Routing;

/// <summary>A node that is a router, whole: broker in memory, AMQP engine, network, and the connectors that keep its
/// connections.</summary>
internal sealed class RoutedNode(RoutedWorld world, string id, RouterMode mode) : IDisposable
{
    private AmqpConnectionHandler? _handler;
    private MessageBroker? _broker;
    private CancellationTokenSource _stop = new();

    public string Id { get; } = id;

    public bool IsEdge => mode == RouterMode.Edge;

    public bool IsAlive { get; private set; }

    public NodeNetwork Network { get; private set; } = null!;

    public AmqpConnectionHandler Handler => _handler!;

    /// <summary>Starts it, and its connectors to the right ends of its lines.</summary>
    public void Start()
    {
        IsAlive = true;
        _stop = new CancellationTokenSource();
        _broker = MessageBroker.Open(new BrokerOptions
        {
            FileSystem = new MemoryFileSystem(),
            DataDirectory = "data",
            Time = world.Clock,
            Random = world.Random,
            Shards = 1,
            OwnThreads = false,
            PropertyReaders = [],
            LoggerFactory = world.Log,
        });
        var options = new AmqpOptions
        {
            ContainerId = Id,
            MaxFrameBytes = 512 << world.Random.Next(6),
            HandshakeTimeoutMs = int.MaxValue,
            IdleTimeoutMs = 0,
            LingerMs = 0,
        };
        _handler = new AmqpConnectionHandler(
            _broker, options, new SaslServers(null, world.Random), world.Clock, world.Log, world.Random);
        Network = new NodeNetwork(new NodeNetworkOptions
        {
            Id = Id,
            Mode = mode,
            LinkCapacity = world.LinkCapacity,
            Addresses =
            [
                new AddressRule { Pattern = "all.#", Treatment = AddressTreatment.Multicast },
                new AddressRule { Pattern = "near.#", Treatment = AddressTreatment.Closest },
            ],
            Time = world.Clock,
            Random = world.Random,
        });
        Network.Observe(_handler.Describe, _handler.TryClose);
        _handler.Join(Network);
        foreach (RoutedLine line in world.Lines.Where(line => line.Left == this))
        {
            Connect(line);
        }
    }

    /// <summary>It dies: nothing is said to anybody.</summary>
    public void Kill()
    {
        IsAlive = false;
        foreach (RoutedLine line in world.Lines.Where(line => line.Left == this || line.Right == this))
        {
            line.Wire?.Cut(rudely: true);
        }

        Dispose();
    }

    /// <summary>Ends what runs.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _handler?.Dispose();
        Network?.Dispose();
        _broker?.Dispose();
        _stop.Dispose();
    }

    /// <summary>A client connects.</summary>
    public SimConnection Accept()
    {
        var connection = new SimConnection(world.Scheduler);
        var peer = new PeerInfo { RemoteEndPoint = "simulated", IsLoopback = true };
        _ = _handler!.RunAsync(peer, connection);
        return connection;
    }

    private void Connect(RoutedLine line)
    {
        ConnectionRole role = IsEdge ? ConnectionRole.Edge : ConnectionRole.InterRouter;
        var options = new ConnectorOptions
        {
            Name = $"to-{line.Right.Id}",
            Plan = new ConnectionPlan(role, IsInitiator: true) { Name = $"to-{line.Right.Id}" },
            Targets = [new ConnectorTarget(line.Right.Id, _ => Dial(line, role))],
        };
        _ = new Connector(_handler!, options, world.Clock, NullLogger.Instance).RunAsync(_stop.Token);
    }

    private ValueTask<ConnectionContext> Dial(RoutedLine line, ConnectionRole role)
    {
        if (!line.Right.IsAlive || line.IsDown || line.IsSilent)
        {
            throw new SocketException((int)SocketError.ConnectionRefused);
        }

        var wire = new RoutedWire(line, world.Scheduler);
        line.Wire = wire;
        var plan = new ConnectionPlan(role, IsInitiator: false) { Name = $"from-{Id}" };
        _ = line.Right.Handler.For(plan).OnConnectedAsync(wire.Right);
        return ValueTask.FromResult(wire.Left);
    }
}
