using System.Buffers;
using Pillarbox.Protocols.Amqp.Transactions;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Links;

/// <summary>
/// The receiving half of a link: counts credit, puts the frames of a delivery together (part 2 sections 2.6.7 and
/// 2.6.14) and hands on
/// whole messages. What a message means is its heirs' matter.
/// </summary>
internal abstract class IncomingLink(AmqpSession session, Attach attach) : Link(session, attach)
{
    private byte[] _buffer = [];
    private int _buffered;
    private bool _inDelivery;
    private bool _discards;
    private bool _answersDiscarded;
    private bool _moreToCome;

    /// <summary>Deliveries that the peer may begin.</summary>
    protected uint LinkCredit { get; set; }

    /// <summary>The peer's count of deliveries, as the node follows it.</summary>
    protected uint DeliveryCount { get; private set; } = attach.InitialDeliveryCount ?? 0;

    /// <summary>The delivery that is coming in.</summary>
    protected uint DeliveryId { get; private set; }

    /// <summary>Whether the peer has settled it already.</summary>
    protected bool IsSettled { get; private set; }

    /// <summary>Bytes of it that wait to be put together.</summary>
    protected bool IsAssembling => _buffered > 0;

    /// <summary>The transaction it belongs to, or null.</summary>
    protected LocalTransaction? Transaction { get; private set; }

    /// <summary>
    /// Whether the message's own bytes are being read: a fault found then is the message's, not the link's.
    /// </summary>
    public bool IsReadingMessage { get; protected set; }

    /// <summary>Bytes of the delivery so far.</summary>
    protected long ReceivedBytes { get; private set; }

    /// <summary>The bytes that wait for the rest.</summary>
    protected ReadOnlyMemory<byte> Assembled => _buffer.AsMemory(0, _buffered);

    /// <summary>
    /// One transfer frame. Errors: transfer-limit-exceeded, message-size-exceeded, unknown transaction.
    /// </summary>
    public void OnTransfer(in Transfer transfer, ReadOnlyMemory<byte> payload)
    {
        if (!_inDelivery)
        {
            Begin(transfer);
        }
        else if (transfer.DeliveryId is { } id && id != DeliveryId)
        {
            throw new AmqpException(
                AmqpErrorCondition.NotAllowed, $"delivery {id} begins inside of delivery {DeliveryId}",
                AmqpSeverity.Session);
        }

        if (transfer.Aborted)
        {
            AbandonDelivery();
            OnAborted();
            return;
        }

        IsSettled |= transfer.Settled == true;
        _moreToCome = transfer.More;
        ReceivedBytes += payload.Length;
        CheckSize();
        if (_discards)
        {
            EndDiscarded(transfer.More);
            return;
        }

        OnPart(payload, transfer.More);
    }

    /// <inheritdoc/>
    public override void OnFlow(in Flow flow)
    {
        // Part 2 section 2.6.7: the sender's delivery-count is the truth; credit that it gave up is granted again. In
        // the middle of a delivery it may not have counted that one yet.
        if (flow.DeliveryCount is { } count && (!_inDelivery || SerialNumber.IsBefore(DeliveryCount, count)))
        {
            DeliveryCount = count;
        }

        if (flow.Echo)
        {
            WriteFlow(echo: false);
        }
    }

    /// <inheritdoc/>
    public override void WriteFlow(bool echo) => Session.WriteFlow(new Flow
    {
        Handle = Handle,
        DeliveryCount = DeliveryCount,
        LinkCredit = LinkCredit,
        Echo = echo,
    });

    /// <summary>The message cannot be read: it is rejected, and the link goes on.</summary>
    public void RejectCurrent(AmqpError error)
    {
        IsReadingMessage = false;
        if (!IsSettled)
        {
            Session.Incoming.Reject(DeliveryId, error);
        }

        OnRejected();
        AbandonDelivery();
        if (_moreToCome)
        {
            _inDelivery = true;
            _discards = true;
        }

        OnAborted();
    }

    /// <summary>A message could not be read, and was rejected.</summary>
    protected virtual void OnRejected()
    {
    }

    /// <summary>A piece of the delivery; the last one when <paramref name="more"/> is false.</summary>
    protected virtual void OnPart(ReadOnlyMemory<byte> payload, bool more)
    {
        if (more)
        {
            Assemble(payload);
            return;
        }

        if (_buffered > 0)
        {
            Assemble(payload);
            payload = Assembled;
        }

        OnMessage(payload);
        EndDelivery();
    }

