using System.Net;
using System.Net.Sockets;
using System.Text;
using Pillarbox.Transport;

namespace Pillarbox.Load;

// The client protocol of NATS, as far as it is needed:
//
//   C  CONNECT {…}  PING  SUB <subject> <sid>  PUB <subject> [reply] <bytes>\r\n<payload>
//   S  INFO {…}  PONG  MSG <subject> <sid> [reply] <bytes>\r\n<payload>  PING

/// <summary>One publisher, and a subscriber or the stream's acknowledgements, on a connection and a thread
/// each.</summary>
internal sealed class NatsTraffic : IDisposable
{
    private const int BatchMessages = 200;
    private readonly Socket _publisher;
    private readonly Socket _receiver;
    private readonly byte[] _batch;
    private readonly int _window;
    private readonly Thread _sending;
    private readonly Thread _receiving;
    private long _sent;
    private long _received;
    private volatile bool _stopped;

    private NatsTraffic(Socket publisher, Socket receiver, byte[] batch, int window)
    {
        (_publisher, _receiver, _batch, _window) = (publisher, receiver, batch, window);
        _sending = new Thread(Send) { IsBackground = true };
        _receiving = new Thread(Receive) { IsBackground = true };
    }

    /// <summary>Messages delivered, or acknowledged by the stream.</summary>
    public long Received => Interlocked.Read(ref _received);

    public static NatsTraffic ToSubscriber(int port, string subject, int bodyBytes)
    {
        Socket receiver = Connect(port);
        Say(receiver, $"SUB {subject} 1\r\nPING\r\n");
        WaitFor(receiver, "PONG\r\n");
        return new NatsTraffic(
            Connect(port), receiver, Batch($"PUB {subject} {bodyBytes}\r\n", bodyBytes), int.MaxValue);
    }

    public static NatsTraffic ToStream(int port, string subject, int bodyBytes)
    {
        Socket receiver = Connect(port);
        string config = $$"""{"name":"{{subject}}","subjects":["{{subject}}"],"storage":"file","max_msgs":1000000}""";
        Say(receiver, $"SUB made 2\r\nPUB $JS.API.STREAM.CREATE.{subject} made {config.Length}\r\n{config}\r\n");
        WaitFor(receiver, "MSG made");
        Say(receiver, $"UNSUB 2\r\nSUB acks-{subject} 1\r\nPING\r\n");
        WaitFor(receiver, "PONG\r\n");
        byte[] batch = Batch($"PUB {subject} acks-{subject} {bodyBytes}\r\n", bodyBytes);
        return new NatsTraffic(Connect(port), receiver, batch, 1000);
    }

    public void Start()
    {
        _receiving.Start();
        _sending.Start();
    }

    public void Stop()
    {
        _stopped = true;
        _publisher.Dispose();
        _receiver.Dispose();
        _sending.Join();
        _receiving.Join();
    }

    public void Dispose()
    {
        _publisher.Dispose();
        _receiver.Dispose();
    }

    private static byte[] Batch(string header, int bodyBytes)
    {
        byte[] one = Encoding.ASCII.GetBytes(header + new string('x', bodyBytes) + "\r\n");
        return [.. Enumerable.Repeat(one, BatchMessages).SelectMany(m => m)];
    }

    private static Socket Connect(int port)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, port);
        LoopbackPacing.Remove(socket);
        Say(socket, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING\r\n");
        WaitFor(socket, "PONG\r\n");
        return socket;
    }

    private static void Say(Socket socket, string text) => socket.Send(Encoding.ASCII.GetBytes(text));

    private static void WaitFor(Socket socket, string text)
    {
        byte[] buffer = new byte[65536];
        string seen = "";
        while (!seen.Contains(text, StringComparison.Ordinal))
        {
            int count = socket.Receive(buffer);
            seen += count > 0
                ? Encoding.ASCII.GetString(buffer, 0, count)
                : throw new InvalidOperationException($"nats-server said {seen}");
        }
    }

    private void Send()
    {
        try
        {
            while (!_stopped)
            {
                if (_sent - Received > _window - BatchMessages)
                {
                    Thread.Yield();
                    continue;
                }
                _publisher.Send(_batch);
                _sent += BatchMessages;
            }
        }
        catch (SocketException) when (_stopped)
        {
            // The end of the measurement.
        }
        catch (ObjectDisposedException)
        {
            // The end of the measurement.
        }
    }

    private void Receive()
    {
        byte[] buffer = new byte[1 << 20];
        int held = 0;
        try
        {
            while (!_stopped)
            {
                int count = _receiver.Receive(buffer, held, buffer.Length - held, SocketFlags.None);
                if (count == 0)
                {
                    return;
                }
                held += count;
                int taken = Count(buffer.AsSpan(0, held));
                buffer.AsSpan(taken, held - taken).CopyTo(buffer);
                held -= taken;
            }
        }
        catch (SocketException) when (_stopped)
        {
            // The end of the measurement.
        }
        catch (ObjectDisposedException)
        {
            // The end of the measurement.
        }
    }

    private int Count(ReadOnlySpan<byte> input)
    {
        int taken = 0;
        long messages = 0;
        while (input[taken..].IndexOf((byte)'\n') is var end and >= 0)
        {
            ReadOnlySpan<byte> line = input.Slice(taken, end);
            int payload = 0;
            if (line.StartsWith("MSG "u8))
            {
                ReadOnlySpan<byte> size = line[(line.LastIndexOf((byte)' ') + 1)..^1];
                payload = int.Parse(size, System.Globalization.CultureInfo.InvariantCulture) + 2;
                if (input.Length - taken < end + 1 + payload)
                {
                    break;
                }
                messages++;
            }
            taken += end + 1 + payload;
        }
        Interlocked.Add(ref _received, messages);
        return taken;
    }
}
