using System.Buffers;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Amqp.Connections;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Logins;
using Pillarbox.Protocols.Amqp.Transactions;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Amqp;

/// <summary>Where the connection stands (part 2 section 2.4.6, part 5 section 5.3.2).</summary>
internal enum ConnectionState : byte
{
    /// <summary>The peer's first protocol header is awaited.</summary>
    Start,

    /// <summary>SASL headers were exchanged; the login is under way.</summary>
    Sasl,

    /// <summary>Logged in: the AMQP header is awaited.</summary>
    SaslDone,

    /// <summary>AMQP headers were exchanged: open is awaited.</summary>
    HeadersExchanged,

    /// <summary>Both opens were exchanged.</summary>
    Opened,

    /// <summary>The node has closed; everything but the peer's close is dropped.</summary>
    CloseSent,

    /// <summary>Over: the connection is to be ended once the output is out.</summary>
    Ended,
}

/// <summary>
/// The protocol of one connection, pure: bytes in, bytes out, calls on the broker's client; no pipe, no clock, no
/// waiting.
/// Owned by the loop in <see cref="AmqpConnection"/>, which also catches <see cref="AmqpException"/> and hands it to
/// <see cref="OnPeerFault"/>.
/// </summary>
internal sealed partial class ConnectionEndpoint
{
    private readonly PeerInfo _peer;
    private readonly IWakeable _wakeable;
    private readonly ConnectionPlan _plan;
    private readonly SaslExchange _sasl;
    private readonly SessionTable _sessions;
    private byte[] _scratch = [];
    private long _preAuthBytes;

    /// <param name="environment">What the node's connections share.</param>
    /// <param name="peer">What the transport knows of the peer.</param>
    /// <param name="output">Where bytes for the peer go.</param>
    /// <param name="loop">The loop: woken by the broker, asked by other connections to give up links.</param>
    /// <param name="plan">What the node takes the connection for.</param>
    public ConnectionEndpoint(
        AmqpEnvironment environment, PeerInfo peer, IBufferWriter<byte> output, AmqpConnection loop,
        ConnectionPlan plan)
    {
        _plan = plan;
        Environment = environment;
        _peer = peer;
        _wakeable = loop;
        Frames = new FrameWriter(output);
        _sasl = new SaslExchange(environment, peer, plan, Frames);
        _sessions = new SessionTable(this);
        Names = new LinkNames(environment, loop);
        Turns = new SendingTurns(this);
        Transactions = new TransactionTable(environment.Options);
    }

    public AmqpEnvironment Environment { get; }

    public ConnectionState State { get; private set; }

    public FrameWriter Frames { get; }

    public TransactionTable Transactions { get; }

    /// <summary>The login.</summary>
    public SaslExchange Sasl => _sasl;

    /// <summary>Its links by their names.</summary>
    public LinkNames Names { get; }

    /// <summary>Which links have deliveries to write.</summary>
    public SendingTurns Turns { get; }

    /// <summary>What the peer is to hear at the end of the pass.</summary>
    public OwedFrames Owed { get; } = new();

    /// <summary>Settlements whose end somebody waits for.</summary>
    public SettlementTags Settlements { get; } = new();

    /// <summary>What further input waits for.</summary>
    public InputHold Hold { get; } = new();

    /// <summary>Whether input waits: for that, or for the disk to take what was published.</summary>
    public bool IsInputPaused => Hold.Gate is not null || (HasClient && Client.IsBehind);

    /// <summary>The time of this pass, in milliseconds since the Unix epoch; set by the loop.</summary>
    public long NowMs { get; set; }

    /// <summary>The error that one side closed with; null: none.</summary>
    public AmqpError? EndError { get; private set; }

    /// <summary>The largest frame that the peer takes.</summary>
    public uint PeerFrameBytesMax { get; private set; } = WireLimits.FrameBytesMin;

    /// <summary>Bytes of a frame besides one field that may be long.</summary>
    public const int FrameRestBytes = 128;

    /// <summary>The link whose frame is being handled: what a link error detaches.</summary>
    public Link? CurrentLink { get; set; }

    private AmqpSession? CurrentSession { get; set; }

    private Attach? CurrentAttach { get; set; }

