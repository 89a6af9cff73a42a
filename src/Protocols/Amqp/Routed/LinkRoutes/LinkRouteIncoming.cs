using System.Buffers;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Protocols.Amqp.Transactions;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.LinkRoutes;

/// <summary>
/// The half of a routed link that messages come by. They cross as they are, frame by frame; what the sender may send is
/// what the receiver at the other end has given as credit.
/// </summary>
internal sealed class LinkRouteIncoming : IncomingLink, IRoutedSource, IRoutedLink
{
    private readonly RoutedEnd _end;
    private readonly RoutedTraffic _traffic;
    private readonly Dictionary<uint, RoutedDelivery> _outstanding = [];
    private readonly long _tableId;
    private RoutedDelivery? _open;
    private RoutedDelivery? _next;
    private RoutedDelivery? _free;
    private uint _limit;
    private uint _ceiling;
    private bool _drains;
    private bool _isDropping;
    private uint? _messageFormat;
    private volatile int _outstandingCount;

    public LinkRouteIncoming(AmqpSession session, Attach attach, RoutedEnd end)
        : base(session, attach)
    {
        _end = end;
        _traffic = session.Connection.Routed;
        _limit = _ceiling = DeliveryCount;
        _tableId = session.Connection.Environment.RoutedLinks.Add(this);
    }

    /// <inheritdoc/>
    public RoutedInbox Inbox => _traffic.Inbox;

    /// <summary>Its number among the node's routed links.</summary>
    public long Number => _tableId;

    /// <inheritdoc/>
    public bool IsIncoming => true;

    /// <inheritdoc/>
    public LinkCounters Counters { get; } = new();

    /// <inheritdoc/>
    public bool IsWorthInspecting => _outstandingCount > 0;

    private bool IsFromRouter => Session.Connection.Role == ConnectionRole.InterRouter;

    private bool IsFromContainer => Session.Connection.Role == ConnectionRole.RouteContainer;

    /// <summary>The receiver lets the sender go up to a count. Less than before may have come too late for the
    /// sender: what it was given once it may use.</summary>
    public void OnCredit(uint limit, bool drain)
    {
        _limit = limit;
        _drains = drain;
        if (SerialNumber.IsBefore(_ceiling, limit))
        {
            _ceiling = limit;
        }

        LetIn();
        Session.Connection.Owed.OweFlow(this);
    }

    /// <inheritdoc/>
    public override void OnFlow(in Flow flow)
    {
        if (flow.DeliveryCount is { } count && SerialNumber.IsBefore(_ceiling, count))
        {
            throw new AmqpException(
                AmqpErrorCondition.LinkTransferLimitExceeded, "a delivery-count beyond the credit", AmqpSeverity.Link);
        }

        if (_end.IsAnswered)
        {
            base.OnFlow(flow);
            LetIn();
            _end.TellCount(DeliveryCount, flow.Available ?? 0);
        }
    }

    /// <inheritdoc/>
    public override void WriteFlow(bool echo) => Session.WriteFlow(new Flow
    {
        Handle = Handle,
        DeliveryCount = DeliveryCount,
        LinkCredit = (uint)Math.Max(0, SerialNumber.Distance(DeliveryCount, _limit)),
        Drain = _drains,
        Echo = echo,
    });

    /// <inheritdoc/>
    public override void Release(LinkEnd end)
    {
        Session.Connection.Environment.RoutedLinks.Remove(_tableId);
        AbandonDelivery();
        AbortOpen();
        _end.OnReleased(end, PeerError);
    }

    /// <inheritdoc/>
    public void Inspect()
    {
        long before = Session.Connection.NowMs - LinkCounters.StuckMs;
        foreach (RoutedDelivery delivery in _outstanding.Values)
        {
            if (!delivery.IsStuck && !delivery.IsPresettled && delivery.BeganMs < before)
            {
                delivery.IsStuck = true;
                Counters.OnStuck();
                delivery.Outlet.OnStuck();
            }
        }
    }

