using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace Pillarbox.Load;

/// <summary>
/// The least that a log has to do: reads framed batches from sockets, appends the frames to a file, syncs the file once
/// for all that wait, and answers. It checks nothing, keeps nothing and serves no reader. It speaks just enough for
/// <c>pillarbox perf kafka</c> without consumers: CreateTopics 4 and Produce 7.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "it lives as long as its process")]
internal sealed class Relay
{
    private const int InputBytes = 4 << 20;
    private const short CreateTopics = 19;
    private readonly List<(Socket Socket, byte[] Frame)> _waiting = [];
    private readonly SemaphoreSlim _some = new(0);
    private readonly SafeFileHandle _file;
    private long _end;

    private Relay(string folder) => _file = File.OpenHandle(
        Path.Combine(folder, "relay.log"), FileMode.Create, FileAccess.ReadWrite, FileShare.Read);

    /// <summary>Runs until the process is ended.</summary>
    public static void Run(string folder)
    {
        var relay = new Relay(folder);
        new Thread(relay.Flush) { IsBackground = true }.Start();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Console.WriteLine($"listening {listener.LocalEndPoint}");
        while (true)
        {
            Socket socket = listener.Accept();
            socket.NoDelay = true;
            new Thread(() => relay.Read(socket)) { IsBackground = true }.Start();
        }
    }

    private void Read(Socket socket)
    {
        byte[] input = new byte[InputBytes];
        int filled = 0;
        try
        {
            for (int count; (count = socket.Receive(input, filled, input.Length - filled, SocketFlags.None)) > 0;)
            {
                filled += count;
                int from = 0;
                while (filled - from >= 4 && BinaryPrimitives.ReadInt32BigEndian(input.AsSpan(from)) + 4 is var size
                    && filled - from >= size)
                {
                    Take(socket, input.AsSpan(from, size).ToArray());
                    from += size;
                }

                input.AsSpan(from, filled - from).CopyTo(input);
                filled -= from;
            }
        }
        catch (SocketException)
        {
            // The measurement is over.
        }

        socket.Dispose();
    }

    private void Take(Socket socket, byte[] frame)
    {
        lock (_waiting)
        {
            _waiting.Add((socket, frame));
            if (_waiting.Count == 1)
            {
                _some.Release();
            }
        }
    }

    // One write and one sync for all that came while the last ones were under way.
    private void Flush()
    {
        List<(Socket Socket, byte[] Frame)> taken = [];
        while (true)
        {
            _some.Wait();
            lock (_waiting)
            {
                taken.AddRange(_waiting);
                _waiting.Clear();
            }

            RandomAccess.Write(_file, [.. taken.Select(t => (ReadOnlyMemory<byte>)t.Frame)], _end);
            _end += taken.Sum(t => (long)t.Frame.Length);
            RandomAccess.FlushToDisk(_file);
            foreach ((Socket socket, byte[] frame) in taken)
            {
                Answer(socket, frame);
            }

            taken.Clear();
        }
    }

    private static void Answer(Socket socket, byte[] frame)
    {
        short key = BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(4));
        int clientBytes = BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(12));
        int body = 14 + clientBytes;

        // CreateTopics: topics[] name ...; Produce: transactional id (none), acks, time-out, topics[] name ...
        int nameAt = key == CreateTopics ? body + 4 : body + 2 + 2 + 4 + 4;
        int nameBytes = BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(nameAt)) + 2;
        ReadOnlySpan<byte> name = frame.AsSpan(nameAt, nameBytes);
        byte[] answer = new byte[128 + nameBytes];
        BinaryPrimitives.WriteInt32BigEndian(answer.AsSpan(4), BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(8)));
        int at = key == CreateTopics ? 12 : 8;
        BinaryPrimitives.WriteInt32BigEndian(answer.AsSpan(at), 1);
        name.CopyTo(answer.AsSpan(at + 4));
        at += 4 + nameBytes;
        if (key == CreateTopics)
        {
            // error 0, no message
            BinaryPrimitives.WriteInt16BigEndian(answer.AsSpan(at + 2), -1);
            at += 4;
        }
        else
        {
            // partitions[1]: index, error, base offset, append time, start offset; throttle time
            BinaryPrimitives.WriteInt32BigEndian(answer.AsSpan(at), 1);
            at += 4 + 4 + 2 + 8 + 8 + 8 + 4;
        }

        BinaryPrimitives.WriteInt32BigEndian(answer, at - 4);
        try
        {
            socket.Send(answer, at, SocketFlags.None);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The measurement is over.
        }
    }
}
