using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Stomp.Subscriptions;
using Pillarbox.Protocols.Stomp.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Stomp;

/// <summary>
/// The protocol of one STOMP connection: frames in, calls on the broker's client and frames out; no I/O, no clock. It
/// cuts frames and brings the client in (1.2, "Connecting"); what that does then is <see cref="ConnectedClient"/>. All
/// methods are called on the connection's loop.
/// </summary>
internal sealed class StompSession : IDisposable
{
    private const int ScratchBytesKept = 64 << 10;

    private readonly StompEnvironment _environment;
    private readonly PeerInfo _peer;
    private readonly IWakeable _wakeable;
    private readonly FrameReader _reader;
    private readonly SessionLife _life;
    private readonly FrameReceipt _receipt = new();
    private ConnectedClient? _connected;
    private ByteBuilder _scratch;

    public StompSession(StompEnvironment environment, PeerInfo peer, IBufferWriter<byte> output, IWakeable wakeable)
    {
        _environment = environment;
        _peer = peer;
        _wakeable = wakeable;
        Login = new StompLogin(environment, peer);
        Frames = new FrameWriter(output);
        _life = new SessionLife(Frames);
        _reader = new FrameReader(new FrameLimits(Options.ConnectBytesMax, Options.HeadersMax, 0, 0));
    }

    /// <summary>What is written to the peer.</summary>
    public FrameWriter Frames { get; }

    /// <summary>What the peer has said of itself.</summary>
    public StompLogin Login { get; }

    /// <summary>What the node answers to the peer's heart-beats; the loop's timers say.</summary>
    public required Func<int, int, (int Sends, int Wants)> AnswerHeartbeat { get; init; }

    public SessionState State => _life.State;

    /// <summary>Milliseconds since the Unix epoch; set by the loop before each pass.</summary>
    public long NowMs { get; set; }

    /// <summary>What the client does; only of one that has logged in.</summary>
    public ConnectedClient Connected => _connected ?? throw new InvalidOperationException("not connected");

    /// <summary>Whether <see cref="Turn"/> has something to hear.</summary>
    public bool HasEvents => _connected is { Client.HasEvents: true };

    /// <summary>A large message is under way out, which needs its next piece from disk.</summary>
    public LargeMessage? PieceToRead => _connected?.Turns.PieceToRead;

    /// <summary>The disk is behind with a large body: the loop awaits it and calls <see cref="ResumeInput"/>.</summary>
    public Task? InputGate => _connected?.Sends.Gate;

    /// <summary>Whether the input waits: for a login check, for credit, for the disk.</summary>
    public bool IsInputPaused => State is SessionState.LoggingIn or SessionState.Disconnecting
        || _connected is { IsHeldBack: true };

    private StompOptions Options => _environment.Options;

    /// <summary>Takes all whole frames off the input. Errors: <see cref="StompException"/>.</summary>
    public void Receive(ref ReadOnlySequence<byte> input)
    {
        while (State != SessionState.Ended && !IsInputPaused)
        {
            if (_connected is { Sends.IsMidMessage: true })
            {
                if (input.IsEmpty)
                {
                    return;
                }

                bool isLast = _reader.TakePiece(ref input, out ReadOnlySequence<byte> piece);
                _connected.Sends.TakePiece(piece, isLast);
                continue;
            }

            FrameState state = _reader.Peek(
                ref input, out ReadOnlySequence<byte> head, out ReadOnlySequence<byte> body);
            if (state == FrameState.NeedMore || !OnFrame(head, body, state == FrameState.Large))
            {
                return;
            }

            _reader.Take(ref input);
        }
    }

    /// <summary>The disk has caught up.</summary>
    public void ResumeInput() => _connected?.Sends.Resume();

    /// <summary>A login check that took long is done.</summary>
    public void OnSaslVerified(in SaslStep step)
    {
        bool isWanted = State == SessionState.LoggingIn;
        Login.OnVerified(step, isWanted);
        if (isWanted)
        {
            OnLogin();
        }
    }

    /// <summary>
    /// Hears the broker and writes what is due. <paramref name="outputLimit"/>: messages are written only while the
    /// total of bytes written is below it. True: there is more to do, at once or when the output has room.
    /// </summary>
    public bool Turn(long outputLimit) => _connected is not null && _connected.Turn(outputLimit);

