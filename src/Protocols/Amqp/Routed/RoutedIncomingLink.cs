using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Transactions;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>Whose messages a routed link brings.</summary>
internal enum RoutedSender : byte
{
    /// <summary>A client's, for one address.</summary>
    ToAddress,

    /// <summary>A client's, each with its own address.</summary>
    Anonymous,

    /// <summary>Another router's.</summary>
    Router,

    /// <summary>An edge's own: each with the address that the edge gave it.</summary>
    Edge,

    /// <summary>The interior's to an edge, for one address.</summary>
    Uplink,
}

/// <summary>
/// The node's receiving end of a link whose messages go on through the network. Nothing is kept here: each delivery is
/// handed to an outlet, frame by frame, and the sender hears what the receiver says of it.
/// </summary>
internal sealed partial class RoutedIncomingLink : IncomingLink, IRoutedSource, IRoutedLink, IDestinationListener
{
    /// <summary>Most bytes before the bare message (and its properties, when they are wanted).</summary>
    public const int HeadBytesMax = 64 << 10;

    // Addresses of messages that a link remembers the routes of.
    private const int RoutesKeptMax = 1024;

    private readonly INetwork _network;
    private readonly RoutedTraffic _traffic;
    private readonly RoutedSender _kind;
    private readonly PeerLink? _peer;
    private readonly RouteCache _routes;
    private readonly List<RouteChoice> _choices = [];
    private readonly List<RoutedDelivery> _open = [];
    private RoutedDelivery? _free;
    private RoutedDelivery? _outstanding;
    private byte[] _uplinkAddress = [];
    private int _uplinkPhase;
    private IRoute? _route;
    private IRoute? _fallback;
    private EarlyWatch? _watch;
    private uint? _messageFormat;
    private readonly long _tableId;
    private readonly bool _checksUserIds;
    private bool _isDropping;
    private bool _isTransacted;

    public RoutedIncomingLink(AmqpSession session, Attach attach, RoutedSender kind)
        : base(session, attach)
    {
        _network = session.Connection.Network!;
        _traffic = session.Connection.Routed;
        _kind = kind;
        _peer = kind is RoutedSender.Router or RoutedSender.Uplink ? session.Connection.Peer : null;
        _capacity = session.Connection.LinkCapacity;
        _checksUserIds = kind is RoutedSender.ToAddress or RoutedSender.Anonymous
            && session.Connection.Policy is { ChecksUserIds: true };
        _routes = new RouteCache(_network, RoutesKeptMax)
        {
            Authorize = kind == RoutedSender.Anonymous ? AuthorizeMessage : null,
            Tenant = kind == RoutedSender.Anonymous ? session.Connection.Tenant : null,
        };
        _tableId = session.Connection.Environment.RoutedLinks.Add(this);
        Stamp(to: null, phase: 0);
        if (kind != RoutedSender.ToAddress)
        {
            _isOpen = true;
            Restore(_capacity);
        }
    }

    /// <summary>What is to be done when the link ends.</summary>
    public Action? OnReleased { get; init; }

    /// <summary>Which of the links between routers it is.</summary>
    public int Priority { get; init; }

    /// <summary>Its number among the node's routed links.</summary>
    public long Number => _tableId;

    /// <summary>Whether it brings what a fallback destination gives back: that does not go there again.</summary>
    public bool IsFallback { get; init; }

    /// <inheritdoc/>
    public RoutedInbox Inbox => _traffic.Inbox;

    // Whether all its messages are for one address, whatever they say themselves.
    private bool IsAddressed => _kind is RoutedSender.ToAddress or RoutedSender.Uplink;

    // Whether annotations of routers are what they say.
    private bool TrustsNotes => _kind is RoutedSender.Router or RoutedSender.Edge;

    private bool IsFromEdge =>
        Session.Connection is { Role: ConnectionRole.Edge, IsInitiator: false };

    /// <summary>The address that the link sends to.</summary>
    public void SetRoute(IRoute route, EarlyWatch watch)
    {
        _route = route;
        _tally = route.Tallies.Open();
        _watch = watch;
        Stamp(route.Address, route.Phase);
        watch.Join(this);
    }

