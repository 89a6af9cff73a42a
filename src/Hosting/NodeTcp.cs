#pragma warning disable RS0030 // the network seam: connections of TCP services
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
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

    private readonly TcpServices _services;
    private readonly List<Socket> _listeners = [];
    private readonly List<NodeEndpoint> _endpoints = [];
    private readonly ILogger _logger;
    private readonly DescriptorGuard _guard;
    private readonly CancellationTokenSource _stop = new();

    private NodeTcp(INetwork network, ILoggerFactory logs)
    {
        _services = new TcpServices(network, logs);
        _logger = logs.CreateLogger("Pillarbox.Services");
        _guard = new DescriptorGuard(DescriptorGuard.LimitOfProcess(), TimeProvider.System, _logger);
    }

    /// <summary>Where it listens, with the real ports.</summary>
    public IReadOnlyList<NodeEndpoint> Endpoints => _endpoints;

    /// <summary>Binds all listeners or none. Throws <see cref="StartException"/>.</summary>
    public static async Task<NodeTcp> StartAsync(RouterSection section, INetwork network, ILoggerFactory logs)
    {
        var tcp = new NodeTcp(network, logs);
        try
        {
            foreach ((string service, IReadOnlyList<string> places) in section.TcpConnectors)
            {
                foreach (string place in places)
                {
                    tcp.Offer(service, place);
                }
            }

            foreach ((string service, IReadOnlyList<string> places) in section.TcpListeners)
            {
                foreach (string place in places)
                {
                    await tcp.ListenAsync(service, place);
                }
            }

            return tcp;
        }
        catch
        {
            tcp.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        foreach (Socket listener in _listeners)
        {
            listener.Dispose();
        }

        _services.Dispose();
        _stop.Dispose();
    }

    private void Offer(string service, string place)
    {
        ListenAddress address = AddressOf(place);
        if (!_services.OpenExit(service, () => DialAsync(address, _stop.Token)))
        {
            throw new StartException($"the TCP service '{service}' cannot be offered: its address may not be used");
        }
    }

    private async Task ListenAsync(string service, string place)
    {
        if (_services.OpenEntrance(service) is not { } entrance)
        {
            throw new StartException($"the TCP service '{service}' cannot be reached: its address may not be used");
        }

        ListenAddress address = AddressOf(place);
        EndPoint point = address.UnixPath is { } path ? new UnixDomainSocketEndPoint(path)
            : new IPEndPoint(
                address.Address ?? (await Dns.GetHostAddressesAsync(address.Host!, _stop.Token))[0], address.Port);
        var listener = new Socket(
            point.AddressFamily, SocketType.Stream, point is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        _listeners.Add(listener);
        try
        {
            listener.Bind(point);
            listener.Listen(Backlog);
        }
        catch (SocketException e)
        {
            throw new StartException($"cannot listen for the TCP service '{service}' on {place}: {e.Message}", e);
        }

        _endpoints.Add(new NodeEndpoint(service, ListenerProtocol.Amqp, Tls: false, listener.LocalEndPoint!.ToString()!)
        {
            Service = service,
        });
        _ = AcceptAsync(listener, entrance);
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
            catch (SocketException e) when (!_stop.IsCancellationRequested)
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

    /// <summary>A socket as the network carries it.</summary>
    private sealed class ServiceSocket : IServiceSocket
    {
        private readonly Socket _socket;

        public ServiceSocket(Socket socket)
        {
            _socket = socket;
            if (socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
            {
                socket.NoDelay = true;
            }
        }

        public string RemoteEndPoint => _socket.RemoteEndPoint?.ToString() ?? "";

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        public async ValueTask<int> ReceiveAsync(Memory<byte> buffer)
        {
            try
            {
                return await _socket.ReceiveAsync(buffer, SocketFlags.None).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                throw new IOException(e.Message, e);
            }
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        public async ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes)
        {
            try
            {
                return await _socket.SendAsync(bytes, SocketFlags.None).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                throw new IOException(e.Message, e);
            }
        }

        public void EndOutput()
        {
            try
            {
                _socket.Shutdown(SocketShutdown.Send);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                throw new IOException(e.Message, e);
            }
        }

        public void Abort(bool isOrderly)
        {
            if (!isOrderly)
            {
                // The other end hears that something broke, not that all was sent.
                _socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }

            _socket.Dispose();
        }
    }
}
