using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Server.Cli.Sockets;

namespace Pillarbox.Server.Cli.Perf.Mqtt;

/// <summary>A connection of a measurement, MQTT 3.1.1: packets out, packets in. One thread at a time.</summary>
internal sealed class MqttLink : IDisposable
{
    private const int InputBytes = 64 << 10;
    private const long AnswerNanosecondsMax = 30_000_000_000;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    private readonly ClientSocket _socket;
    private readonly SocketPoll _poll = new();
    private readonly ArrayBufferWriter<byte> _output = new(1024);
    private byte[] _input;
    private int _sent;
    private int _from;
    private int _filled;

    public MqttLink(MqttPerfOptions options, string clientId, bool clean, int inputBytes = InputBytes)
    {
        _input = new byte[inputBytes];
        try
        {
            _socket = ClientSocket.Connect(options.Server.Host, options.Server.Port, ConnectTimeout);
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            throw new CommandException(
                ExitCode.Failed, $"cannot connect to {options.Server.Host}:{options.Server.Port}: {e.Message}");
        }

        var connect = new ConnectPacket
        {
            Version = MqttVersion.V311,
            ClientId = clientId,
            CleanStart = clean,
            UserName = options.Server.User,
            Password = options.Server.Password is { } password ? Encoding.UTF8.GetBytes(password) : null,
        };
        connect.Write(_output);
        ReasonCode reason = ConnAckPacket.Read(Expect(PacketType.ConnAck), MqttVersion.V311).Reason;
        if (reason != ReasonCode.Success)
        {
            throw Refused(reason);
        }
    }

    public int Descriptor => _socket.Descriptor;

    /// <summary>What goes out with the next <see cref="Send"/>.</summary>
    public IBufferWriter<byte> Output => _output;

    /// <summary>Bytes that have not gone out.</summary>
    public int Unsent => _output.WrittenCount - _sent;

    public void Subscribe(string filter, int qos)
    {
        SubscribePacket.Write(_output, MqttVersion.V311, 1, 0, (filter, (byte)qos));
        ReadOnlySpan<byte> answer = Expect(PacketType.SubAck);
        if (SubAckPacket.Read(PacketType.SubAck, answer, MqttVersion.V311).Reasons[0] > 2)
        {
            throw new CommandException(ExitCode.Failed, $"the server refuses the subscription to {filter}");
        }
    }

    /// <summary>The next packet, if it is there; valid until the next <see cref="Receive"/>.</summary>
    public bool TryTake(out FixedHeader header, out ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> there = _input.AsSpan(_from, _filled - _from);
        body = default;
        if (!FixedHeader.TryRead(there, int.MaxValue, out header) || there.Length < header.PacketBytes)
        {
            return false;
        }

        body = there.Slice(header.HeaderBytes, header.Length);
        _from += header.PacketBytes;
        return true;
    }

    /// <summary>Sends what fits.</summary>
    public void Send()
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

    /// <summary>Takes what is there.</summary>
    public void Receive()
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

    public void Dispose() => _socket.Dispose();

    // MQTT 3.1.1 §3.2.2.3.
    private static CommandException Refused(ReasonCode reason) => reason switch
    {
        ReasonCode.BadUserNameOrPassword => PerfServer.Refused("bad user name or password (return code 4)"),
        ReasonCode.NotAuthorized => PerfServer.Refused("not authorized (return code 5)"),
        ReasonCode.UnsupportedProtocolVersion => Said("unacceptable protocol version (return code 1)"),
        ReasonCode.ClientIdentifierNotValid => Said("client identifier rejected (return code 2)"),
        _ => Said("server unavailable (return code 3)"),
    };

    private static CommandException Said(string why) =>
        new(ExitCode.Failed, $"the server refuses the connection: {why}");

    // What follows its fixed header.
    private ReadOnlySpan<byte> Expect(PacketType type)
    {
        long end = Clock.Now + AnswerNanosecondsMax;
        FixedHeader header;
        ReadOnlySpan<byte> body;
        while (!TryTake(out header, out body))
        {
            Send();
            _poll.Clear();
            _poll.Add(_socket.Descriptor, Unsent > 0);
            _poll.Wait(Math.Max(0, end - Clock.Now));
            if (_poll.IsReadable(0))
            {
                Receive();
            }

            if (Clock.Now >= end)
            {
                throw new CommandException(ExitCode.Failed, "the server does not answer");
            }
        }

        return header.Type == type ? body
            : throw new CommandException(ExitCode.Failed, $"the server says {header.Type} instead of {type}");
    }
}
