using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>Takes a message; it is valid during the call.</summary>
internal delegate void ControlTaker(ReadOnlySpan<byte> message);

/// <summary>Control messages from another router: whole, small, and each as good as the next.</summary>
internal sealed class ControlIncomingLink : IncomingLink, IRoutedLink
{
    /// <summary>The longest control message that is taken.</summary>
    public const int MessageBytesMax = 4 << 20;

    private readonly ControlTaker _take;
    private readonly Action _onLost;
    private readonly uint _capacity;
    private readonly long? _tableId;

    public ControlIncomingLink(
        AmqpSession session, Attach attach, ControlTaker take, Action onLost, bool isShown = false)
        : base(session, attach)
    {
        (_take, _onLost) = (take, onLost);
        _tableId = isShown ? session.Connection.Environment.RoutedLinks.Add(this) : null;
        _capacity = (uint)session.Connection.LinkCapacity;
        TopUp();
    }

    /// <inheritdoc/>
    public RoutedInbox Inbox => Session.Connection.Routed.Inbox;

    /// <inheritdoc/>
    public LinkCounters Counters { get; } = new();

    /// <inheritdoc/>
    public bool IsIncoming => true;

    /// <inheritdoc/>
    public bool IsTraffic => false;

    /// <inheritdoc/>
    public bool IsWorthInspecting => false;

    /// <inheritdoc/>
    public void Inspect()
    {
        // Nothing of it is ever unsettled.
    }

    /// <inheritdoc/>
    public LinkFacts Describe(long id, long nowMs) => ControlFacts.Of(this, this, id, nowMs) with
    {
        Credit = LinkCredit,
    };

    /// <inheritdoc/>
    public override void Release(LinkEnd end)
    {
        Session.Connection.Environment.RoutedLinks.Remove(_tableId ?? 0);
        AbandonDelivery();
        _onLost();
    }

    /// <inheritdoc/>
    protected override void OnPart(ReadOnlyMemory<byte> payload, bool more)
    {
        if (ReceivedBytes > MessageBytesMax)
        {
            throw new AmqpException(
                AmqpErrorCondition.LinkMessageSizeExceeded,
                $"a control message of more than {MessageBytesMax} bytes", AmqpSeverity.Link);
        }

        base.OnPart(payload, more);
    }

    /// <inheritdoc/>
    protected override void OnMessage(ReadOnlyMemory<byte> message)
    {
        _take(message.Span);
        long nowMs = Session.Connection.NowMs;
        Counters.OnDelivery(nowMs);
        Counters.OnPresettled(nowMs);
        if (!IsSettled)
        {
            Session.Incoming.Accept(DeliveryId, settled: true);
        }

        TopUp();
    }

    /// <inheritdoc/>
    protected override void OnAborted() => TopUp();

    private void TopUp()
    {
        LinkCredit = _capacity;
        Session.Connection.Owed.OweFlow(this);
    }
}

/// <summary>Control messages to another router, or to an edge: settled as they are sent.</summary>
internal sealed class ControlOutgoingLink : OutgoingLink, IRoutedLink
{
    /// <summary>Messages that wait for credit; beyond, the oldest is dropped, for each is said again.</summary>
    public const int PendingMax = 1024;

    private readonly Queue<byte[]> _pending = new();
    private readonly Action _onLost;
    private readonly long? _tableId;
    private uint _deliveryCount;
    private uint _linkCredit;
    private uint _id;
    private int _written;

    public ControlOutgoingLink(AmqpSession session, Attach attach, Action onLost, bool isShown = false)
        : base(session, attach)
    {
        _onLost = onLost;
        _tableId = isShown ? session.Connection.Environment.RoutedLinks.Add(this) : null;
    }

    /// <inheritdoc/>
    public RoutedInbox Inbox => Session.Connection.Routed.Inbox;

    /// <inheritdoc/>
    public LinkCounters Counters { get; } = new();

    /// <inheritdoc/>
    public bool IsIncoming => false;

    /// <inheritdoc/>
    public bool IsTraffic => false;

