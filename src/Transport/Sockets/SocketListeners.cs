#pragma warning disable RS0030 // the network seam: connections that come in
using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Pillarbox.Transport.Sockets;

/// <summary>Listens for Kestrel on network addresses; its connections are worked on by the threads that wait for
/// sockets (<see cref="IPooledConnectionFeature"/>).</summary>
/// <param name="pool">What connections read into and write from.</param>
/// <param name="backlog">Connections that may wait to be accepted.</param>
/// <param name="elsewhere">What listens on systems without epoll, and on other addresses.</param>
public sealed class SocketListeners(MemoryPool<byte> pool, int backlog, IConnectionListenerFactory elsewhere)
    : IConnectionListenerFactory
{
    /// <inheritdoc/>
    /// <exception cref="AddressInUseException">Somebody else listens there.</exception>
    /// <exception cref="SocketException">The system refused otherwise.</exception>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (!SocketLoops.AreHere || endpoint is not IPEndPoint)
        {
            return elsewhere.BindAsync(endpoint, cancellationToken);
        }

        Socket socket = Bind(endpoint);
        try
        {
            socket.Listen(backlog);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new ValueTask<IConnectionListener>(new Listener(socket, pool));
    }

    private static Socket Bind(EndPoint place)
    {
        try
        {
            return LoopbackPacing.Bind(place);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(e.Message, e);
        }
    }

    private sealed class Listener(Socket socket, MemoryPool<byte> pool) : IConnectionListener
    {
        public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                Socket? accepted = null;
                try
                {
                    accepted = await socket.AcceptAsync(cancellationToken);
                    accepted.NoDelay = true;
                    var connection = new SocketConnection(accepted, pool);
                    connection.Start();
                    return connection;
                }
                catch (Exception e) when (e is ObjectDisposedException
                    or SocketException { SocketErrorCode: SocketError.OperationAborted })
                {
                    accepted?.Dispose();
                    if (accepted is null)
                    {
                        return null;
                    }
                }
                catch (Exception e) when (e is SocketException or IOException)
                {
                    // This one was gone before it was accepted; there are others.
                    accepted?.Dispose();
                }
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            socket.Dispose();
            return default;
        }

        public ValueTask DisposeAsync() => UnbindAsync(CancellationToken.None);
    }
}