    /// <inheritdoc/>
    public LinkFacts Describe(long id, long nowMs) => new()
    {
        Id = id,
        Name = Name,
        ConnectionId = Session.Connection.Number,
        IsIncoming = true,
        IsHalf = true,
        OtherHalf = (_end.Other.Link as RoutedOutgoingLink)?.Number,
        Address = (_end.Attach.Target as Target)?.Address,
        Credit = Math.Max(0, SerialNumber.Distance(DeliveryCount, _limit)),
        Unsettled = _outstandingCount,
        Totals = Counters.Read(),
        SettleRate = Counters.RateAt(nowMs),
        LastDeliveryMs = Counters.LastDeliveryMs,
    };

    /// <summary>The sender states an outcome for what it sent, or settles it (part 2 section 2.7.6).</summary>
    public void OnSenderState(in Disposition disposition, uint last)
    {
        byte[] state = RoutedState.Keep(disposition.State);
        int span = SerialNumber.Distance(disposition.First, last);
        if (span < _outstanding.Count)
        {
            for (uint id = disposition.First; !SerialNumber.IsBefore(last, id); id++)
            {
                if (_outstanding.TryGetValue(id, out RoutedDelivery? delivery))
                {
                    TellSenderState(delivery, state, disposition.Settled);
                }
            }

            return;
        }

        foreach ((uint id, RoutedDelivery delivery) in _outstanding)
        {
            if (!SerialNumber.IsBefore(id, disposition.First) && !SerialNumber.IsBefore(last, id))
            {
                TellSenderState(delivery, state, disposition.Settled);
            }
        }
    }