    /// <summary>A subscription whose oldest message must come from disk; the loop starts one read at a time.</summary>
    public bool TryTakeRead(out StompSubscription? subscription)
    {
        subscription = null;
        return _connected is not null && _connected.Turns.TryTakeRead(out subscription);
    }

    /// <summary>What is written so far is on its way to the socket.</summary>
    public void BeginFlush() => _connected?.Subscriptions.BeginFlush();

    /// <summary>The socket has taken it.</summary>
    public void EndFlush() => _connected?.Subscriptions.EndFlush();

    /// <summary>The peer broke the protocol: it is told why, and the connection ends.</summary>
    public void OnPeerFault(StompException fault) => Fail(fault.Message);

    /// <summary>An ERROR frame, and the end (1.2, "ERROR").</summary>
    public void Fail(string message) => _life.Fail(message, _receipt.Id);

    /// <summary>The connection is gone: gives back everything. Called once, by the loop, at the end.</summary>
    public void Dispose()
    {
        _connected?.Dispose();
        _life.State = SessionState.Ended;
        Login.Close();
    }

    // False: the frame stays in the input until the session can take it.
    private bool OnFrame(in ReadOnlySequence<byte> head, in ReadOnlySequence<byte> body, bool isLarge)
    {
        ReadOnlySpan<byte> bytes = head.FirstSpan;
        if (!head.IsSingleSegment)
        {
            _scratch.Clear(ScratchBytesKept);
            foreach (ReadOnlyMemory<byte> piece in head)
            {
                _scratch.Append(piece.Span);
            }

            bytes = _scratch.Span;
        }

        _receipt.Clear();
        var frame = new FrameHead(bytes, _life.Version);
        try
        {
            if (frame.Command == StompCommand.Send)
            {
                return WhenConnected().Sends.Take(frame, body, isLarge, NowMs);
            }

            _receipt.Read(frame, _life.Version);
            // 1.0, "SUBSCRIBE": its body is ignored; since 1.1 it may have none.
            if (isLarge || (!body.IsEmpty && _life.Version != StompVersion.V10))
            {
                throw new StompException("only SEND may have a body");
            }

            if (frame.Command == StompCommand.Connect)
            {
                OnConnect(frame);
            }
            else
            {
                WhenConnected().Perform(frame);
            }
        }
        catch (BrokerException refusal)
        {
            Fail(refusal.Message);
        }

        return true;
    }

    private ConnectedClient WhenConnected() => State == SessionState.Connected
        ? Connected : throw new StompException("the first frame must be CONNECT or STOMP");

    private void OnConnect(in FrameHead frame)
    {
        if (State != SessionState.Start)
        {
            throw new StompException("the connection is connected already");
        }

        _life.Agree(Login.Read(frame));
        _life.State = SessionState.LoggingIn;
        Login.Begin();
        OnLogin();
    }

    private void OnLogin()
    {
        if (Login.Refusal is { } refusal)
        {
            _life.Fail(refusal);
        }
        else if (Login.Identity is not null)
        {
            Connect();
        }
    }

    private void Connect()
    {
        string session = _environment.RandomName();
        try
        {
            BrokerClient client = _environment.Broker.Connect(
                new ClientInfo
                {
                    AddressSpace = Login.AddressSpace,
                    Identity = Login.Identity!,
                    ClientId = string.IsNullOrEmpty(Login.ClientId) ? $"stomp-{session}" : Login.ClientId,
                    Protocol = "stomp",
                    RemoteEndPoint = _peer.RemoteEndPoint,
                },
                _wakeable);
            _connected = new ConnectedClient(_environment, client, Login.ClientId, _life, Frames, _receipt);
        }
        catch (BrokerException refusal)
        {
            _life.Fail(refusal.Message);
            return;
        }

        _reader.Limits = new FrameLimits(
            Options.HeadBytesMax, Options.HeadersMax, Options.AssembleBytesMax, Options.BodyBytesMax);
        (int sends, int wants) = AnswerHeartbeat(Login.PeerSendsMs, Login.PeerWantsMs);
        Frames.WriteConnected(Options.Server, session, sends, wants);
        _life.State = SessionState.Connected;
    }
}
