using System.Buffers;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>Where a connection is in its life (MQTT 5.0 §4.8, §3.1.4).</summary>
internal enum EndpointState
{
    /// <summary>Nothing but CONNECT may come.</summary>
    AwaitConnect,

    /// <summary>An AUTH of the client is due.</summary>
    Authenticating,

    /// <summary>A password is checked, another connection gives way, or a session is made or read.</summary>
    Opening,

    /// <summary>CONNACK is sent.</summary>
    Connected,

    /// <summary>Over.</summary>
    Ended,
}

/// <summary>
/// The protocol of a connection, without input and output: bytes in, packets out, states. The first half of its life is
/// in <c>MqttEndpoint.Opening.cs</c>; afterwards <see cref="MqttSession"/> has the rules. Owned by the connection.
/// </summary>
internal sealed partial class MqttEndpoint
{
    private readonly MqttEnvironment _environment;
    private readonly PeerInfo _peer;
    private readonly IMqttConnection _connection;
    private MqttSession? _session;
    private byte[] _assembled = [];

    public MqttEndpoint(
        MqttEnvironment environment, PeerInfo peer, IBufferWriter<byte> output, IMqttConnection connection)
    {
        _environment = environment;
        _peer = peer;
        _connection = connection;
        _login = new Login(environment, peer);
        Output = new PacketWriter(output);
    }

    public PacketWriter Output { get; }

    public EndpointState State { get; private set; }

    /// <summary>Whether the node has told the peer why it ends, and the peer is to get to read it.</summary>
    public bool HasLastWords { get; private set; }

    /// <summary>The session of a client that is let in.</summary>
    public MqttSession? Session => _session;

    /// <summary>Milliseconds since the Unix epoch, as of this pass.</summary>
    public long NowMs { get; set; }

    /// <summary>Whether no packet is taken now.</summary>
    public bool IsInputPaused => State switch
    {
        EndpointState.AwaitConnect or EndpointState.Authenticating => false,
        EndpointState.Connected => _session!.IsInputPaused,
        _ => true,
    };

    /// <summary>Whether the broker has something to tell.</summary>
    public bool HasEvents => _queues?.Client.HasEvents == true || _session?.HasRetained == true;

    private int PacketBytesMax => State == EndpointState.Connected
        ? _environment.Options.PacketBytesMax
        : _environment.Options.PreAuthPacketBytesMax;

    /// <summary>Takes whole packets off the input while there are some and they are taken.</summary>
    public void Receive(ref ReadOnlySequence<byte> input)
    {
        while (!input.IsEmpty && !IsInputPaused
            && FixedHeader.TryRead(input, PacketBytesMax, out FixedHeader header) && input.Length >= header.PacketBytes)
        {
            ReadOnlySequence<byte> body = input.Slice(header.HeaderBytes, header.Length);
            input = input.Slice(header.PacketBytes);
            Receive(header, body.IsSingleSegment ? body.FirstSpan : Assemble(body));
        }

        _assembled = [];
    }

    /// <summary>Hears the broker and writes what is due; see <see cref="MqttSession.Turn"/>.</summary>
    public bool Turn(long outputLimit)
    {
        if (_session is null)
        {
            return false;
        }

        _session.NowMs = NowMs;
        if (State == EndpointState.Ended)
        {
            // What the client published before its goodbye is on its way before the output is.
            _session.Flush();
            return false;
        }

        bool hasMore = _session.Turn(outputLimit);
        if (State == EndpointState.Opening && _session.IsLoaded && _willGone is null or { IsCompleted: true })
        {
            Admit();
            hasMore = true;
        }

        Awaited ??= _session.FileReady;
        if (_session.End is { } end)
        {
            if (end.Reason != ReasonCode.ServerShuttingDown)
            {
                // A client of 3.1 or 3.1.1 is not told.
                Log.SessionEnded(_environment.Logger, _connect!.ClientId, end.Reason, end.Text);
            }

            Close(end.Reason, end.Text);
        }

        return hasMore;
    }

    /// <summary>What the peer did wrong ends the connection.</summary>
    public void OnPeerFault(MqttException fault)
    {
        Log.PeerFault(_environment.Logger, _peer.RemoteEndPoint, fault.Reason, fault.Message);
        Close(fault.Reason, fault.Message);
    }

    /// <summary>Says goodbye, if the peer's version knows how, and ends.</summary>
    public void Close(ReasonCode reason, string text)
    {
        if (State == EndpointState.Ended)
        {
            return;
        }

        if (State == EndpointState.Connected && _connect!.Version == MqttVersion.V5)
        {
            var goodbye = new DisconnectPacket(ReasonTable.For(PacketType.Disconnect, reason))
            {
                ReasonString = _connect.RequestProblemInformation && text.Length > 0 ? text : null,
            };
            goodbye.Write(Output, MqttVersion.V5, _connect.MaximumPacketSize);
            HasLastWords = true;
        }
        else if (State != EndpointState.Connected && IsAnswered(reason))
        {
            Refuse(reason, text);
            HasLastWords = true;
        }

        State = EndpointState.Ended;
    }

    /// <summary>The connection is gone: gives back everything. Called once, by the loop, at the end.</summary>
    public void End()
    {
        State = EndpointState.Ended;
        try
        {
            if (_session is not null)
            {
                _session.Close(_key!.Value);
            }
            else
            {
                _queues?.Client.Dispose();
            }
        }
        finally
        {
            // Whatever went wrong: the next connection of the client does not wait for this one.
            if (_key is { } key)
            {
                _environment.Clients.Leave(key, _connection);
            }

            _login.Forget();
        }
    }

    // A peer of a version that is not spoken is told so in the form of 3.1.1.
    private bool IsAnswered(ReasonCode reason) => _connect is null
        ? reason == ReasonCode.UnsupportedProtocolVersion
        : _connect.Version == MqttVersion.V5 || ConnAckPacket.HasReturnCode(reason);

    private void Receive(in FixedHeader header, ReadOnlySpan<byte> body)
    {
        CheckFlags(header);
        switch (State)
        {
            case EndpointState.AwaitConnect:
                OnFirst(header, body);
                break;
            case EndpointState.Authenticating:
                OnAuthenticating(header, body);
                break;
            case EndpointState.Connected when header.Type == PacketType.Disconnect:
                OnDisconnect(DisconnectPacket.Read(body, _connect!.Version));
                break;
            case EndpointState.Connected when header.Type == PacketType.Auth:
                OnAuth(body);
                break;
            default:
                _session!.NowMs = NowMs;
                _session.Receive(header, body);
                break;
        }
    }

    private void CheckFlags(in FixedHeader header)
    {
        if (_connect is { Version: not MqttVersion.V31 })
        {
            header.CheckSince311();
        }
    }

    private ReadOnlySpan<byte> Assemble(in ReadOnlySequence<byte> body)
    {
        int length = (int)body.Length;
        if (_assembled.Length < length)
        {
            _assembled = new byte[length];
        }

        body.CopyTo(_assembled);
        return _assembled.AsSpan(0, length);
    }
}

/// <summary>What a connection is to its protocol.</summary>
internal interface IMqttConnection : IWakeable, ITakeOver;
