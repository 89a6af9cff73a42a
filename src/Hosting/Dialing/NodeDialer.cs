#pragma warning disable RS0030 // the network seam: connections that the node makes
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Transport;

namespace Pillarbox.Hosting.Dialing;

/// <summary>
/// Makes connections to other nodes: by TCP the same sockets and pipes as those that Kestrel accepts; over TLS, as a
/// WebSocket, and each of these through an HTTP proxy. Thread-safe.
/// </summary>
internal sealed class NodeDialer : IDisposable
{
    private readonly SocketConnectionContextFactory _contexts;
    private readonly TimeProvider _time;

    public NodeDialer(ILoggerFactory logs, TimeProvider time)
    {
        _time = time;
        _contexts = new SocketConnectionContextFactory(
            new SocketConnectionFactoryOptions
            {
                // As for accepted connections: the loops give the pool what may take long.
                UnsafePreferInlineScheduling = true,
                WaitForDataBeforeAllocatingBuffer = true,
            },
            logs.CreateLogger("Pillarbox.Connectors"));
    }

    /// <summary>Connects, within <see cref="DialOptions.TimeoutMs"/>. Throws <see cref="SocketException"/> when nobody
    /// answers, <see cref="IOException"/> when TLS, the proxy or the WebSocket fail, <see cref="StartException"/> when
    /// a file of certificates cannot be used.</summary>
    public async ValueTask<ConnectionContext> DialAsync(
        DialPlace place, DialOptions options, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(DialOptions.TimeoutMs), _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            return await ConnectAsync(place, options, either.Token);
        }
        catch (OperationCanceledException e) when (patience.IsCancellationRequested)
        {
            throw new IOException($"no answer within {DialOptions.TimeoutMs / 1000} s", e);
        }
    }

    public void Dispose() => _contexts.Dispose();

    private async Task<ConnectionContext> ConnectAsync(
        DialPlace place, DialOptions options, CancellationToken cancellation)
    {
        ConnectorTlsConfig? tls = options.TlsTo(place);
        if (place.IsWebSocket)
        {
            return await DialedWebSocket.ConnectAsync(
                place, tls, async stop => Own(await ReachAsync(place, options.Proxy, stop)), cancellation);
        }

        Socket socket = await ReachAsync(place, options.Proxy, cancellation);
        return tls is null
            ? _contexts.Create(socket)
            : await TlsConnection.HandshakeAsync(Own(socket), place.Host, tls, cancellation);
    }

    private static NetworkStream Own(Socket socket) => new(socket, ownsSocket: true);

    // A socket whose bytes are those of the place.
    private static async Task<Socket> ReachAsync(DialPlace place, DialProxy? proxy, CancellationToken cancellation)
    {
        if (proxy is null)
        {
            return await OpenAsync(place.Address, cancellation);
        }

        Socket socket = await ReachProxyAsync(proxy, cancellation);
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: false);
            await HttpTunnel.OpenAsync(stream, place.Authority, proxy, cancellation);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Socket> ReachProxyAsync(DialProxy proxy, CancellationToken cancellation)
    {
        try
        {
            return await OpenAsync(proxy.Address, cancellation);
        }
        catch (SocketException e)
        {
            throw new IOException($"the proxy {proxy.Address} cannot be reached: {e.Message}", e);
        }
    }

    private static async Task<Socket> OpenAsync(ListenAddress address, CancellationToken cancellation)
    {
        var socket = address.UnixPath is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (address.UnixPath is { } path)
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            }
            else
            {
                await socket.ConnectAsync(address.Host!, address.Port, cancellation);
                LoopbackPacing.Remove(socket);
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
