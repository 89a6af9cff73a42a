#pragma warning disable RS0030 // the network seam: connections of TCP services
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Tcp;

namespace Pillarbox.Hosting;

/// <summary>The node's TCP services: their listening sockets, and how their servers are reached.</summary>
internal sealed class NodeTcp : IDisposable
{
    private const int Backlog = 4096;
    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstTry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastTry = TimeSpan.FromSeconds(2);

    private readonly TcpServices _services;
    private readonly ConcurrentDictionary<string, OpenListener> _listeners = new();
    private readonly ConcurrentDictionary<string, OpenConnector> _connectors = new();
    private readonly ILogger _logger;
    private readonly DescriptorGuard _guard;
    private readonly CancellationTokenSource _stop = new();

    private NodeTcp(INetwork network, ILoggerFactory logs)
    {
        _services = new TcpServices(network, logs);
        _logger = logs.CreateLogger("Pillarbox.Services");
        _services.OnWithdrawn = exit => _ = TryAgainAsync(exit);
        _guard = new DescriptorGuard(DescriptorGuard.LimitOfProcess(), TimeProvider.System, _logger);
    }

    /// <summary>Where clients come in now, in the order of their names.</summary>
    public IReadOnlyList<OpenListener> Listeners => [.. _listeners.Values.OrderBy(l => l.Name, StringComparer.Ordinal)];

    /// <summary>The servers that are offered now, in the order of their names.</summary>
    public IReadOnlyList<OpenConnector> Connectors =>
        [.. _connectors.Values.OrderBy(c => c.Name, StringComparer.Ordinal)];

    /// <summary>Where it listens, with the real ports.</summary>
    public IReadOnlyList<NodeEndpoint> Endpoints =>
    [
        .. Listeners.Select(listener => new NodeEndpoint(
            listener.Entrance.Address, ListenerProtocol.Amqp, Tls: false, listener.Place)
        {
            Service = listener.Entrance.Address,
        }),
    ];

    /// <summary>Binds all listeners or none. Throws <see cref="StartException"/>.</summary>
    public static async Task<NodeTcp> StartAsync(RouterSection section, INetwork network, ILoggerFactory logs)
    {
        var tcp = new NodeTcp(network, logs);
        try
        {
            foreach ((string name, string service, string place) in All(section, isListener: false))
            {
                tcp.TryOffer(name, service, place);
            }

            foreach ((string name, string service, string place) in All(section, isListener: true))
            {
                await tcp.TryListenAsync(name, service, place);
            }

            return tcp;
        }
        catch
        {
            tcp.Dispose();
            throw;
        }
    }

    /// <summary>Offers a server of a service. False: there is one of this name. Throws
    /// <see cref="StartException"/>.</summary>
    public bool TryOffer(string name, string service, string place)
    {
        ListenAddress address = AddressOf(place);
        TcpExit exit = _services.OpenExit(service, () => DialAsync(address, _stop.Token)) ?? throw new StartException(
            $"the TCP service '{service}' cannot be offered: its address may not be used");
        if (_connectors.TryAdd(name, new OpenConnector(name, place, exit)))
        {
            return true;
        }

        _services.CloseExit(exit);
        return false;
    }

    /// <summary>Takes an offer back; connections that stand go on. False: there is none of this name.</summary>
    public bool TryWithdraw(string name)
    {
        if (!_connectors.TryRemove(name, out OpenConnector? connector))
        {
            return false;
        }

        _services.CloseExit(connector.Exit);
        return true;
    }

    /// <summary>Listens for clients of a service. False: there is a listener of this name. Throws
    /// <see cref="StartException"/>.</summary>
    public async Task<bool> TryListenAsync(string name, string service, string place)
    {
        Socket socket = await BindAsync(service, place);
        TcpEntrance? entrance = _services.OpenEntrance(service);
        if (entrance is null)
        {
            socket.Dispose();
            throw new StartException($"the TCP service '{service}' cannot be reached: its address may not be used");
        }

        if (!_listeners.TryAdd(name, new OpenListener(name, socket.LocalEndPoint!.ToString()!, entrance, socket)))
        {
            socket.Dispose();
            _services.CloseEntrance(entrance);
            return false;
        }

        _ = AcceptAsync(socket, entrance);
        return true;
    }

    /// <summary>Listens there no more; connections that stand go on. False: there is none of this name.</summary>
    public bool TryClose(string name)
    {
        if (!_listeners.TryRemove(name, out OpenListener? listener))
        {
            return false;
        }

        listener.Socket.Dispose();
        _services.CloseEntrance(listener.Entrance);
        return true;
    }

