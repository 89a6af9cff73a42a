using System.Buffers.Binary;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Routed.LinkRoutes;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// The node's sending end of a link that draws from the network: deliveries of other connections' links, in the order
/// in which they were handed over, each written frame by frame as its pieces come. What the peer says of them goes
/// back to where they came from.
/// </summary>
internal sealed partial class RoutedOutgoingLink : OutgoingLink, IRoutedLink
{
    /// <summary>Deliveries that wait for credit; what comes beyond is given back.</summary>
    public const int PendingMax = 65_536;

    private const int TagBytes = sizeof(uint);

    private readonly Queue<RoutedDelivery> _pending = new();
    private readonly bool _settlesOnSend;
    private readonly RoutedTraffic _traffic;
    private readonly long _tableId;
    private RoutedDelivery? _current;
    private RoutedPart _part;
    private bool _isInPart;
    private int _written;
    private int _partWritten;
    private uint _deliveryCount;
    private uint _linkCredit;
    private bool _peerDrains;
    private bool _hasCredit;
    private bool _endsWhenIdle;
    private DrainWait _drainWait;
    private int _inHand;

    public RoutedOutgoingLink(AmqpSession session, Attach attach, PeerLink? peer, bool takesStamps = false)
        : base(session, attach)
    {
        _settlesOnSend = peer is null && attach.SenderSettleMode == SenderSettleMode.Settled;
        _traffic = session.Connection.Routed;
        _noCreditSinceMs = session.Connection.NowMs;
        Outlet = new LinkOutlet(this, peer, _traffic.Inbox, takesStamps);
        _tableId = session.Connection.Environment.RoutedLinks.Add(this);
        _siblings = session.Connection.Role == ConnectionRole.Edge ? _traffic.Siblings : null;
        _siblings?.Join(this);
    }

    /// <summary>The same, to an edge: what goes there keeps the routers' annotations.</summary>
    public RoutedOutgoingLink(AmqpSession session, Attach attach)
        : this(session, attach, peer: null, takesStamps: true)
    {
    }

    /// <summary>The link ends as soon as everything that was handed in has come to its end; false: it stays after
    /// all.</summary>
    public void EndWhenIdle(bool ends)
    {
        _endsWhenIdle = ends;
        EndWhenIdle();
    }

    /// <summary>Whether what it takes is for whoever is behind an edge.</summary>
    public bool IsDownlink { get; init; }

    /// <summary>Its number among the node's routed links.</summary>
    public long Number => _tableId;

    /// <summary>Whether the peer wants messages, as <see cref="OnCredit"/> was told last.</summary>
    public bool IsWanted => _hasCredit;

    /// <summary>The attach is not answered yet: the link says nothing.</summary>
    public bool IsHeld { get; set; }

    /// <summary>The attach is answered: what has come meanwhile counts.</summary>
    public void EndHold()
    {
        IsHeld = false;
        FinishDrain();
        Session.Connection.Turns.Enqueue(this);
    }

    /// <summary>Hears whether the peer gives any credit.</summary>
    public Action<bool>? OnCredit { get; init; }

    /// <summary>
    /// The peer wants its credit back: asks those who have more messages for it, and calls when all that they have now
    /// has come. False: there is nobody to ask.
    /// </summary>
    public Func<Action, bool>? OnDrain { get; init; }

    /// <summary>Where the network hands deliveries in.</summary>
    public LinkOutlet Outlet { get; }

    /// <summary>The address that it draws from; null: it leads to another router.</summary>
    public string? Address { get; init; }

    /// <summary>What is to be done when the link ends.</summary>
    public Action? OnReleased { get; init; }

    /// <summary>What is to be done when a message has gone out, or was given up on its way.</summary>
    public Action? OnEnded { get; init; }

    /// <inheritdoc/>
    public override bool HasWork =>
        State == LinkState.Attached && !IsHeld
            && (_current is not null ? HasBytes : _linkCredit > 0 && _pending.Count > 0 && !IsBarred);

    private bool HasBytes => _isInPart || _current!.IsWhole || _written < _current.Length
        || _current.Parts is { Count: > 0 };

    /// <inheritdoc/>
    public override void OnFlow(in Flow flow)
    {
        if (_end is not null)
        {
            OnRoutedFlow(flow);
            return;
        }

        if (flow.LinkCredit is { } credit)
        {
            long inFlight = SerialNumber.Distance(flow.DeliveryCount ?? 0, _deliveryCount);
            _linkCredit = (uint)Math.Clamp(credit - inFlight, 0, uint.MaxValue);
            NoteCredit();
            _peerDrains = flow.Drain;
            TellCredit(credit > 0 && !flow.Drain);
        }

        if (IsHeld)
        {
            return;
        }

        FinishDrain();
        if (flow.Echo)
        {
            WriteFlow(echo: false);
        }

        Session.Connection.Turns.Enqueue(this);
    }

