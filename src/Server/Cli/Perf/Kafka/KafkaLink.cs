using System.Buffers;
using System.Net.Sockets;
using Pillarbox.Protocols.Kafka.Client;
using Pillarbox.Server.Cli.Sockets;

namespace Pillarbox.Server.Cli.Perf.Kafka;

/// <summary>A connection of a measurement: frames out, frames in. One thread at a time.</summary>
internal sealed class KafkaLink : IDisposable
{
    private const int InputBytes = 1 << 20;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    private const long AnswerNanosecondsMax = 30_000_000_000;

    private readonly ClientSocket _socket;
    private readonly SocketPoll _poll = new();
    private readonly ArrayBufferWriter<byte> _output = new(1 << 16);
    private byte[] _input = new byte[InputBytes];
    private int _sent;
    private int _from;
    private int _filled;

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
    }

    /// <summary>Writes requests to <see cref="Output"/>.</summary>
    public KafkaFrames Frames { get; }

    /// <summary>What goes out with the next <see cref="Pump"/>.</summary>
    public IBufferWriter<byte> Output => _output;

    /// <summary>Bytes that have not gone out.</summary>
    public int Unsent => _output.WrittenCount - _sent;

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
            Pump(end - Clock.Now);
            if (Clock.Now >= end)
            {
                throw new CommandException(ExitCode.Failed, "the server does not answer");
            }
        }

        return frame;
    }

    public void Dispose()
    {
        _socket.Dispose();
        Frames.Dispose();
    }

    private void Send()
    {
        while (Unsent > 0)
        {
            int count = _socket.Send(_output.WrittenSpan[_sent..]);
            if (count < 0)
            {
                throw new CommandException(ExitCode.Failed, "the server has ended the connection");
            }

            _sent += count;
            if (count == 0)
            {
                return;
            }
        }

        _output.ResetWrittenCount();
        _sent = 0;
    }

    private void Receive()
    {
        if (_from > 0)
        {
            _input.AsSpan(_from, _filled - _from).CopyTo(_input);
            (_filled, _from) = (_filled - _from, 0);
        }

        if (_filled == _input.Length)
        {
            Array.Resize(ref _input, _input.Length * 2);
        }

        int count = _socket.Receive(_input.AsSpan(_filled));
        if (count == 0)
        {
            throw new CommandException(ExitCode.Failed, "the server has ended the connection");
        }

        _filled += Math.Max(0, count);
    }
}