    public void Dispose()
    {
        _stop.Cancel();
        foreach (OpenListener listener in _listeners.Values)
        {
            listener.Socket.Dispose();
        }

        _services.Dispose();
        _stop.Dispose();
    }

    /// <summary>What a place of a service is called when the operator has no name for it.</summary>
    public static string NameOf(string type, string service, int at) =>
        at == 0 ? $"{type}/{service}" : $"{type}/{service}/{at + 1}";

    // As many names as places, for each service.
    private static IEnumerable<(string Name, string Service, string Place)> All(
        RouterSection section, bool isListener)
    {
        string type = isListener ? "tcpListener" : "tcpConnector";
        return (isListener ? section.TcpListeners : section.TcpConnectors).SelectMany(
            entry => entry.Value.Select((place, at) =>
            {
                string usual = NameOf(type, entry.Key, at);
                return (section.ServiceNames.GetValueOrDefault(usual, usual), entry.Key, place);
            }));
    }

    private async Task<Socket> BindAsync(string service, string place)
    {
        ListenAddress address = AddressOf(place);
        Socket? listener = null;
        try
        {
            EndPoint point = address.UnixPath is { } path ? new UnixDomainSocketEndPoint(path)
                : new IPEndPoint(
                    address.Address ?? (await Dns.GetHostAddressesAsync(address.Host!, _stop.Token))[0], address.Port);
            listener = new Socket(
                point.AddressFamily, SocketType.Stream,
                point is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
            if (point is IPEndPoint { Address: var own } && own.Equals(IPAddress.IPv6Any))
            {
                // Clients of IPv4, too: as the listeners of protocols do.
                listener.DualMode = true;
            }

            listener.Bind(point);
            listener.Listen(Backlog);
            return listener;
        }
        catch (SocketException e)
        {
            listener?.Dispose();
            throw new StartException($"cannot listen for the TCP service '{service}' on {place}: {e.Message}", e);
        }
    }

    // Until its server is there, or it is taken back, or the node ends.
    private async Task TryAgainAsync(TcpExit exit)
    {
        NodeLog.ServerNotReached(_logger, exit.Address);
        for (TimeSpan wait = FirstTry; !exit.IsClosed; wait = wait < LastTry ? wait * 2 : LastTry)
        {
            try
            {
                await Task.Delay(wait, TimeProvider.System, _stop.Token);
                IServiceSocket socket = await exit.DialAsync();
                socket.Abort(isOrderly: true);
                _services.Restore(exit);
                NodeLog.ServerReached(_logger, exit.Address);
                return;
            }
            catch (Exception e) when (e is SocketException or IOException
                || (e is OperationCanceledException && !_stop.IsCancellationRequested))
            {
                // It is not there yet.
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private static ListenAddress AddressOf(string place) =>
        ListenAddress.TryParse(place, out ListenAddress? address, out string? error) ? address
            : throw new StartException($"a TCP service's address {error}");

    private async Task AcceptAsync(Socket listener, TcpEntrance entrance)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket socket = await listener.AcceptAsync();
                if (_guard.MayStay(socket))
                {
                    _services.Accept(entrance, new ServiceSocket(socket));
                }
                else
                {
                    socket.Dispose();
                }
            }
            catch (SocketException e) when (
                !_stop.IsCancellationRequested && e.SocketErrorCode != SocketError.OperationAborted)
            {
                // The client has gone already, or there are no more descriptors: others may come.
                NodeLog.AcceptFailed(_logger, entrance.Address, e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private static async Task<IServiceSocket> DialAsync(ListenAddress address, CancellationToken stop)
    {
        var socket = address.UnixPath is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp)
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            using var late = CancellationTokenSource.CreateLinkedTokenSource(stop);
            late.CancelAfter(DialTimeout);
            await (address.UnixPath is { } path
                ? socket.ConnectAsync(new UnixDomainSocketEndPoint(path), late.Token)
                : socket.ConnectAsync(address.Host!, address.Port, late.Token));
            return new ServiceSocket(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>Where clients of a TCP service come in.</summary>
/// <param name="Name">What the operator calls it.</param>
/// <param name="Place">Where it listens, with the real port.</param>
/// <param name="Entrance">The service's.</param>
/// <param name="Socket">The socket that listens.</param>
internal sealed record OpenListener(string Name, string Place, TcpEntrance Entrance, Socket Socket);

/// <summary>A server of a TCP service.</summary>
/// <param name="Name">What the operator calls it.</param>
/// <param name="Place">Where the server listens.</param>
/// <param name="Exit">The service's.</param>
internal sealed record OpenConnector(string Name, string Place, TcpExit Exit);