    /// <summary>The address that the interior's messages are for, and their phase.</summary>
    public void SetUplinkAddress(string address, int phase)
    {
        _uplinkAddress = System.Text.Encoding.UTF8.GetBytes(address);
        _uplinkPhase = phase;
    }

    /// <inheritdoc/>
    public override void Release(LinkEnd end)
    {
        Session.Connection.Environment.RoutedLinks.Remove(_tableId);
        OnReleased?.Invoke();
        AbandonDelivery();
        AbortOpen();
        _routes.Clear();
        if (_route is not null)
        {
            _route.Tallies.Close(_tally!);
            _network.CloseSender(_route, _watch!);
        }
    }

    /// <inheritdoc/>
    public LinkFacts Describe(long id, long nowMs) => new()
    {
        Id = id,
        Name = Name,
        ConnectionId = Session.Connection.Number,
        IsIncoming = true,
        IsTrunk = _kind == RoutedSender.Router,
        Kind = _kind == RoutedSender.Router ? RoutedLinkKind.Router : RoutedLinkKind.Endpoint,
        Priority = Priority,
        Address = _route?.Address,
        Capacity = _capacity,
        Credit = LinkCredit,
        Unsettled = _outstandingCount,
        Totals = _counters.Read(),
        SettleRate = _counters.RateAt(nowMs),
        LastDeliveryMs = _counters.LastDeliveryMs,
    };

    /// <summary>The sender states an outcome for what it sent, or settles it (part 2 section 2.7.6).</summary>
    public void OnSenderState(in Disposition disposition, uint last)
    {
        for (RoutedDelivery? at = _outstanding; at is not null; at = at.Next)
        {
            if (SerialNumber.IsBefore(at.SourceId, disposition.First) || SerialNumber.IsBefore(last, at.SourceId))
            {
                continue;
            }

            at.IsSettledBySender |= disposition.Settled;
            _traffic.Post(at.Outlet.Inbox, new RoutedEvent(RoutedEventKind.SenderState, at)
            {
                Generation = at.Generation,
                Bytes = RoutedState.Keep(disposition.State),
                Flag = disposition.Settled,
            });
        }
    }

    /// <inheritdoc/>
    protected override LocalTransaction? FindTransaction(in Transfer transfer)
    {
        _messageFormat = transfer.MessageFormat;
        _isTransacted = DeliveryState.KindOf(transfer.State) == DeliveryStateKind.Transactional;
        return null;
    }

    /// <inheritdoc/>
    protected override void OnMessage(ReadOnlyMemory<byte> message)
    {
    }

    /// <inheritdoc/>
    protected override void OnPart(ReadOnlyMemory<byte> payload, bool more)
    {
        if (_isDropping || _open.Count > 0)
        {
            Continue(payload.Span, more);
        }
        else
        {
            Start(payload, more);
        }

        if (!more)
        {
            _isDropping = false;
            _open.Clear();
            EndDelivery();
        }
    }

    /// <inheritdoc/>
    protected override void OnAborted()
    {
        if (_open.Count == 0 && !_isDropping)
        {
            // Nothing was handed over; what was comes back with its credit.
            Restore(1);
        }

        AbortOpen();
        _isDropping = false;
    }

    private void AbortOpen()
    {
        foreach (RoutedDelivery delivery in _open)
        {
            delivery.IsSettledBySender = true;
            _traffic.Post(
                delivery.Outlet.Inbox,
                new RoutedEvent(RoutedEventKind.Abort, delivery) { Generation = delivery.Generation });
        }

        _open.Clear();
    }

    private void Start(ReadOnlyMemory<byte> payload, bool more)
    {
        if (IsAssembling)
        {
            Assemble(payload);
            payload = Assembled;
        }

        IsReadingMessage = true;
        CheckTransaction();
        if (!TryReadHead(payload.Span, more, out RoutedHead head, out ReadOnlySpan<byte> to))
        {
            AwaitHead(payload, more);
            IsReadingMessage = false;
            return;
        }

        if (_checksUserIds)
        {
            CheckUserId(payload.Span, head);
        }

        RouterNotes notes = head.AnnotationsMap > 0
            ? RouterNotes.Read(payload.Span[head.AnnotationsMap..head.BareOffset])
            : default;
        if (_kind == RoutedSender.Edge)
        {
            notes.ForgetWay();
        }

        IsReadingMessage = false;
        Forward(payload.Span, head, notes, to, more);
        ReleaseBuffer();
    }

