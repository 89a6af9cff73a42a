using System.Buffers.Text;
using System.Net.Sockets;
using System.Text;
using Pillarbox.Server.Cli.Sockets;

namespace Pillarbox.Server.Cli.Perf.Stomp;

/// <summary>A connection of a measurement: frames out, frames in. One thread at a time.</summary>
internal sealed class StompLink : IDisposable
{
    private const int BufferBytes = 1 << 20;
    private const long AnswerNanosecondsMax = 30_000_000_000;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    private readonly ClientSocket _socket;
    private readonly SocketPoll _poll = new();
    private byte[] _output = new byte[BufferBytes];
    private byte[] _input = new byte[BufferBytes];
    private int _outFrom;
    private int _outTo;
    private int _inFrom;
    private int _inTo;
    private readonly bool _isConnected;

    /// <summary>Connects and logs in. Throws <see cref="CommandException"/>.</summary>
    public StompLink(StompPerfOptions options)
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

        PerfServer server = options.Server;
        string login = server.User is null ? "" : $"login:{server.User}\npasscode:{server.Password}\n";
        Write($"CONNECT\naccept-version:1.2,1.1\nhost:{server.Host}\n{login}\n\0");
        WaitFor("CONNECTED"u8);
        _isConnected = true;
    }

    /// <summary>Bytes that have not gone out.</summary>
    public int Unsent => _outTo - _outFrom;

    /// <summary>Adds text to what goes out.</summary>
    public void Write(string text) => Write(Encoding.UTF8.GetBytes(text));

    /// <summary>Adds bytes to what goes out.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (_output.Length - _outTo < bytes.Length)
        {
            Compact(ref _output, ref _outFrom, ref _outTo, bytes.Length);
        }

        bytes.CopyTo(_output.AsSpan(_outTo));
        _outTo += bytes.Length;
    }

    /// <summary>Sends what fits, waits at most so long for something to come, and takes it.</summary>
    public void Pump(long waitNanoseconds)
    {
        Flush();
        _poll.Clear();
        _poll.Add(_socket.Descriptor, Unsent > 0);
        _poll.Wait(Math.Max(0, waitNanoseconds));
        if (_poll.IsReadable(0))
        {
            Receive();
        }
    }

    /// <summary>The next frame, if it is there; valid until the next <see cref="Pump"/>.</summary>
    public bool TryTake(out ReadOnlySpan<byte> head, out ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> rest = _input.AsSpan(_inFrom, _inTo - _inFrom);
        int blank = rest.IndexOfAnyExcept((byte)'\n', (byte)'\r');
        int end = blank < 0 ? -1 : rest[blank..].IndexOf("\n\n"u8);
        head = body = default;
        if (end < 0)
        {
            return false;
        }

        head = rest.Slice(blank, end + 1);
        ReadOnlySpan<byte> behind = rest[(blank + end + 2)..];
        int length = Header(head, "\ncontent-length:"u8, out ReadOnlySpan<byte> value)
            && Utf8Parser.TryParse(value, out int counted, out _) ? counted : behind.IndexOf((byte)0);
        if (length < 0 || behind.Length <= length)
        {
            return false;
        }

        body = behind[..length];
        _inFrom += blank + end + 2 + length + 1;
        return head.StartsWith("ERROR"u8) ? throw Said(head, body) : true;
    }

    // In one line: its message, else how its text begins.
    private CommandException Said(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        string text = Header(head, "\nmessage:"u8, out ReadOnlySpan<byte> message)
            ? Encoding.UTF8.GetString(message).Replace("\\c", ":", StringComparison.Ordinal)
            : Encoding.UTF8.GetString(body).Split('\n')[0].TrimEnd('\r');
        return _isConnected
            ? new CommandException(ExitCode.Failed, $"the server says: {text}") : PerfServer.Refused(text);
    }

    /// <summary>The value of a header, whose name is given with the line's end before and the colon behind.</summary>
    public static bool Header(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        int at = head.IndexOf(name);
        value = at < 0 ? default : head[(at + name.Length)..];
        value = at < 0 ? default : value[..value.IndexOf((byte)'\n')].TrimEnd((byte)'\r');
        return at >= 0;
    }

    /// <summary>Waits for a frame, and drops others.</summary>
    public void WaitFor(ReadOnlySpan<byte> command)
    {
        long end = Clock.Now + AnswerNanosecondsMax;
        while (Clock.Now < end)
        {
            while (TryTake(out ReadOnlySpan<byte> head, out _))
            {
                if (head.StartsWith(command))
                {
                    return;
                }
            }

            Pump(end - Clock.Now);
        }

        throw new CommandException(ExitCode.Failed, "the server does not answer");
    }

    /// <summary>Sends what fits.</summary>
    public void Flush()
    {
        int sent = Unsent == 0 ? 0 : _socket.Send(_output.AsSpan(_outFrom, Unsent));
        if (sent < 0)
        {
            throw new CommandException(ExitCode.Failed, "the server has ended the connection");
        }

        _outFrom += sent;
        if (_outFrom == _outTo)
        {
            _outFrom = _outTo = 0;
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Receive()
    {
        if (_inTo == _input.Length || _inFrom == _inTo)
        {
            Compact(ref _input, ref _inFrom, ref _inTo, 1);
        }

        int count = _socket.Receive(_input.AsSpan(_inTo));
        _inTo += count switch
        {
            0 => throw new CommandException(ExitCode.Failed, "the server has ended the connection"),
            _ => Math.Max(0, count),
        };
    }

    // Moves what is left to the front; a longer array where that does not make the room that is needed.
    private static void Compact(ref byte[] buffer, ref int from, ref int to, int need)
    {
        byte[] target = to - from + need > buffer.Length
            ? new byte[Math.Max(buffer.Length * 2, to - from + need)] : buffer;
        buffer.AsSpan(from, to - from).CopyTo(target);
        (buffer, from, to) = (target, 0, to - from);
    }
}