    /// <inheritdoc/>
    public override void WriteFlow(bool echo) => Session.WriteFlow(new Flow
    {
        Handle = Handle,
        DeliveryCount = _deliveryCount,
        LinkCredit = _linkCredit,
        Available = (uint)_pending.Count + _senderAvailable,
        Drain = _peerDrains,
        Echo = echo,
    });

    /// <inheritdoc/>
    public override void Release(LinkEnd end)
    {
        Unlist();
        // First nothing more is chosen for it; then what waits goes back, and what was sent has failed.
        _endsWhenIdle = false;
        OnReleased?.Invoke();
        GiveBackPending();
        EndPart();
        if (_current is { } current && (current.GoesSettled || current.EarlyState is not null))
        {
            OnForgotten(current);
        }

        _current = null;
        Session.ForgetDeliveries(this);
        _siblings?.Leave(this);
        _end?.OnReleased(end, PeerError);
    }

    /// <inheritdoc/>
    public override SendResult TrySend(FrameWriter frames)
    {
        if (State != LinkState.Attached || IsHeld)
        {
            return SendResult.Idle;
        }

        if (_current is null)
        {
            if (_pending.Count == 0 || _linkCredit == 0 || IsBarred)
            {
                return SendResult.Idle;
            }

            if (!Session.CanBeginDelivery)
            {
                return SendResult.SessionBlocked;
            }

            Begin(_pending.Dequeue());
            return WriteFrame(frames, isFirst: true);
        }

        return !HasBytes ? SendResult.Idle
            : Session.Window.RemoteIncomingWindow == 0 ? SendResult.SessionBlocked
            : WriteFrame(frames, isFirst: false);
    }

    /// <summary>It is not shown any more, or never was attached.</summary>
    public void Unlist() => Session.Connection.Environment.RoutedLinks.Remove(_tableId);

    /// <inheritdoc/>
    public LinkFacts Describe(long id, long nowMs) => new()
    {
        Id = id,
        Name = Name,
        ConnectionId = Session.Connection.Number,
        IsIncoming = false,
        IsTrunk = Outlet.Peer is not null,
        Kind = IsDownlink ? RoutedLinkKind.Downlink
            : Outlet.Peer is not null && Session.Connection.Role == ConnectionRole.InterRouter ? RoutedLinkKind.Router
            : RoutedLinkKind.Endpoint,
        IsHalf = _end is not null,
        OtherHalf = (_end?.Other.Link as LinkRouteIncoming)?.Number,
        Address = _end is { } end ? end.Attach.Source?.Address : Address,
        Capacity = Session.Connection.LinkCapacity,
        Credit = _linkCredit,
        Priority = Priority,
        Undelivered = _pending.Count,
        Unsettled = Math.Max(0, _inHand - _pending.Count),
        Totals = Counters.Read(),
        SettleRate = Counters.RateAt(nowMs),
        LastDeliveryMs = Counters.LastDeliveryMs,
        ZeroCreditMs = ZeroCreditMsAt(nowMs),
        IngressHistogram = Volatile.Read(ref _ingress),
    };

    private void Begin(RoutedDelivery delivery)
    {
        _linkCredit--;
        _deliveryCount++;
        Counters.OnDelivery(Session.Connection.NowMs);
        NoteCredit();
        Leave(delivery);
        _current = delivery;
        _written = 0;
        delivery.GoesSettled |= _settlesOnSend;
        delivery.SentId = delivery.GoesSettled
            ? Session.Unsettled.TakeSettledId()
            : Session.Unsettled.Add(delivery, this);
    }

    private SendResult WriteFrame(FrameWriter frames, bool isFirst)
    {
        RoutedDelivery delivery = _current!;
        LinkRouteTransfer? own = isFirst ? delivery.Transfer : null;
        int room = (int)Session.Connection.PeerFrameBytesMax - FrameWriter.TransferOverheadMax
            - (own?.State.Length ?? 0);
        ReadOnlySpan<byte> bytes = NextBytes(delivery, room);
        Advance(delivery, bytes.Length, out bool isEnd);
        Span<byte> tag = stackalloc byte[TagBytes];
        BinaryPrimitives.WriteUInt32BigEndian(tag, delivery.SentId);
        var transfer = new Transfer
        {
            Handle = Handle,
            DeliveryId = isFirst ? delivery.SentId : null,
            DeliveryTag = own is not null ? own.Tag : isFirst ? tag : default,
            MessageFormat = isFirst ? delivery.MessageFormat ?? 0 : null,
            Settled = delivery.GoesSettled ? true : null,
            More = !isEnd,
            ReceiverSettleMode = own?.Mode,
            State = own is { State.Length: > 0 } ? own.State : default,
            Resume = own is { Resume: true },
        };
        frames.Write(Session.Channel, transfer, default, bytes);
        Session.Window.OnTransferSent();
        TellBlockWritten(delivery);
        EndPartIfWritten();
        if (isEnd)
        {
            End(delivery);
        }

        return SendResult.Sent;
    }