    private void CheckTransaction()
    {
        if (_isTransacted)
        {
            throw new AmqpException(
                AmqpErrorCondition.NotAllowed, "messages through the network take no part in transactions",
                AmqpSeverity.Link);
        }
    }

    private bool TryReadHead(
        ReadOnlySpan<byte> message, bool more, out RoutedHead head, out ReadOnlySpan<byte> to)
    {
        to = default;
        HeadScan scan = RoutedHead.Scan(message, out head);
        return scan switch
        {
            HeadScan.Cut => false,
            HeadScan.NotBegun => !more,
            _ => (IsAddressed && !_checksUserIds) || head.TryReadTo(message, out to),
        };
    }

    private void AwaitHead(ReadOnlyMemory<byte> payload, bool more)
    {
        if (!more || payload.Length > HeadBytesMax)
        {
            throw new AmqpException(AmqpErrorCondition.DecodeError, "invalid message format", AmqpSeverity.Link);
        }

        if (!IsAssembling)
        {
            Assemble(payload);
        }
    }

    private void Forward(
        ReadOnlySpan<byte> message, in RoutedHead head, scoped in RouterNotes notes, ReadOnlySpan<byte> to, bool more)
    {
        // A message to where its sender may not send is rejected by itself.
        IsReadingMessage = true;
        IRoute? route = RouteOf(notes, to);
        IsReadingMessage = false;
        _choices.Clear();
        _fallback = null;
        if (route is not null)
        {
            Choose(route, head, notes);
            ChooseFallback(route, head, notes);
        }

        bool isPreSettled = IsSettled || notes.IsPreSettled;
        _counters.OnDelivery(Session.Connection.NowMs);
        if (_choices.Count == 0)
        {
            RefuseUnwanted(route is null && to.IsEmpty && notes.To.IsEmpty);
            _isDropping = more;
            return;
        }

        CountForwarded(isPreSettled);
        RoutedCopies? copies = _choices.Count > 1 ? new RoutedCopies { Left = _choices.Count } : null;
        foreach (RouteChoice chosen in _choices)
        {
            RouteChoice choice = more && notes.IsStream && chosen.Outlet!.Peer?.StreamOutlet is { } streams
                ? chosen with { Outlet = streams } : chosen;
            RoutedDelivery delivery = Rent(choice, message.Length + StampBytesMax(notes));
            delivery.Copies = copies;
            delivery.IsWhole = !more;
            delivery.Ingress = IngressOf(notes);
            bool isMarked = isPreSettled && choice.Outlet!.Peer is { IsAlike: true };
            delivery.IsPresettled = isPreSettled;
            delivery.IsBehind = TrustsNotes && notes.IsBehind;
            delivery.GoesSettled = isPreSettled && !isMarked;
            delivery.Length = Copy(message, head, notes, delivery, isMarked);
            HandOver(delivery);
        }

        if (_kind != RoutedSender.ToAddress && _kind != RoutedSender.Anonymous && !IsSettled)
        {
            // From another router what is unsettled is bounded by the senders' own credit.
            Restore(1);
        }
    }

    private IRoute? RouteOf(scoped in RouterNotes notes, ReadOnlySpan<byte> to)
    {
        if (_kind == RoutedSender.ToAddress)
        {
            _counted = _tally;
            return _route;
        }

        bool isUplink = _kind == RoutedSender.Uplink;
        ReadOnlySpan<byte> address = isUplink ? _uplinkAddress : TrustsNotes && !notes.To.IsEmpty ? notes.To : to;
        int? phase = isUplink ? _uplinkPhase : TrustsNotes ? notes.Phase : null;
        IRoute? found = address.IsEmpty ? null : _routes.Find(address, phase);
        _counted = found is null ? null : _routes.Tally;
        return found;
    }