    /// <summary>Takes what is whole off the input. Errors: what the peer did wrong; the input is past it.</summary>
    public void Receive(ref ReadOnlySequence<byte> input)
    {
        while (!input.IsEmpty && State != ConnectionState.Ended && !IsInputPaused)
        {
            bool progress = State is ConnectionState.Start or ConnectionState.SaslDone
                ? ReceiveHeader(ref input)
                : ReceiveFrame(ref input);
            if (!progress)
            {
                return;
            }
        }
    }

    /// <summary>What input waited for has come.</summary>
    public void ResumeInput()
    {
        if (Hold.Resume() is { } deferred && deferred.Session.State == SessionState.Mapped
            && State == ConnectionState.Opened)
        {
            CurrentSession = deferred.Session;
            CurrentLink = null;
            CurrentAttach = deferred.Attach;
            deferred.Session.CompleteAttach(deferred.Attach);
        }
    }

    /// <summary>A link that is attached again is taken from its old place; true: that takes a while, and the attach is
    /// put off.</summary>
    public bool DefersUntilTaken(AmqpSession session, Attach attach) => Defers(session, attach, Names.Take(attach));

    /// <summary>An attach is answered only when the node that it led to is on disk; true: that takes a while, and the
    /// attach is put off.</summary>
    public bool DefersUntilMade(AmqpSession session, Attach attach) => Defers(session, attach, Client.WhenMade());

    /// <summary>The peer broke a rule: ends the link, the session or the connection, as the error says.</summary>
    public void OnPeerFault(AmqpException fault)
    {
        if (State is ConnectionState.CloseSent or ConnectionState.Ended)
        {
            // Nothing more can be read of what it sends; it has still to read why.
            HasLastWords |= State == ConnectionState.CloseSent;
            State = ConnectionState.Ended;
            return;
        }

        if (CurrentLink is IncomingLink { IsReadingMessage: true, State: LinkState.Attached } incoming)
        {
            incoming.RejectCurrent(fault.ToError());
        }
        else if (fault.Severity == AmqpSeverity.Link && CurrentSession is not null && CurrentAttach is not null)
        {
            CurrentSession.Refuse(CurrentAttach, fault.ToError());
        }
        else if (fault.Severity == AmqpSeverity.Link && CurrentLink is not null)
        {
            CurrentLink.Session.Detach(CurrentLink, fault.ToError());
        }
        else if (fault.Severity != AmqpSeverity.Connection && CurrentSession is { State: SessionState.Mapped })
        {
            CurrentSession.End(fault.ToError());
        }
        else
        {
            Close(fault.ToError());
        }
    }

    private bool Defers(AmqpSession session, Attach attach, Task? until)
    {
        if (until is null)
        {
            return false;
        }

        Hold.Defer(session, attach, until);
        return true;
    }

    private bool ReceiveFrame(ref ReadOnlySequence<byte> input)
    {
        uint max = State switch
        {
            ConnectionState.Sasl => _sasl.FrameBytesMax(Options),
            ConnectionState.HeadersExchanged => (uint)Math.Min(Options.MaxFrameBytes, Options.PreAuthBytesMax),
            _ => (uint)Options.MaxFrameBytes,
        };
        long before = input.Length;
        if (!Wire.Frames.TryReadFrame(ref input, max, out FrameHeader header, out ReadOnlySequence<byte> body))
        {
            return false;
        }

        CountPreAuth(before - input.Length);
        CurrentLink = null;
        CurrentSession = null;
        CurrentAttach = null;
        OnFrame(header, Contiguous(body));
        return true;
    }

    // A frame that lies over several segments of the input is copied together; most do not.
    private ReadOnlyMemory<byte> Contiguous(in ReadOnlySequence<byte> body)
    {
        if (body.IsSingleSegment)
        {
            return body.First;
        }

        if (_scratch.Length < body.Length)
        {
            ReturnScratch();
            _scratch = ArrayPool<byte>.Shared.Rent((int)body.Length);
        }

        body.CopyTo(_scratch);
        return _scratch.AsMemory(0, (int)body.Length);
    }

