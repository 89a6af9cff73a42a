using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Stomp.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Stomp;

/// <summary>Where a connection is in its life.</summary>
internal enum SessionState : byte
{
    /// <summary>Nothing but CONNECT or STOMP is taken.</summary>
    Start,

    /// <summary>The login is being checked.</summary>
    LoggingIn,

    /// <summary>All frames of clients are taken.</summary>
    Connected,

    /// <summary>A DISCONNECT waits for what came before it to be done.</summary>
    Disconnecting,

    /// <summary>Over: what is written goes out, then the connection closes.</summary>
    Ended,
}

/// <summary>
/// The protocol of one STOMP connection: frames in, calls on the broker's client and frames out; no I/O, no clock.
/// All methods are called on the connection's loop.
/// </summary>
internal sealed partial class StompSession : IClientEvents, IDisposable
{
    private const int ScratchBytesKept = 64 << 10;

    private readonly PeerInfo _peer;
    private readonly IWakeable _wakeable;
    private readonly FrameReader _reader;
    private BrokerClient? _client;
    private ByteBuilder _receipt;
    private ByteBuilder _scratch;
    private bool _hasReceipt;
    private byte[]? _goodbyeReceipt;

    public StompSession(StompEnvironment environment, PeerInfo peer, IBufferWriter<byte> output, IWakeable wakeable)
    {
        Environment = environment;
        _peer = peer;
        _wakeable = wakeable;
        _login = new StompLogin(environment, peer);
        Frames = new FrameWriter(output);
        StompOptions options = environment.Options;
        _reader = new FrameReader(new FrameLimits(options.ConnectBytesMax, options.HeadersMax, 0, 0));
    }

    public StompEnvironment Environment { get; }

    /// <summary>What is written to the peer.</summary>
    public FrameWriter Frames { get; }

    public SessionState State { get; private set; }

    /// <summary>The version that was agreed.</summary>
    public StompVersion Version { get; private set; } = StompVersion.V12;

    /// <summary>Milliseconds since the Unix epoch; set by the loop before each pass.</summary>
    public long NowMs { get; set; }

    /// <summary>Whether there is a <see cref="Client"/>.</summary>
    public bool HasClient => _client is not null;

    /// <summary>The connection's handle on the broker, from the login on.</summary>
    public BrokerClient Client => _client!;

    /// <summary>Whether the input waits: for a login check, for credit, for the disk.</summary>
    public bool IsInputPaused =>
        State is SessionState.LoggingIn or SessionState.Disconnecting || _needsCredit is not null
        || InputGate is not null || _receipts.Count >= Options.ReceiptsMax || (HasClient && Client.IsBehind);

    private StompOptions Options => Environment.Options;

    /// <summary>Takes all whole frames off the input. Errors: <see cref="StompException"/>.</summary>
    public void Receive(ref ReadOnlySequence<byte> input)
    {
        while (State != SessionState.Ended && !IsInputPaused)
        {
            if (_large is not null)
            {
                if (!ReceivePiece(ref input))
                {
                    return;
                }

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

    /// <summary>The peer broke the protocol: it is told why, and the connection ends.</summary>
    public void OnPeerFault(StompException fault) => Fail(fault.Message);

    /// <summary>An ERROR frame, and the end (1.2, "ERROR").</summary>
    public void Fail(string message, string? detail = null) =>
        Fail(message, _hasReceipt ? _receipt.Span : default, detail);

    /// <summary>The connection is gone: gives back everything. Called once, by the loop, at the end.</summary>
    public void Dispose()
    {
        bool lost = State != SessionState.Ended || !_isGoodbye;
        State = SessionState.Ended;
        _large?.Abort();
        _outgoing?.Dispose();
        foreach (StompSubscription subscription in _subscriptions.Values)
        {
            subscription.End(countAttempts: lost);
        }

        _client?.Flush();
        _client?.Dispose();
        _login.Close();
    }

    private void Fail(string message, ReadOnlySpan<byte> receipt, string? detail)
    {
        if (State == SessionState.Ended)
        {
            return;
        }

        // In the middle of a large message there is no room for another frame: it is cut off with the connection.
        if (_outgoing is not { IsBegun: true })
        {
            Frames.WriteError(message, receipt, detail);
        }

        State = SessionState.Ended;
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

        _hasReceipt = false;
        var frame = new FrameHead(bytes, Version);
        try
        {
            if (frame.Command == StompCommand.Send)
            {
                return OnSend(frame, body, isLarge);
            }

            ReadReceipt(frame);
            // 1.0, "SUBSCRIBE": its body is ignored; since 1.1 it may have none.
            if (isLarge || (!body.IsEmpty && Version != StompVersion.V10))
            {
                throw new StompException("only SEND may have a body");
            }

            Dispatch(frame);
        }
        catch (BrokerException refusal)
        {
            Fail(refusal.Message);
        }

        return true;
    }

    private void Dispatch(in FrameHead frame)
    {
        if (frame.Command == StompCommand.Connect)
        {
            OnConnect(frame);
            return;
        }

        if (State != SessionState.Connected)
        {
            throw new StompException("the first frame must be CONNECT or STOMP");
        }

        switch (frame.Command)
        {
            case StompCommand.Subscribe:
                OnSubscribe(frame);
                break;
            case StompCommand.Unsubscribe:
                OnUnsubscribe(frame);
                break;
            case StompCommand.Ack:
                OnAck(frame, isPositive: true);
                break;
            case StompCommand.Nack when Version != StompVersion.V10:
                OnAck(frame, isPositive: false);
                break;
            case StompCommand.Begin:
                OnBegin(frame);
                break;
            case StompCommand.Commit:
                OnEndTransaction(frame, fail: false);
                break;
            case StompCommand.Abort:
                OnEndTransaction(frame, fail: true);
                break;
            case StompCommand.Disconnect:
                OnDisconnect();
                break;
            default:
                throw new StompException(
                    $"'{Shorten(HeaderText.Decode(frame.CommandText, StompVersion.V10))}' is no command of clients");
        }
    }

    private void OnDisconnect()
    {
        _isGoodbye = true;
        _goodbyeReceipt = _hasReceipt ? _receipt.Span.ToArray() : null;
        State = SessionState.Disconnecting;
    }

    // Kept in canonical form for the answer, which may come much later.
    private void ReadReceipt(in FrameHead frame)
    {
        if (frame.TryGet("receipt"u8, out ReadOnlySpan<byte> id))
        {
            KeepReceipt(id);
        }
    }

    private void KeepReceipt(ReadOnlySpan<byte> id)
    {
        _receipt.Clear(ScratchBytesKept);
        HeaderText.AppendCanonical(ref _receipt, id, Version);
        _hasReceipt = true;
    }

    // A receipt of a frame that is done.
    private void Confirm()
    {
        if (_hasReceipt)
        {
            Frames.WriteReceipt(_receipt.Span);
        }
    }

    private string Required(in FrameHead frame, ReadOnlySpan<byte> name) =>
        frame.Text(name, Version)
        ?? throw new StompException($"the frame has no '{System.Text.Encoding.ASCII.GetString(name)}' header");

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
