#pragma warning disable RS0030 // the network seam: connections of TCP services
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Pillarbox.Protocols.Amqp.Routed.Tcp;
using Pillarbox.Transport;

namespace Pillarbox.Hosting;

/// <summary>A socket as the network carries it.</summary>
internal sealed class ServiceSocket : IServiceSocket
{
    private readonly Socket _socket;

    public ServiceSocket(Socket socket)
    {
        _socket = socket;
        if (socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
        {
            socket.NoDelay = true;
            LoopbackPacing.Remove(socket);
        }
    }

    public string RemoteEndPoint => PeerTransport.TextOf(_socket.RemoteEndPoint);

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