    private void AuthorizeMessage(string address)
    {
        if (Session.Connection.Policy?.AllowsTarget(address) == false)
        {
            throw new AmqpException(
                AmqpErrorCondition.UnauthorizedAccess, "policy violation on target", AmqpSeverity.Link);
        }

        try
        {
            RoutedAttach.Authorize(
                Session.Connection, RoutedAttach.NameOf(Session.Connection, _network, address), Permission.Send);
        }
        catch (BrokerException refusal)
        {
            throw BrokerErrors.ToLinkException(refusal);
        }
    }

    private void CheckUserId(ReadOnlySpan<byte> message, in RoutedHead head)
    {
        if (!Session.Connection.Policy!.AllowsUserId(head.UserIdOf(message)))
        {
            throw new AmqpException(
                AmqpErrorCondition.UnauthorizedAccess, "user_id proxy violation", AmqpSeverity.Link);
        }
    }

    private void Choose(IRoute route, in RoutedHead head, scoped in RouterNotes notes)
    {
        bool isFromRouter = _kind == RoutedSender.Router;
        var query = new RouteQuery
        {
            From = _peer,
            IsAnonymous = _kind == RoutedSender.Anonymous,
            ExceptOwner = IsFromEdge ? Inbox : null,
            Priority = route.Priority ?? head.Priority,
            Ingress = isFromRouter ? notes.Ingress : default,
            Trace = isFromRouter ? notes.Trace : default,
            TraceCount = isFromRouter ? notes.TraceCount : 0,
        };
        if (route.IsMulticast)
        {
            route.ChooseAll(query, _choices);
        }
        else if (route.Choose(query) is { Outlet: not null } choice)
        {
            _choices.Add(choice);
        }
    }

    private void ChooseFallback(IRoute route, in RoutedHead head, scoped in RouterNotes notes)
    {
        if (_choices.Count > 0 || IsFallback || route.Fallback is not { } fallback)
        {
            return;
        }

        Choose(fallback, head, notes);
        if (_choices.Count > 0)
        {
            _fallback = fallback;
            _counted?.OnFallback();
        }
    }

    // Nobody wants it: the sender may try again.
    private void RefuseUnwanted(bool hasNoAddress)
    {
        if (!IsSettled)
        {
            byte[] outcome = hasNoAddress ? NoAddress : RoutedState.Released;
            long nowMs = Session.Connection.NowMs;
            _counters.OnOutcome(outcome, nowMs, nowMs);
            Session.Incoming.Write(DeliveryId, settled: true, outcome);
        }
        else
        {
            _counters.OnDropped();
        }

        Restore(1);
    }

    private static readonly byte[] NoAddress = RoutedState.Rejected(
        AmqpErrorCondition.PreconditionFailed, "the message has no address, and the link has none either");

    private void HandOver(RoutedDelivery delivery)
    {
        delivery.SourceId = DeliveryId;
        delivery.BeganMs = Session.Connection.NowMs;
        delivery.IsSettledBySender = IsSettled;
        delivery.MessageFormat = _messageFormat;
        delivery.OwesCredit = _kind is RoutedSender.ToAddress or RoutedSender.Anonymous || IsSettled;
        if (!delivery.IsWhole)
        {
            _open.Add(delivery);
        }

        _traffic.Post(delivery.Outlet.Inbox, new RoutedEvent(RoutedEventKind.Delivery, delivery)
        {
            Generation = delivery.Generation,
        });
    }

    private void Continue(ReadOnlySpan<byte> payload, bool more)
    {
        foreach (RoutedDelivery delivery in _open)
        {
            byte[] piece = ArrayPool<byte>.Shared.Rent(Math.Max(1, payload.Length));
            payload.CopyTo(piece);
            delivery.HeldFrames++;
            Session.Window.HeldFrames++;
            _traffic.Post(delivery.Outlet.Inbox, new RoutedEvent(RoutedEventKind.Part, delivery)
            {
                Generation = delivery.Generation,
                Bytes = piece,
                Count = payload.Length,
                Flag = !more,
            });
        }
    }
}