    /// <inheritdoc/>
    public bool IsWorthInspecting => false;

    /// <inheritdoc/>
    public void Inspect()
    {
        // Nothing of it is ever unsettled.
    }

    /// <inheritdoc/>
    public LinkFacts Describe(long id, long nowMs) => ControlFacts.Of(this, this, id, nowMs) with
    {
        Credit = _linkCredit,
        Undelivered = _pending.Count,
    };

    /// <inheritdoc/>
    public override bool HasWork =>
        State == LinkState.Attached && _pending.Count > 0 && (_linkCredit > 0 || _written > 0);

    public void Send(byte[] message)
    {
        if (_pending.Count >= PendingMax && _written == 0)
        {
            _pending.Dequeue();
        }

        _pending.Enqueue(message);
        Session.Connection.Turns.Enqueue(this);
    }

    /// <inheritdoc/>
    public override void OnFlow(in Flow flow)
    {
        if (flow.LinkCredit is { } credit)
        {
            long inFlight = SerialNumber.Distance(flow.DeliveryCount ?? 0, _deliveryCount);
            _linkCredit = (uint)Math.Clamp(credit - inFlight, 0, uint.MaxValue);
        }

        if (flow.Echo)
        {
            WriteFlow(echo: false);
        }

        Session.Connection.Turns.Enqueue(this);
    }

    /// <inheritdoc/>
    public override void Release(LinkEnd end)
    {
        Session.Connection.Environment.RoutedLinks.Remove(_tableId ?? 0);
        _onLost();
    }

    /// <inheritdoc/>
    public override void WriteFlow(bool echo) => Session.WriteFlow(new Flow
    {
        Handle = Handle,
        DeliveryCount = _deliveryCount,
        LinkCredit = _linkCredit,
        Available = (uint)_pending.Count,
        Echo = echo,
    });

    /// <inheritdoc/>
    public override SendResult TrySend(FrameWriter frames)
    {
        if (!HasWork)
        {
            return SendResult.Idle;
        }

        if (Session.Window.RemoteIncomingWindow == 0)
        {
            return SendResult.SessionBlocked;
        }

        byte[] message = _pending.Peek();
        bool isFirst = _written == 0;
        if (isFirst)
        {
            _id = Session.Unsettled.TakeSettledId();
            _linkCredit--;
            _deliveryCount++;
            long nowMs = Session.Connection.NowMs;
            Counters.OnDelivery(nowMs);
            Counters.OnPresettled(nowMs);
        }

        int room = (int)Session.Connection.PeerFrameBytesMax - FrameWriter.TransferOverheadMax;
        int bytes = Math.Min(room, message.Length - _written);
        bool more = _written + bytes < message.Length;
        Span<byte> tag = stackalloc byte[sizeof(uint)];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(tag, _id);
        frames.Write(
            Session.Channel,
            new Transfer
            {
                Handle = Handle,
                DeliveryId = isFirst ? _id : null,
                DeliveryTag = isFirst ? tag : default,
                MessageFormat = isFirst ? 0 : null,
                Settled = true,
                More = more,
            },
            default,
            message.AsSpan(_written, bytes));
        Session.Window.OnTransferSent();
        _written += bytes;
        if (!more)
        {
            _pending.Dequeue();
            _written = 0;
        }

        return SendResult.Sent;
    }
}

/// <summary>What both kinds of control links show of themselves.</summary>
internal static class ControlFacts
{
    private const int HighestPriority = 9;

    public static LinkFacts Of(Link link, IRoutedLink shown, long id, long nowMs) => new()
    {
        Id = id,
        Name = link.Name,
        ConnectionId = link.Session.Connection.Number,
        IsIncoming = shown.IsIncoming,
        IsTrunk = true,
        Kind = RoutedLinkKind.Control,
        Priority = HighestPriority,
        Capacity = link.Session.Connection.LinkCapacity,
        Totals = shown.Counters.Read(),
        SettleRate = shown.Counters.RateAt(nowMs),
        LastDeliveryMs = shown.Counters.LastDeliveryMs,
    };
}
