using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>Takes a message; it is valid during the call.</summary>
internal delegate void ControlTaker(ReadOnlySpan<byte> message);

/// <summary>Control messages from another router: whole, small, and each as good as the next.</summary>
internal sealed class ControlIncomingLink : IncomingLink
{
    /// <summary>The longest control message that is taken.</summary>
    public const int MessageBytesMax = 4 << 20;

    private readonly ControlTaker _take;
    private readonly Action _onLost;
    private readonly uint _capacity;

    public ControlIncomingLink(AmqpSession session, Attach attach, ControlTaker take, Action onLost)
        : base(session, attach)
    {
        (_take, _onLost) = (take, onLost);
        _capacity = (uint)session.Connection.LinkCapacity;
        TopUp();
    }

    /// <inheritdoc/>
    public override void Release(LinkEnd end)
    {
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
internal sealed class ControlOutgoingLink(AmqpSession session, Attach attach, Action onLost)
    : OutgoingLink(session, attach)
{
    /// <summary>Messages that wait for credit; beyond, the oldest is dropped, for each is said again.</summary>
    public const int PendingMax = 1024;

    private readonly Queue<byte[]> _pending = new();
    private uint _deliveryCount;
    private uint _linkCredit;
    private uint _id;
    private int _written;

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
    public override void Release(LinkEnd end) => onLost();

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
