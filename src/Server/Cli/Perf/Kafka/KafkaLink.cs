using System.Buffers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Pillarbox.Protocols.Kafka.Client;
using Pillarbox.Server.Cli.Sockets;

namespace Pillarbox.Server.Cli.Perf.Kafka;

/// <summary>A connection of a measurement, logged in: frames out, frames in. One thread at a time.</summary>
internal sealed class KafkaLink : IDisposable
{
    private const int InputBytes = 1 << 20;
    private const int EncryptedBytes = 64 << 10;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    private const long AnswerNanosecondsMax = 30_000_000_000;

    private readonly ClientSocket _socket;
    private readonly TlsBridge? _tls;
    private const long HandshakeLookNanoseconds = 1_000_000;
    private readonly SocketPoll _poll = new();
    private readonly ArrayBufferWriter<byte> _output = new(1 << 16);
    private readonly byte[] _encrypted = [];
    private byte[] _input = new byte[InputBytes];
    private int _sent;
    private int _from;
    private int _filled;
    private bool _isSecured;

    public KafkaLink(KafkaPerfOptions options, string name)
    {
        Frames = new KafkaFrames(name);
        try
        {
            _socket = ClientSocket.Connect(options.Host, options.Port, ConnectTimeout);
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            throw new CommandException(
                ExitCode.Failed, $"cannot connect to {options.Host}:{options.Port}: {e.Message}");
        }

        try
        {
            if (options.Login.Tls is { } tls)
            {
                _encrypted = new byte[EncryptedBytes];
                _tls = new TlsBridge();
                Secure(options.Host, tls);
            }

            options.Login.Run(this);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Writes requests to <see cref="Output"/>.</summary>
    public KafkaFrames Frames { get; }

    /// <summary>What goes out with the next <see cref="Pump"/>.</summary>
    public IBufferWriter<byte> Output => _output;

    /// <summary>Bytes that have not gone out.</summary>
    public int Unsent => _output.WrittenCount - _sent + (_tls?.ToSend.Length ?? 0);

    /// <summary>Sends what fits, waits at most so long for something to come, and takes it.</summary>
    public void Pump(long waitNanoseconds)
    {
        Send();
        _poll.Clear();
        _poll.Add(_socket.Descriptor, Unsent > 0);
        _poll.Wait(Math.Max(0, waitNanoseconds));
        if (_poll.IsReadable(0))
        {
            Receive();
        }
    }

    /// <summary>The next answer, if it is there; valid until the next <see cref="Pump"/>.</summary>
    public bool TryTake(out ReadOnlyMemory<byte> frame)
    {
        int end = KafkaFrames.EndOfFrame(_input.AsSpan(_from, _filled - _from));
        frame = end < 0 ? default : _input.AsMemory(_from, end);
        _from += Math.Max(0, end);
        return end >= 0;
    }

    /// <summary>Waits for the answer to what was written.</summary>
    public ReadOnlyMemory<byte> WaitForAnswer()
    {
        long end = Clock.Now + AnswerNanosecondsMax;
        ReadOnlyMemory<byte> frame;
        while (!TryTake(out frame))
        {
            PumpUntil(end);
        }

        return frame;
    }

    public void Dispose()
    {
        _tls?.Dispose();
        _socket.Dispose();
        Frames.Dispose();
    }

    private static CommandException Ended() => new(ExitCode.Failed, "the server has ended the connection");

    private void PumpUntil(long end, long atMost = long.MaxValue)
    {
        Pump(Math.Min(end - Clock.Now, atMost));
        if (Clock.Now >= end)
        {
            throw new CommandException(ExitCode.Failed, "the server does not answer");
        }
    }

    private void Secure(string host, TlsOptions options)
    {
        long end = Clock.Now + (long)ConnectTimeout.TotalNanoseconds;
        try
        {
            Task handshake = _tls!.HandshakeAsync(host, options);
            while (!handshake.IsCompleted)
            {
                // It may go on on another thread, which has no way to end the wait.
                PumpUntil(end, HandshakeLookNanoseconds);
            }

            handshake.GetAwaiter().GetResult();
            _isSecured = true;
        }
        catch (Exception e) when (e is AuthenticationException or CryptographicException or IOException)
        {
            throw new CommandException(ExitCode.Failed, $"no TLS with {host}: {e.Message}");
        }
    }

    private void Send()
    {
        if (_tls is null)
        {
            _sent += Send(_output.WrittenSpan[_sent..]);
            if (_sent < _output.WrittenCount)
            {
                return;
            }
        }
        else
        {
            if (_output.WrittenCount > 0)
            {
                _tls.Write(_output.WrittenSpan);
            }

            _tls.Sent(Send(_tls.ToSend));
        }

        _output.ResetWrittenCount();
        _sent = 0;
    }

    /// <summary>Sends what fits; returns how many bytes went out.</summary>
    private int Send(ReadOnlySpan<byte> bytes)
    {
        int sent = 0;
        while (sent < bytes.Length)
        {
            int count = _socket.Send(bytes[sent..]);
            if (count < 0)
            {
                throw Ended();
            }

            if (count == 0)
            {
                break;
            }

            sent += count;
        }

        return sent;
    }

    private void Receive()
    {
        if (_from > 0)
        {
            _input.AsSpan(_from, _filled - _from).CopyTo(_input);
            (_filled, _from) = (_filled - _from, 0);
        }

        if (_tls is null)
        {
            MakeRoom();
            Take(_socket.Receive(_input.AsSpan(_filled)));
            return;
        }

        int count = _socket.Receive(_encrypted);
        if (count >= 0)
        {
            _tls.Received(_encrypted.AsSpan(0, count));
        }

        while (count > 0 && _isSecured)
        {
            MakeRoom();
            count = _tls.Read(_input.AsSpan(_filled));
            Take(count);
        }

        if (count == 0 && _isSecured)
        {
            throw Ended();
        }
    }

    private void Take(int count)
    {
        if (count == 0)
        {
            throw Ended();
        }

        _filled += Math.Max(0, count);
    }

    private void MakeRoom()
    {
        if (_filled == _input.Length)
        {
            Array.Resize(ref _input, _input.Length * 2);
        }
    }
}