    /// <summary>The whole message is there, in memory; valid during the call.</summary>
    protected abstract void OnMessage(ReadOnlyMemory<byte> message);

    /// <summary>
    /// Whether a delivery that begins is wanted; when not, its bytes are dropped, and it is accepted or settled in
    /// silence.
    /// </summary>
    protected virtual bool Takes(in Transfer transfer, out bool isAnswered)
    {
        isAnswered = false;
        return true;
    }

    /// <summary>A delivery that was not wanted has come to its end, and is to be answered.</summary>
    protected virtual void OnDiscarded()
    {
    }

    /// <summary>A delivery ended without a message: its credit was used for nothing.</summary>
    protected abstract void OnAborted();

    /// <summary>Forgets what came of the delivery.</summary>
    protected virtual void AbandonDelivery() => EndDelivery();

    protected void EndDelivery()
    {
        _inDelivery = false;
        _discards = false;
        _answersDiscarded = false;
        ReleaseBuffer();
    }

    protected void ReleaseBuffer()
    {
        _buffered = 0;
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    protected void Assemble(ReadOnlyMemory<byte> payload)
    {
        if (_buffer.Length - _buffered < payload.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffered + payload.Length, _buffer.Length * 2));
            _buffer.AsSpan(0, _buffered).CopyTo(larger);
            if (_buffer.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_buffer);
            }

            _buffer = larger;
        }

        payload.Span.CopyTo(_buffer.AsSpan(_buffered));
        _buffered += payload.Length;
    }

    private void Begin(in Transfer transfer)
    {
        if (LinkCredit == 0)
        {
            throw new AmqpException(
                AmqpErrorCondition.LinkTransferLimitExceeded, "a transfer without link credit", AmqpSeverity.Link);
        }

        DeliveryId = transfer.DeliveryId ?? throw new AmqpException(
            AmqpErrorCondition.InvalidField, "the first transfer of a delivery has no delivery-id",
            AmqpSeverity.Session);
        if (!transfer.HasDeliveryTag || transfer.DeliveryTag.Length > Transfer.DeliveryTagBytesMax)
        {
            throw new AmqpException(
                AmqpErrorCondition.InvalidField,
                "the first transfer of a delivery needs a delivery-tag of 1 to 32 bytes",
                AmqpSeverity.Session);
        }

        LinkCredit--;
        DeliveryCount++;
        _inDelivery = true;
        IsSettled = false;
        ReceivedBytes = 0;
        _moreToCome = transfer.More;

        _discards = !Takes(transfer, out _answersDiscarded);
        Transaction = FindTransaction(transfer);
        IsReadingMessage = true;
        if (transfer.MessageFormat is { } format && !TakesFormat(format))
        {
            throw new AmqpException(
                AmqpErrorCondition.NotImplemented, $"message format {format}; only format 0 is known",
                AmqpSeverity.Link);
        }

        IsReadingMessage = false;
    }

    /// <summary>Whether messages of a format (part 2 section 2.8.11) are taken.</summary>
    protected virtual bool TakesFormat(uint format) => format == 0;

    /// <summary>Reads what of the first frame only an heir knows.</summary>
    protected virtual LocalTransaction? FindTransaction(in Transfer transfer)
    {
        if (DeliveryState.KindOf(transfer.State) != DeliveryStateKind.Transactional)
        {
            return null;
        }

        TransactionalState state = DeliveryState.ReadTransactional(transfer.State);
        return Session.Connection.Transactions.Find(state.TxnId);
    }

    private void CheckSize()
    {
        if (ReceivedBytes > Session.Connection.Options.MaxMessageBytes)
        {
            Session.Connection.Policy?.OnMessageTooLong();
            throw new AmqpException(
                AmqpErrorCondition.LinkMessageSizeExceeded,
                $"the message is larger than {Session.Connection.Options.MaxMessageBytes} bytes", AmqpSeverity.Link);
        }
    }

    private void EndDiscarded(bool more)
    {
        if (!more)
        {
            bool isAnswered = _answersDiscarded && !IsSettled;
            EndDelivery();
            OnAborted();
            if (isAnswered)
            {
                OnDiscarded();
            }
        }
    }
}
