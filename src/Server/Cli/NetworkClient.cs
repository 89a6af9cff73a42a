using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Server.Cli.Sockets;

namespace Pillarbox.Server.Cli;

/// <summary>
/// Drives a <see cref="ClientConnection"/> over a socket on the caller's thread: moves its bytes, waits when there is
/// nothing to move, keeps the connection alive. One thread; nothing here blocks but the waits that say so.
/// </summary>
internal sealed class NetworkClient : IDisposable
{
    private const int ShownMax = 100;
    private const long HandshakeLookNanoseconds = 1_000_000;
    private readonly ClientSocket _socket;
    private readonly TlsBridge? _tls;
    private readonly AmqpTarget _target;
    private readonly SocketPoll _poll = new();
    private byte[] _input = new byte[256 * 1024];
    private int _inputBytes;
    private long _lastSent;

    private NetworkClient(AmqpTarget target, ClientConnection connection)
    {
        _target = target;
        Connection = connection;
        _socket = ClientSocket.Connect(target.Url.Host, target.Port, target.Timeout);
        _tls = target.IsTls ? new TlsBridge() : null;
    }

    public ClientConnection Connection { get; }

    public int Descriptor => _socket.Descriptor;

    /// <summary>Whether bytes wait until the socket can take more.</summary>
    public bool HasUnsent => Connection.Output.Count > 0 || _tls?.ToSend.Length > 0;

