using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Pillarbox.Protocols.Amqp.Routed.Tcp;

/// <summary>A service's entrance: clients that connect here reach one of its servers. Any thread.</summary>
public sealed class TcpEntrance : IDestinationWatch
{
    internal TcpEntrance(string address) => Address = address;

    /// <summary>The service's address in the network.</summary>
    public string Address { get; }

    /// <summary>Whether there is a server.</summary>
    public bool HasServer { get; private set; }

    /// <summary>What went through it.</summary>
    public TcpTally Tally { get; } = new();

    internal IRoute Route { get; set; } = null!;

    /// <inheritdoc/>
    void IDestinationWatch.OnDestinations(bool any) => HasServer = any;
}

/// <summary>
/// TCP services of a node over its network: entrances, where clients connect, and exits, from where servers are
/// connected to. Each connection is two messages without an end in sight, one a direction. Any thread.
/// </summary>
public sealed class TcpServices : IDisposable
{
    /// <summary>Octets that are read from a socket at once, at most.</summary>
    public const int PieceBytes = 64 << 10;

    /// <summary>Pieces of one direction that are on their way, at most: with more the socket is not read.</summary>
    public const int PiecesMax = 16;

    private const int LoopsMax = 4;

    private readonly INetwork _network;
    private readonly TcpLoop[] _loops;
    private readonly ConcurrentDictionary<TcpExit, bool> _exits = new();
    private readonly ConcurrentDictionary<TcpEntrance, bool> _entrances = new();
    private long _accepted;

    /// <param name="network">The network that carries them.</param>
    /// <param name="logs">Where it reports.</param>
    /// <param name="ownThreads">Whether loops run on threads of the pool.</param>
    public TcpServices(INetwork network, ILoggerFactory logs, bool ownThreads = true)
    {
        _network = network;
        ILogger logger = logs.CreateLogger("Pillarbox.Services");
        int loops = ownThreads ? Math.Clamp(Environment.ProcessorCount, 1, LoopsMax) : 1;
        _loops = [.. Enumerable.Range(0, loops).Select(_ => new TcpLoop(network, logger, ownThreads))];
    }

    /// <summary>Hears of an exit whose server was not reached, and which is not offered any more, for the service has
    /// other servers; it is to call <see cref="Restore"/> when the server is there. Null: such exits stay offered.
    /// Called on any thread.</summary>
    public Action<TcpExit>? OnWithdrawn { get; set; }

    /// <summary>Connections now, of both kinds; a little late.</summary>
    public int ConnectionCount => _loops.Sum(loop => loop.Count);

    /// <summary>Opens an entrance; null: the address may not be used.</summary>
    public TcpEntrance? OpenEntrance(string address)
    {
        var entrance = new TcpEntrance(address);
        if (_network.OpenSender(address, entrance) is not { } route)
        {
            return null;
        }

        entrance.Route = route;
        _entrances[entrance] = true;
        return entrance;
    }

    /// <summary>No client comes in there any more; those that have go on.</summary>
    public void CloseEntrance(TcpEntrance entrance)
    {
        if (_entrances.TryRemove(entrance, out _))
        {
            _network.CloseSender(entrance.Route, entrance);
        }
    }

    /// <summary>A client has connected.</summary>
    public void Accept(TcpEntrance entrance, IServiceSocket socket)
    {
        long number = Interlocked.Increment(ref _accepted);
        string id = string.Create(CultureInfo.InvariantCulture, $"{_network.NodeId}:{number}");
        TcpStream.Accept(_loops[(int)(number % _loops.Length)], entrance, socket, id);
    }

    /// <summary>Offers a server of a service to the network; null: the address may not be used.</summary>
    public TcpExit? OpenExit(string address, Func<Task<IServiceSocket>> dial)
    {
        var exit = new TcpExit(address, dial);
        _exits[exit] = true;
        lock (exit.Gate)
        {
            Offer(exit);
        }

        if (exit.IsOffered)
        {
            return exit;
        }

        CloseExit(exit);
        return null;
    }

    /// <summary>The server of an exit that was not offered is there again.</summary>
    public void Restore(TcpExit exit)
    {
        lock (exit.Gate)
        {
            if (exit is { IsClosed: false, IsOffered: false })
            {
                Offer(exit);
            }
        }
    }

    /// <summary>Its server gets no further clients; those that it has go on.</summary>
    public void CloseExit(TcpExit exit)
    {
        if (!_exits.TryRemove(exit, out _))
        {
            return;
        }

        lock (exit.Gate)
        {
            exit.IsClosed = true;
            TakeBack(exit);
        }
    }

    // A server that refuses everybody has nothing on its way, and would be the first choice for all: it gets none while
    // there are others.
    private void OnUnreached(TcpExit exit)
    {
        if (OnWithdrawn is not { } withdrawn)
        {
            return;
        }

        lock (exit.Gate)
        {
            if (!exit.IsOffered)
            {
                return;
            }

            TakeBack(exit);
            if (!HasServer(exit.Address))
            {
                Offer(exit);
                return;
            }
        }

        withdrawn(exit);
    }

    private bool HasServer(string address)
    {
        var probe = new TcpEntrance(address);
        if (_network.OpenSender(address, probe) is { } route)
        {
            _network.CloseSender(route, probe);
        }

        return probe.HasServer;
    }

    private void Offer(TcpExit exit)
    {
        foreach (TcpLoop loop in _loops)
        {
            var outlet = new TcpOutlet(
                loop, asked => TcpStream.Dial(loop, exit, () => OnUnreached(exit), asked));
            if (_network.OpenReceiver(exit.Address, outlet) is not { } route)
            {
                return;
            }

            exit.Outlets.Add((route, outlet));
        }

        exit.IsOffered = true;
    }

    private void TakeBack(TcpExit exit)
    {
        exit.IsOffered = false;
        foreach ((IRoute route, TcpOutlet outlet) in exit.Outlets)
        {
            _network.CloseReceiver(route, outlet);
        }

        exit.Outlets.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TcpExit exit in _exits.Keys)
        {
            CloseExit(exit);
        }

        foreach (TcpEntrance entrance in _entrances.Keys)
        {
            CloseEntrance(entrance);
        }

        foreach (TcpLoop loop in _loops)
        {
            loop.End();
        }
    }
}