    /// <inheritdoc/>
    public void OnReceiverState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        if (settled)
        {
            Conclude(delivery, state);
        }
        else if (IsAnswerable(delivery))
        {
            Session.Incoming.Write(delivery.SourceId, settled: false, state);
        }
    }

    /// <inheritdoc/>
    public void OnConsumed(RoutedDelivery delivery, int frames)
    {
        delivery.HeldFrames -= frames;
        LetGo(frames);
    }

    /// <inheritdoc/>
    protected override bool TakesFormat(uint format) => true;

    /// <inheritdoc/>
    protected override LocalTransaction? FindTransaction(in Transfer transfer)
    {
        _messageFormat = transfer.MessageFormat;
        RoutedDelivery delivery = _free
            ?? new RoutedDelivery { Source = this, Transfer = new LinkRouteTransfer() };
        _free = delivery.Next;
        delivery.Next = null;
        _next = delivery;
        delivery.Transfer!.Read(transfer);
        return null;
    }

    /// <inheritdoc/>
    protected override void OnMessage(ReadOnlyMemory<byte> message)
    {
    }

    /// <inheritdoc/>
    protected override void OnPart(ReadOnlyMemory<byte> payload, bool more)
    {
        if (_open is not null)
        {
            Continue(_open, payload.Span, more);
        }
        else if (!_isDropping)
        {
            Start(payload.Span, more);
        }

        if (!more)
        {
            _open = null;
            _isDropping = false;
            EndDelivery();
        }
    }

    /// <inheritdoc/>
    protected override void OnAborted()
    {
        AbortOpen();
        _isDropping = false;
        if (_end.IsAnswered && State == LinkState.Attached)
        {
            // It has used credit, also when nothing of it has reached the receiver.
            _end.TellCount(DeliveryCount, 0);
        }
    }

    private void LetIn() => LinkCredit = (uint)Math.Max(0, SerialNumber.Distance(DeliveryCount, _ceiling));

    private void Start(ReadOnlySpan<byte> payload, bool more)
    {
        RoutedDelivery delivery = _next!;
        _next = null;
        Outlet outlet = _end.Other.Outlet!;
        outlet.Load.Add();
        delivery.Begin(new RouteChoice(outlet, outlet.Load), payload.Length);
        payload.CopyTo(delivery.Block);
        delivery.Length = payload.Length;
        delivery.IsWhole = !more;
        delivery.GoesSettled = IsSettled;
        delivery.IsSettledBySender = IsSettled;
        delivery.MessageFormat = _messageFormat;
        delivery.SourceId = DeliveryId;
        delivery.IsPresettled = IsSettled;
        delivery.BeganMs = Session.Connection.NowMs;
        delivery.Ingress = IsFromRouter ? -1 : 0;
        Hold(delivery);
        Count(delivery, outlet);
        _outstanding[DeliveryId] = delivery;
        _outstandingCount = _outstanding.Count;
        _open = more ? delivery : null;
        _traffic.Post(delivery.Outlet.Inbox, new RoutedEvent(RoutedEventKind.Delivery, delivery)
        {
            Generation = delivery.Generation,
        });
    }

    private void Continue(RoutedDelivery delivery, ReadOnlySpan<byte> payload, bool more)
    {
        byte[] piece = ArrayPool<byte>.Shared.Rent(Math.Max(1, payload.Length));
        payload.CopyTo(piece);
        Hold(delivery);
        _traffic.Post(delivery.Outlet.Inbox, new RoutedEvent(RoutedEventKind.Part, delivery)
        {
            Generation = delivery.Generation,
            Bytes = piece,
            Count = payload.Length,
            Flag = !more,
        });
        if (!more && IsSettled && !delivery.IsSettledBySender)
        {
            TellSenderState(delivery, RoutedState.None, settled: true);
        }
    }

    private void Count(RoutedDelivery delivery, Outlet outlet)
    {
        Counters.OnDelivery(delivery.BeganMs);
        if (!IsFromRouter)
        {
            Counters.OnIngress(IsFromContainer);
        }

        if (_end.Other.IsTowardsRouter)
        {
            Counters.OnTransit();
        }
        else
        {
            Counters.OnEgress(outlet.Place == OutletPlace.RouteContainer);
        }

        if (delivery.IsPresettled)
        {
            Counters.OnPresettled(delivery.BeganMs);
        }
    }

    // Frames that wait for the other half narrow the session's window: so much of a link waits in the node at most.
    private void Hold(RoutedDelivery delivery)
    {
        delivery.HeldFrames++;
        Session.Window.HeldFrames++;
    }

    private void LetGo(int frames)
    {
        if (frames > 0)
        {
            Session.Window.HeldFrames -= (uint)frames;
            if (Session.State == SessionState.Mapped && Session.Window.IsUpdateDue)
            {
                Session.Connection.Owed.OweWindow(Session);
            }
        }
    }

    private void TellSenderState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        delivery.IsSettledBySender |= settled;
        _traffic.Post(delivery.Outlet.Inbox, new RoutedEvent(RoutedEventKind.SenderState, delivery)
        {
            Generation = delivery.Generation,
            Bytes = state,
            Flag = settled,
        });
    }

    private bool IsAnswerable(RoutedDelivery delivery) =>
        !delivery.IsSettledBySender && State == LinkState.Attached && Session.State == SessionState.Mapped;

    private void Conclude(RoutedDelivery delivery, byte[] state)
    {
        if (_open == delivery)
        {
            // The receiver is gone while the message still comes in.
            _open = null;
            _isDropping = true;
        }

        LetGo(delivery.HeldFrames);
        delivery.HeldFrames = 0;
        _outstanding.Remove(delivery.SourceId);
        _outstandingCount = _outstanding.Count;
        if (!delivery.IsPresettled)
        {
            Counters.OnOutcome(state, delivery.BeganMs, Session.Connection.NowMs);
        }

        if (IsAnswerable(delivery))
        {
            if (ReferenceEquals(state, RoutedState.Accepted))
            {
                Session.Incoming.Accept(delivery.SourceId, settled: true);
            }
            else
            {
                Session.Incoming.Write(delivery.SourceId, settled: true, state);
            }
        }

        (delivery.Next, _free) = (_free, delivery);
    }

    private void AbortOpen()
    {
        if (_open is { } open)
        {
            _open = null;
            open.IsSettledBySender = true;
            _traffic.Post(
                open.Outlet.Inbox,
                new RoutedEvent(RoutedEventKind.Abort, open) { Generation = open.Generation });
        }
    }
}
