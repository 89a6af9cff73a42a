using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Client;

/// <summary>How far a connection is.</summary>
public enum ClientState
{
    /// <summary>Protocol headers and login.</summary>
    Starting,

    /// <summary>Open was sent.</summary>
    Opening,

    Open,

    /// <summary>Close was sent.</summary>
    Closing,

    Closed,
}

/// <summary>
/// The client's end of a connection (part 2 section 2.4), pure: bytes go in at <see cref="Receive"/>, bytes come out
/// of <see cref="Output"/>, and whoever drives it moves them. Its sessions and links share one thread with it.
/// What a peer must not do throws <see cref="AmqpException"/>, after which the connection is of no use.
/// </summary>
public sealed class ClientConnection
{
    private readonly ClientOptions _options;
    private readonly ClientHandshake _handshake;
    private readonly List<ClientSession> _sessions = [];
    private readonly Dictionary<ushort, ClientSession> _byRemoteChannel = [];
    private ushort _lastChannel;
    private ClientSession? _lastSession;

    public ClientConnection(ClientOptions options)
    {
        _options = options;
        _handshake = new ClientHandshake(options, Output);
    }

    /// <summary>What is to be sent. Call <see cref="Flush"/> first, then take what went out.</summary>
    public ByteQueue Output { get; } = new(256 * 1024);

    public ClientState State { get; private set; }

    /// <summary>Why the peer closed, if it said so; or why it did not let us in.</summary>
    public AmqpError? Error { get; private set; }

    /// <summary>What the peer said of itself; null before <see cref="ClientState.Open"/>.</summary>
    public Open? Peer { get; private set; }

    /// <summary>The largest frame that the peer takes, in bytes.</summary>
    public int FrameBytesMax { get; private set; } = WireLimits.FrameBytesMin;

    internal ClientOptions Options => _options;

    /// <summary>Starts the conversation.</summary>
    public void Start() => _handshake.Start();

    /// <summary>Begins a session; links may be attached to it at once.</summary>
    public ClientSession BeginSession()
    {
        ClientSession session = new(this, checked((ushort)_sessions.Count));
        _sessions.Add(session);
        session.WriteBegin();
        return session;
    }

    /// <summary>Ends the conversation; the peer's answer makes it <see cref="ClientState.Closed"/>.</summary>
    public void Close()
    {
        if (State != ClientState.Open)
        {
            State = ClientState.Closed;
            return;
        }
        Flush();
        WriteFrame(new Close());
        State = ClientState.Closing;
    }

    /// <summary>Writes what was held back to go out in batches: settlements, credit.</summary>
    public void Flush()
    {
        foreach (ClientSession session in _sessions)
        {
            session.Flush();
        }
    }

    /// <summary>Tells the peer that we live (section 2.4.5); due when half of the peer's idle time-out has
    /// passed.</summary>
    public void WriteHeartbeat() => Output.Append(Frames.Heartbeat);

    /// <summary>
    /// Takes whole frames off the bytes that came, and returns how many bytes that were. The rest is to be handed in
    /// again with what follows it.
    /// </summary>
    public int Receive(ReadOnlySpan<byte> input)
    {
        int taken = 0;
        while (State == ClientState.Starting)
        {
            int step = _handshake.Receive(input[taken..]);
            if (step == 0)
            {
                return taken;
            }
            taken += step;
            AfterHandshakeStep();
        }
        uint frameBytesMax = (uint)_options.FrameBytesMax;
        while (State != ClientState.Closed && Frames.TryReadFrame(
            input[taken..], frameBytesMax, out FrameHeader header, out ReadOnlySpan<byte> body))
        {
            OnFrame(header, body);
            taken += (int)header.Size;
        }
        return taken;
    }

    internal void WriteFrame(Close close)
    {
        AmqpWriter writer = new(Output);
        int mark = writer.BeginFrame(FrameType.Amqp, 0);
        close.Write(ref writer);
        writer.EndFrame(mark);
        writer.Commit();
    }

    private void AfterHandshakeStep()
    {
        if (_handshake.Refusal is { } refusal)
        {
            Error = refusal;
            State = ClientState.Closed;
        }
        else if (_handshake.IsComplete)
        {
            WriteOpen();
            State = ClientState.Opening;
        }
    }

    private void WriteOpen()
    {
        Open open = new()
        {
            ContainerId = _options.ContainerId,
            Hostname = _options.Hostname,
            MaxFrameSize = (uint)_options.FrameBytesMax,
            ChannelMax = 255,
        };
        AmqpWriter writer = new(Output);
        int mark = writer.BeginFrame(FrameType.Amqp, 0);
        open.Write(ref writer);
        writer.EndFrame(mark);
        writer.Commit();
    }

    private void OnFrame(in FrameHeader header, ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty)
        {
            return;
        }
        AmqpReader reader = new(body);
        ulong code = reader.ReadDescriptor();
        switch (code)
        {
            case Transfer.DescriptorCode:
                SessionOf(header.Channel).OnTransfer(ref reader);
                break;
            case Disposition.DescriptorCode:
                SessionOf(header.Channel).OnDisposition(Disposition.ReadFields(ref reader));
                break;
            case Flow.DescriptorCode:
                SessionOf(header.Channel).OnFlow(Flow.ReadFields(ref reader));
                break;
            case Open.DescriptorCode:
                OnOpen(Open.ReadFields(ref reader));
                break;
            case Begin.DescriptorCode:
                OnBegin(header.Channel, Begin.ReadFields(ref reader));
                break;
            case Attach.DescriptorCode:
                SessionOf(header.Channel).OnAttach(Attach.ReadFields(ref reader));
                break;
            case Detach.DescriptorCode:
                SessionOf(header.Channel).OnDetach(Detach.ReadFields(ref reader));
                break;
            case End.DescriptorCode:
                SessionOf(header.Channel).OnEnd(End.ReadFields(ref reader));
                break;
            case Wire.Close.DescriptorCode:
                OnClose(Wire.Close.ReadFields(ref reader));
                break;
            default:
                throw new AmqpException(AmqpErrorCondition.DecodeError, $"unknown performative 0x{code:x}");
        }
    }

    private void OnOpen(Open open)
    {
        Peer = open;
        FrameBytesMax = (int)Math.Clamp(open.MaxFrameSize, WireLimits.FrameBytesMin, 1 << 20);
        if (State == ClientState.Opening)
        {
            State = ClientState.Open;
        }
    }

    private void OnBegin(ushort channel, Begin begin)
    {
        if (begin.RemoteChannel is not { } local || local >= _sessions.Count)
        {
            throw new AmqpException(AmqpErrorCondition.NotAllowed, "a session that nobody asked for");
        }
        _byRemoteChannel[channel] = _sessions[local];
        _sessions[local].OnBegin(begin);
    }

    private void OnClose(Close close)
    {
        Error = close.Error;
        if (State != ClientState.Closing)
        {
            WriteFrame(new Close());
        }
        State = ClientState.Closed;
    }

    private ClientSession SessionOf(ushort channel)
    {
        if (_lastSession is { } last && _lastChannel == channel)
        {
            return last;
        }
        if (!_byRemoteChannel.TryGetValue(channel, out ClientSession? session))
        {
            throw new AmqpException(
                AmqpErrorCondition.NotAllowed, $"a frame on channel {channel}, which has no session");
        }
        (_lastChannel, _lastSession) = (channel, session);
        return session;
    }
}
