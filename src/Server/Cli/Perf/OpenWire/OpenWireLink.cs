using System.Buffers;
using System.Net.Sockets;
using Pillarbox.Protocols.OpenWire.Wire;
using Pillarbox.Server.Cli.Sockets;

namespace Pillarbox.Server.Cli.Perf.OpenWire;

/// <summary>A connection of a measurement, OpenWire 12 without cache: commands out, commands in. One thread at a
/// time.</summary>
internal sealed class OpenWireLink : IDisposable
{
    private const int BufferBytes = 1 << 20;
    private const int FrameBytesMax = 100 << 20;
    private const int Version = 12;
    private const long AnswerNanosecondsMax = 30_000_000_000;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    private readonly ClientSocket _socket;
    private readonly SocketPoll _poll = new();
    private readonly WireReader _reader = new();
    private readonly WireWriter _writer = new();
    private readonly ArrayBufferWriter<byte> _output = new(BufferBytes);
    private byte[] _input = new byte[BufferBytes];
    private int _sent;
    private int _from;
    private int _to;
    private int _lastCommand;
    private readonly bool _isConnected;

    /// <summary>Connects, negotiates and logs in, with one session. Throws <see cref="CommandException"/>.</summary>
    public OpenWireLink(OpenWirePerfOptions options, string name)
    {
        try
        {
            _socket = ClientSocket.Connect(options.Server.Host, options.Server.Port, ConnectTimeout);
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            throw new CommandException(
                ExitCode.Failed, $"cannot connect to {options.Server.Host}:{options.Server.Port}: {e.Message}");
        }

        Connection = new ConnectionId { Value = $"ID:pillarbox-perf-{Environment.ProcessId}-{name}" };
        Session = new SessionId { Connection = Connection.Value, Value = 1 };
        _writer.Write(new WireFormatInfo
        {
            Version = Version,
            TightEncodingEnabled = options.IsTight,
            TcpNoDelayEnabled = true,
            MaxFrameSize = FrameBytesMax,
        }.Seal(), _output);
        WireFormatInfo theirs = WaitFor<WireFormatInfo>();
        var format = new WireFormat(
            Math.Min(Version, theirs.Version), options.IsTight && theirs.TightEncodingEnabled);
        _reader.Use(format);
        _writer.Use(format);
        Ask(new ConnectionInfo
        {
            ConnectionId = Connection,
            ClientId = Connection.Value,
            UserName = options.Server.User,
            Password = options.Server.Password,
        });
        _isConnected = true;
        Ask(new SessionInfo { SessionId = Session });
    }

    public ConnectionId Connection { get; }

    public SessionId Session { get; }

    /// <summary>Bytes that have not gone out.</summary>
    public int Unsent => _output.WrittenCount - _sent;

    /// <summary>Adds a command to what goes out; its number.</summary>
    public int Write(Command command, bool asks)
    {
        command.CommandId = ++_lastCommand;
        command.ResponseRequired = asks;
        _writer.Write(command, _output);
        return command.CommandId;
    }

    /// <summary>Sends a command and waits for its answer; others are dropped.</summary>
    public void Ask(Command command)
    {
        int id = Write(command, asks: true);
        while (WaitFor<Response>().CorrelationId != id)
        {
            // An answer to something else.
        }
    }

    /// <summary>Waits while there was nothing to send: only what comes, or the time, ends them.</summary>
    public int IdleWaits { get; private set; }

    /// <summary>Sends what fits, waits at most so long for something to come, and takes it.</summary>
    public void Pump(long waitNanoseconds)
    {
        Flush();
        Wait(waitNanoseconds);
    }

    /// <summary>Waits at most so long for something to come, or for room for what is not sent, and takes what has
    /// come.</summary>
    public void Wait(long waitNanoseconds)
    {
        IdleWaits += waitNanoseconds > 0 && Unsent == 0 ? 1 : 0;
        _poll.Clear();
        _poll.Add(_socket.Descriptor, Unsent > 0);
        _poll.Wait(Math.Max(0, waitNanoseconds));
        if (_poll.IsReadable(0))
        {
            Receive();
        }
    }

    /// <summary>The next command, if it is there; its bytes are valid until the next <see cref="Pump"/>.</summary>
    public bool TryTake(out IDataStructure? command)
    {
        command = null;
        var rest = new ReadOnlySequence<byte>(_input, _from, _to - _from);
        if (!WireFrames.TryTake(rest, FrameBytesMax, out ReadOnlySequence<byte> frame))
        {
            return false;
        }

        command = _reader.Read(frame.First);
        _from += (int)frame.Length + WireFrames.SizeBytes;
        return command switch
        {
            ExceptionResponse refusal => throw Said(refusal.Exception),
            ConnectionError error => throw Said(error.Exception),
            _ => true,
        };
    }

    /// <summary>Sends what fits.</summary>
    public void Flush()
    {
        int sent = Unsent == 0 ? 0 : _socket.Send(_output.WrittenSpan[_sent..]);
        if (sent < 0)
        {
            throw new CommandException(ExitCode.Failed, "the server has ended the connection");
        }

        _sent += sent;
        if (_sent == _output.WrittenCount)
        {
            _output.ResetWrittenCount();
            _sent = 0;
        }
    }

    public void Dispose() => _socket.Dispose();

    private CommandException Said(WireThrowable? why)
    {
        string text = $"{why?.Message} ({why?.ClassName})";
        return _isConnected
            ? new CommandException(ExitCode.Failed, $"the server says: {text}") : PerfServer.Refused(text);
    }

    private T WaitFor<T>()
        where T : class, IDataStructure
    {
        long end = Clock.Now + AnswerNanosecondsMax;
        while (Clock.Now < end)
        {
            while (TryTake(out IDataStructure? command))
            {
                if (command is T wanted)
                {
                    return wanted;
                }
            }

            Pump(end - Clock.Now);
        }

        throw new CommandException(ExitCode.Failed, "the server does not answer");
    }

    private void Receive()
    {
        if (_from > 0)
        {
            _input.AsSpan(_from, _to - _from).CopyTo(_input);
            (_from, _to) = (0, _to - _from);
        }

        if (_to == _input.Length)
        {
            Array.Resize(ref _input, _input.Length * 2);
        }

        int count = _socket.Receive(_input.AsSpan(_to));
        _to += count switch
        {
            0 => throw new CommandException(ExitCode.Failed, "the server has ended the connection"),
            _ => Math.Max(0, count),
        };
    }
}
