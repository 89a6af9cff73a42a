using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Pillarbox.Transport;

namespace Pillarbox.Load.RabbitStreams;

/// <summary>
/// A connection that speaks RabbitMQ's stream protocol, logged in. Reading and writing may be two threads, each its
/// own.
/// </summary>
internal sealed class StreamSocket : IDisposable
{
    private const ushort Ok = 1;
    private const int InputBytes = 4 << 20;
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _input = new byte[InputBytes];
    private int _from;
    private int _filled;
    private uint _correlation;

    private StreamSocket(int port)
    {
        _socket.SendBufferSize = _socket.ReceiveBufferSize = 1 << 20;
        _socket.Connect(IPAddress.Loopback, port);
        LoopbackPacing.Remove(_socket);
    }

    /// <summary>Connects and logs in as the server's own user for this machine.</summary>
    public static StreamSocket Connect(int port)
    {
        StreamSocket socket = new(port);
        socket.Ask(StreamCommand.PeerProperties, frame => frame.U32(0));
        socket.Ask(StreamCommand.SaslHandshake, _ => { });
        socket.Ask(StreamCommand.SaslAuthenticate, frame => frame.Text("PLAIN").Bytes("\0guest\0guest"u8));
        ReadOnlySpan<byte> tune = socket.Read(StreamCommand.Tune);
        socket.Send(new FrameBuilder(StreamCommand.Tune)
            .U32(BinaryPrimitives.ReadUInt32BigEndian(tune)).U32(0).Finish());
        socket.Ask(StreamCommand.Open, frame => frame.Text("/"));
        return socket;
    }

    /// <summary>Sends a request and waits for its answer; throws unless it is good.</summary>
    public void Ask(ushort key, Action<FrameBuilder> fields)
    {
        FrameBuilder frame = new(key);
        frame.U32(++_correlation);
        fields(frame);
        Send(frame.Finish());
        ReadOnlySpan<byte> answer = Read((ushort)(key | StreamCommand.Answer));
        ushort code = BinaryPrimitives.ReadUInt16BigEndian(answer[sizeof(uint)..]);
        if (code != Ok)
        {
            throw new InvalidOperationException($"RabbitMQ refuses command {key} with code {code}");
        }
    }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    /// <summary>The next frame: its key, and its fields behind the version; valid until the next call. Throws
    /// <see cref="SocketException"/> when the connection ends.</summary>
    public ReadOnlySpan<byte> Next(out ushort key)
    {
        int size;
        while (_filled - _from < sizeof(uint) || (size = SizeOfNext()) > _filled - _from - sizeof(uint))
        {
            Receive();
        }

        ReadOnlySpan<byte> frame = _input.AsSpan(_from + sizeof(uint), size);
        _from += sizeof(uint) + size;
        key = BinaryPrimitives.ReadUInt16BigEndian(frame);
        return frame[(2 * sizeof(ushort))..];
    }

    public void Dispose() => _socket.Dispose();

    private ReadOnlySpan<byte> Read(ushort wanted)
    {
        while (true)
        {
            ReadOnlySpan<byte> fields = Next(out ushort key);
            if (key == wanted)
            {
                return fields;
            }

            if (key == StreamCommand.Close)
            {
                throw new InvalidOperationException("RabbitMQ has closed the connection");
            }
        }
    }

    private int SizeOfNext() => (int)BinaryPrimitives.ReadUInt32BigEndian(_input.AsSpan(_from));

    private void Receive()
    {
        _input.AsSpan(_from, _filled - _from).CopyTo(_input);
        (_filled, _from) = (_filled - _from, 0);
        if (_filled == _input.Length)
        {
            Array.Resize(ref _input, _input.Length * 2);
        }

        int count = _socket.Receive(_input.AsSpan(_filled));
        _filled += count > 0 ? count : throw new SocketException((int)SocketError.ConnectionReset);
    }
}