    private void ReturnScratch()
    {
        if (_scratch.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_scratch);
            _scratch = [];
        }
    }

    private void OnFrame(in FrameHeader header, ReadOnlyMemory<byte> body)
    {
        FrameType expected = State == ConnectionState.Sasl ? FrameType.Sasl : FrameType.Amqp;
        if (header.Type != expected)
        {
            throw new AmqpException(
                AmqpErrorCondition.ConnectionFramingError,
                $"a frame of type {header.Type} where {expected} frames are due");
        }

        if (State == ConnectionState.Sasl)
        {
            _sasl.OnFrame(body, Options);
            OnSasl();
            return;
        }

        if (body.IsEmpty)
        {
            return;
        }

        var reader = new AmqpReader(body.Span);
        ulong descriptor = reader.ReadDescriptor();
        if (State == ConnectionState.CloseSent)
        {
            if (descriptor == Wire.Close.DescriptorCode)
            {
                State = ConnectionState.Ended;
            }

            return;
        }

        if (State == ConnectionState.HeadersExchanged)
        {
            OnFirstFrame(descriptor, ref reader);
            return;
        }

        OnPerformative(header.Channel, descriptor, ref reader, body);
    }

    // Part 2 section 2.7: the performatives, hot ones first.
    private void OnPerformative(ushort channel, ulong descriptor, ref AmqpReader reader, ReadOnlyMemory<byte> body)
    {
        switch (descriptor)
        {
            case Transfer.DescriptorCode:
                Transfer transfer = Transfer.ReadFields(ref reader);
                if (TryEnter(channel, out AmqpSession session))
                {
                    session.OnTransfer(transfer, body[reader.Position..]);
                }

                return;
            case Disposition.DescriptorCode:
                Disposition disposition = Disposition.ReadFields(ref reader);
                if (TryEnter(channel, out session))
                {
                    session.OnDisposition(disposition);
                }

                return;
            case Flow.DescriptorCode:
                Flow flow = Flow.ReadFields(ref reader);
                if (TryEnter(channel, out session))
                {
                    session.OnFlow(flow);
                }

                return;
            default:
                OnRarePerformative(channel, descriptor, ref reader);
                return;
        }
    }

    private void OnRarePerformative(ushort channel, ulong descriptor, ref AmqpReader reader)
    {
        switch (descriptor)
        {
            case Begin.DescriptorCode:
                OnBegin(channel, Begin.ReadFields(ref reader));
                return;
            case Attach.DescriptorCode:
                OnAttach(channel, Attach.ReadFields(ref reader));
                return;
            case Detach.DescriptorCode:
                Detach detach = Detach.ReadFields(ref reader);
                if (TryEnter(channel, out AmqpSession session))
                {
                    session.OnDetach(detach);
                }

                return;
            case End.DescriptorCode:
                Wire.End.ReadFields(ref reader);
                OnEnd(channel);
                return;
            case Wire.Close.DescriptorCode:
                EndError = Wire.Close.ReadFields(ref reader).Error ?? EndError;
                OnClose();
                return;
            case Open.DescriptorCode:
                throw new AmqpException(AmqpErrorCondition.IllegalState, "the connection is open already");
            default:
                throw new AmqpException(AmqpErrorCondition.NotImplemented, $"unknown performative 0x{descriptor:x}");
        }
    }

    // The session that a frame is for; false when the node has ended it and drops what still comes.
    private bool TryEnter(ushort channel, out AmqpSession session)
    {
        CurrentSession = session = _sessions.Find(channel);
        return session.State == SessionState.Mapped;
    }

    private void OnBegin(ushort channel, Begin begin)
    {
        // A session that is one too many by the policy alone hears so in its own end.
        if (_sessions.OnBegin(channel, begin, Planned.ChannelMaxOf(Role)) is { } session)
        {
            CheckSession(session);
        }
    }

    private void OnAttach(ushort channel, Attach attach)
    {
        if (TryEnter(channel, out AmqpSession session))
        {
            CurrentAttach = attach;
            session.OnAttach(attach);
        }
    }

    private void OnEnd(ushort channel)
    {
        if (TryEnter(channel, out AmqpSession session))
        {
            session.FlushDispositions();
            session.Release(LinkEnd.SessionEnd);
            Frames.Write(session.Channel, new End());
        }

        _sessions.Remove(channel, session);
    }

    private void OnClose()
    {
        _sessions.Release(LinkEnd.ConnectionClose);
        Frames.Write(new Close());
        State = ConnectionState.Ended;
    }

    private void CountPreAuth(long bytes)
    {
        if (State >= ConnectionState.Opened)
        {
            return;
        }

        _preAuthBytes += bytes;
        if (_preAuthBytes > Options.PreAuthBytesMax)
        {
            throw new AmqpException(
                AmqpErrorCondition.ResourceLimitExceeded, $"more than {Options.PreAuthBytesMax} bytes before the open");
        }
    }
}
