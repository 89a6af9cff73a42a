#pragma warning disable RS0030 // reason: the seam where the command line's clients meet the network
using System.Net;
using System.Net.Sockets;
using Pillarbox.Transport;

namespace Pillarbox.Server.Cli.Sockets;

/// <summary>
/// A TCP connection that never blocks once it is made: bytes that are there are taken, bytes that fit are sent.
/// <see cref="SocketPoll"/> waits for many of them at once. One thread at a time.
/// </summary>
internal sealed class ClientSocket : IDisposable
{
    private const int BufferBytes = 1 << 20;
    private readonly Socket _socket;

    private ClientSocket(Socket socket)
    {
        _socket = socket;
        Descriptor = (int)socket.SafeHandle.DangerousGetHandle();
    }

    /// <summary>The operating system's number of this socket, for <see cref="SocketPoll"/>.</summary>
    public int Descriptor { get; }

    /// <summary>
    /// Connects, blocking up to the time-out; a <see cref="SocketException"/> or time-out says why not. It does not use
    /// the runtime's asynchronous connect: a socket that was used so once wakes the thread pool at every input.
    /// </summary>
    public static ClientSocket Connect(string host, int port, TimeSpan timeout)
    {
        IPAddress[] addresses = IPAddress.TryParse(host, out IPAddress? address)
            ? [address]
            : Dns.GetHostAddresses(host);
        SocketException? failure = null;
        foreach (IPAddress candidate in addresses)
        {
            try
            {
                return Connect(new IPEndPoint(candidate, port), timeout);
            }
            catch (SocketException e)
            {
                failure = e;
            }
        }
        throw failure ?? new SocketException((int)SocketError.HostNotFound);
    }

    private static ClientSocket Connect(IPEndPoint target, TimeSpan timeout)
    {
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            Blocking = false,
            SendBufferSize = BufferBytes,
        };
        try
        {
            StartConnecting(socket, target);
            bool done = socket.Poll(timeout, SelectMode.SelectWrite);
            int error = (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
            return !done ? throw new TimeoutException($"no answer within {timeout.TotalSeconds:0.#} s")
                : error != 0 ? throw new SocketException(error)
                : new ClientSocket(Tuned(socket));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static Socket Tuned(Socket socket)
    {
        LoopbackPacing.Remove(socket);
        return socket;
    }

    private static void StartConnecting(Socket socket, IPEndPoint target)
    {
        try
        {
            socket.Connect(target);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            // The usual answer of a socket that does not block.
        }
    }

    /// <summary>Takes what is there: -1 when nothing is there yet, 0 when the peer has ended.</summary>
    public int Receive(Span<byte> into)
    {
        int count = _socket.Receive(into, SocketFlags.None, out SocketError error);
        return error switch
        {
            SocketError.Success => count,
            SocketError.WouldBlock => -1,
            SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => 0,
            _ => throw new SocketException((int)error),
        };
    }

    /// <summary>Sends what fits: how many bytes went out, -1 when the peer is gone.</summary>
    public int Send(ReadOnlySpan<byte> bytes)
    {
        int count = _socket.Send(bytes, SocketFlags.None, out SocketError error);
        return error switch
        {
            SocketError.Success => count,
            SocketError.WouldBlock => 0,
            SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => -1,
            _ => throw new SocketException((int)error),
        };
    }

    public void Dispose() => _socket.Dispose();
}
