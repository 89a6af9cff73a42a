#pragma warning disable RS0030 // the network seam: connections that the node makes
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting;

/// <summary>Makes connections to other nodes: the same sockets and pipes as those that Kestrel accepts.</summary>
internal sealed class NodeDialer : IDisposable
{
    private readonly SocketConnectionContextFactory _contexts;

    public NodeDialer(ILoggerFactory logs) => _contexts = new SocketConnectionContextFactory(
        new SocketConnectionFactoryOptions
        {
            // As for accepted connections: the loops give the pool what may take long.
            UnsafePreferInlineScheduling = true,
            WaitForDataBeforeAllocatingBuffer = true,
        },
        logs.CreateLogger("Pillarbox.Connectors"));

    /// <summary>Connects. Throws <see cref="SocketException"/> when nobody answers.</summary>
    public async ValueTask<ConnectionContext> DialAsync(ListenAddress address, CancellationToken cancellation)
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
            }

            return _contexts.Create(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose() => _contexts.Dispose();
}