    /// <summary>Whether the peer has ended the connection, one way or another.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Connects, logs in and opens; failures are one line each.</summary>
    public static NetworkClient Open(AmqpTarget target, string containerId)
    {
        var connection = new ClientConnection(target.OptionsFor(containerId));
        NetworkClient client = Connect(target, connection);
        try
        {
            client.SecureIfWanted();
            connection.Start();
            client.WaitFor(() => connection.State is ClientState.Open or ClientState.Closed, "log in");
            client.ThrowIfClosed();
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Waits until a condition holds; the connection's end or the time-out is an error.</summary>
    public void WaitFor(Func<bool> condition, string what)
    {
        long end = Clock.Now + (long)_target.Timeout.TotalNanoseconds;
        while (!condition())
        {
            long left = end - Clock.Now;
            if (left <= 0)
            {
                throw new CommandException(ExitCode.Timeout, $"{_target.HostAndPort} did not answer in time ({what})");
            }
            Pump(left);
            if (IsEnded && !condition())
            {
                throw Ended();
            }
        }
    }

    /// <summary>Waits until a link is attached; a refusal is an error with the peer's reason.</summary>
    public void WaitForAttach(ClientLink link, string address)
    {
        WaitFor(() => link.State != LinkState.Attaching || Connection.State == ClientState.Closed
            || link.Session.IsEnded, $"attach to {Shorten(address)}");
        ThrowIfClosed();
        if (link.Session.IsEnded)
        {
            throw Refused(link.Session.Error, address);
        }
        ThrowIfDetached(link, address);
    }

    public void ThrowIfClosed()
    {
        if (Connection.State == ClientState.Closed)
        {
            throw Refused(Connection.Error, _target.HostAndPort);
        }
    }

    public static void ThrowIfDetached(ClientLink link, string address)
    {
        if (link.State == LinkState.Detached)
        {
            throw Refused(link.Error, address);
        }
    }

    /// <summary>The connection's end is an error with the peer's reason, if it gave one.</summary>
    public void ThrowIfOver()
    {
        ThrowIfClosed();
        if (IsEnded)
        {
            throw Ended();
        }
        HeartbeatIfDue();
    }

    /// <summary>
    /// Sends what is to be sent, waits up to a time (nanoseconds) for input or room, takes what came.
    /// </summary>
    public void Pump(long timeoutNanoseconds)
    {
        Flush();
        if (IsEnded)
        {
            return;
        }
        _poll.Clear();
        _poll.Add(Descriptor, HasUnsent);
        _poll.Wait(Math.Min(timeoutNanoseconds, HeartbeatInterval()));
        if (_poll.IsReadable(0))
        {
            Read();
        }
        HeartbeatIfDue();
    }

    /// <summary>Sends what fits into the socket.</summary>
    public void Flush()
    {
        Connection.Flush();
        if (_tls is null)
        {
            Connection.Output.Take(Send(Connection.Output.Bytes));
            return;
        }
        if (Connection.Output.Count > 0)
        {
            _tls.Write(Connection.Output.Bytes);
            Connection.Output.Take(Connection.Output.Count);
        }
        _tls.Sent(Send(_tls.ToSend));
    }

    /// <summary>Takes what came and gives it to the connection.</summary>
    public void Read()
    {
        if (_tls is null)
        {
            MakeRoom();
            int count = _socket.Receive(_input.AsSpan(_inputBytes));
            OnReceived(count);
            return;
        }
        ReadEncrypted();
        int plain;
        do
        {
            MakeRoom();
            plain = _tls.Read(_input.AsSpan(_inputBytes));
            OnReceived(plain);
        }
        while (plain > 0);
    }

    /// <summary>Says goodbye and waits for the answer, but not for long.</summary>
    public void Close()
    {
        Connection.Close();
        long end = Clock.Now + 2_000_000_000;
        while (!IsEnded && (Connection.State != ClientState.Closed || HasUnsent) && Clock.Now < end)
        {
            Pump(end - Clock.Now);
        }
    }

    public void Dispose()
    {
        _tls?.Dispose();
        _socket.Dispose();
    }

    /// <summary>A name as it stands in a message: of a very long one only the start.</summary>
    public static string Shorten(string name) => name.Length <= ShownMax ? name : $"{name[..ShownMax]}…";

    /// <summary>The peer's error as a line and an exit code.</summary>
    public static CommandException Refused(AmqpError? error, string what) => new(
        error?.Condition switch
        {
            AmqpErrorCondition.NotFound => ExitCode.NotFound,
            AmqpErrorCondition.UnauthorizedAccess => ExitCode.Denied,
            AmqpErrorCondition.ResourceLocked or AmqpErrorCondition.PreconditionFailed => ExitCode.Conflict,
            AmqpErrorCondition.InvalidField => ExitCode.Usage,
            _ => ExitCode.Failed,
        },
        $"{Shorten(what)}: {error?.Description ?? error?.Condition ?? "ended by the server without a reason"}"
            + (error?.Description is null ? "" : $" ({error.Condition})"));

    private static NetworkClient Connect(AmqpTarget target, ClientConnection connection)
    {
        try
        {
            return new NetworkClient(target, connection);
        }
        catch (SocketException e)
        {
            string why = e.SocketErrorCode == SocketError.ConnectionRefused
                ? "nothing listens there; is the node running? (--url, or PILLARBOX_AMQP_URL)"
                : e.Message;
            throw new CommandException(ExitCode.Failed, $"cannot connect to {target.HostAndPort}: {why}");
        }
        catch (TimeoutException e)
        {
            throw new CommandException(ExitCode.Timeout, $"cannot connect to {target.HostAndPort}: {e.Message}");
        }
    }

    private void SecureIfWanted()
    {
        if (_tls is null)
        {
            return;
        }
        try
        {
            Task handshake = _tls.HandshakeAsync(_target.Url.Host, _target.Tls);
            WaitForHandshake(handshake);
            handshake.GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is AuthenticationException or CryptographicException or IOException)
        {
            throw new CommandException(ExitCode.Failed, $"no TLS with {_target.HostAndPort}: {e.Message}");
        }
    }

    private void WaitForHandshake(Task handshake)
    {
        long end = Clock.Now + (long)_target.Timeout.TotalNanoseconds;
        while (!handshake.IsCompleted && !IsEnded && Clock.Now < end)
        {
            _tls!.Sent(Send(_tls.ToSend));
            _poll.Clear();
            _poll.Add(Descriptor, HasUnsent);
            // It may go on on another thread, which has no way to end the wait.
            _poll.Wait(Math.Min(end - Clock.Now, HandshakeLookNanoseconds));
            if (_poll.IsReadable(0))
            {
                ReadEncrypted();
            }
        }
        if (!handshake.IsCompleted)
        {
            throw new CommandException(ExitCode.Timeout, $"no TLS handshake with {_target.HostAndPort} in time");
        }
    }

    private void ReadEncrypted()
    {
        Span<byte> encrypted = stackalloc byte[32 * 1024];
        int count = _socket.Receive(encrypted);
        if (count >= 0)
        {
            IsEnded |= count == 0;
            _tls!.Received(encrypted[..count]);
        }
    }

    private void OnReceived(int count)
    {
        if (count <= 0)
        {
            IsEnded |= count == 0;
            return;
        }
        _inputBytes += count;
        int taken = Connection.Receive(_input.AsSpan(0, _inputBytes));
        _inputBytes -= taken;
        if (taken > 0 && _inputBytes > 0)
        {
            _input.AsSpan(taken, _inputBytes).CopyTo(_input);
        }
    }

    private void MakeRoom()
    {
        if (_inputBytes == _input.Length)
        {
            Array.Resize(ref _input, _input.Length * 2);
        }
    }

    private int Send(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return 0;
        }
        int sent = _socket.Send(bytes);
        if (sent < 0)
        {
            IsEnded = true;
            return bytes.Length;
        }
        _lastSent = Clock.Now;
        return sent;
    }

    private long HeartbeatInterval() =>
        Connection.Peer?.IdleTimeoutMs is > 0 and var ms ? ms * 500_000L : long.MaxValue;

    private void HeartbeatIfDue()
    {
        if (Connection.State == ClientState.Open && Clock.Now - _lastSent >= HeartbeatInterval())
        {
            Connection.WriteHeartbeat();
        }
    }

    private CommandException Ended() => Connection.Error is { } error
        ? Refused(error, _target.HostAndPort)
        : new CommandException(ExitCode.Failed, $"{_target.HostAndPort} ended the connection");
}