    private ReadOnlySpan<byte> NextBytes(RoutedDelivery delivery, int room)
    {
        if (_written < delivery.Length)
        {
            return delivery.Block.AsSpan(_written, Math.Min(room, delivery.Length - _written));
        }

        if (!_isInPart && delivery.Parts is not null && delivery.Parts.TryDequeue(out _part))
        {
            _isInPart = true;
            _partWritten = 0;
        }

        return _isInPart ? _part.Bytes.AsSpan(_partWritten, Math.Min(room, _part.Length - _partWritten)) : default;
    }

    private void Advance(RoutedDelivery delivery, int bytes, out bool isEnd)
    {
        if (_isInPart)
        {
            _partWritten += bytes;
            isEnd = _part.IsLast && _partWritten == _part.Length;
        }
        else
        {
            _written += bytes;
            isEnd = delivery.IsWhole && _written == delivery.Length;
        }
    }

    private void EndPartIfWritten()
    {
        if (_isInPart && _partWritten == _part.Length)
        {
            RoutedDelivery delivery = _current!;
            EndPart();
            _traffic.Post(delivery.Source.Inbox, new RoutedEvent(RoutedEventKind.Consumed, delivery)
            {
                Generation = delivery.Generation,
                Count = 1,
            });
        }
    }

    private void EndPart()
    {
        if (_isInPart)
        {
            _isInPart = false;
            System.Buffers.ArrayPool<byte>.Shared.Return(_part.Bytes);
        }
    }

    private void End(RoutedDelivery delivery)
    {
        _current = null;
        _siblings?.OnWritten();
        delivery.FreeRented();
        if (delivery.GoesSettled)
        {
            Counters.OnPresettled(Session.Connection.NowMs);
            CountIngress(delivery);
            Conclude(delivery, RoutedState.Accepted, isCounted: true);
        }
        else if (delivery.EarlyState is { } state)
        {
            Conclude(delivery, state);
        }

        FinishDrain();
        OnEnded?.Invoke();
    }

    // Part 2 section 2.6.7: the sender advances delivery-count by the credit that it cannot use, and says so.
    private void FinishDrain()
    {
        if (_end is not null)
        {
            FinishRoutedDrain();
            return;
        }

        if (!_peerDrains || (_pending.Count > 0 && _linkCredit > 0) || _current is not null || AwaitsOthers())
        {
            return;
        }

        _drainWait = DrainWait.None;
        _deliveryCount += _linkCredit;
        _linkCredit = 0;
        NoteCredit();
        WriteFlow(echo: false);
        _peerDrains = false;
    }

    // What is still to come by this credit is elsewhere: they are asked once.
    private bool AwaitsOthers()
    {
        if (_linkCredit > 0 && _drainWait == DrainWait.None && OnDrain is not null)
        {
            _drainWait = DrainWait.Asked;
            if (!OnDrain(OnDrainAnswered))
            {
                _drainWait = DrainWait.Answered;
            }
        }

        return _linkCredit > 0 && _drainWait == DrainWait.Asked;
    }

    private void OnDrainAnswered()
    {
        if (State == LinkState.Attached && _drainWait == DrainWait.Asked)
        {
            _drainWait = _peerDrains ? DrainWait.Answered : DrainWait.None;
            FinishDrain();
        }
    }

    // Whoever takes credit back does not want more; one without any for now does.
    private void TellCredit(bool any)
    {
        if (OnCredit is not null && any != _hasCredit && (any || _peerDrains))
        {
            _hasCredit = any;
            OnCredit(any);
            if (!any)
            {
                GiveBackPending();
            }
        }
    }

    // Nobody takes it there for now.
    private void GiveBackPending()
    {
        while (_pending.TryDequeue(out RoutedDelivery? delivery))
        {
            GiveBack(delivery);
        }

        _siblings?.OnWritten();
    }

    private void GiveBack(RoutedDelivery delivery)
    {
        Leave(delivery);
        delivery.FreeRented();
        Conclude(delivery, RoutedState.Released, isCounted: true);
    }

    private void Conclude(RoutedDelivery delivery, byte[] state, bool isCounted = false)
    {
        if (!isCounted)
        {
            CountOutcome(delivery, state);
        }

        _traffic.Touch(delivery.Conclude(state));
        _inHand--;
        EndWhenIdle();
    }

    private void EndWhenIdle()
    {
        if (_endsWhenIdle && _inHand == 0)
        {
            Session.Detach(this, error: null);
        }
    }
}

/// <summary>Whether those who have more messages were asked for them, of a link whose peer drains.</summary>
internal enum DrainWait : byte
{
    /// <summary>Nobody was.</summary>
    None,

    /// <summary>They were, and have not answered.</summary>
    Asked,

    /// <summary>All that they had has come.</summary>
    Answered,
}
