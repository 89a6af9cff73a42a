using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Termini;
using Pillarbox.Protocols.Amqp.Transactions;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Links;

/// <summary>
/// The node's receiving end of a link: what the peer sends becomes publishes of one producer. The peer's credit is what
/// the broker
/// grants; the acknowledgement is a disposition once the publish is on disk.
/// </summary>
internal sealed partial class ReceivingLink : IncomingLink
{
    // A publish's tag: the delivery-id, a bit that makes it not zero, and whether it is in a transaction.
    private const ulong TagMark = 1UL << 32;
    private const ulong TagTransacted = 1UL << 33;

    private readonly BrokerClient _client;
    private readonly DynamicNode? _dynamicNode;
    private readonly RelayAddress? _relay;
    private readonly bool _settlesSecond;
    private Queue<LocalTransaction>? _transacted;
    private int _brokerCredit;
    private LargePublish? _large;
    private MessageHeader _largeHeader;
    private string? _largeTo;
    private ulong _largeTag;
    private bool _isEndingLarge;

    public ReceivingLink(AmqpSession session, Attach attach, Producer producer, DynamicNode? dynamicNode)
        : base(session, attach)
    {
        _client = session.Connection.Client;
        _dynamicNode = dynamicNode;
        _relay = producer.Options.Address is null ? new RelayAddress(session.Connection.Options) : null;
        _settlesSecond = attach.ReceiverSettleMode == ReceiverSettleMode.Second;
        Producer = producer;
        producer.Tag = this;
    }

    public Producer Producer { get; }

    /// <summary>The broker takes more messages.</summary>
    public void OnProducerCredit(int credit)
    {
        _brokerCredit += credit;
        RestoreCredit();
    }

    /// <summary>A publish that was waited for is done.</summary>
    public void OnPublished(ulong tag, BrokerException? error)
    {
        LocalTransaction? transaction = (tag & TagTransacted) != 0 ? _transacted!.Dequeue() : null;
        NotePublished(unchecked((uint)tag), isTaken: error is null && transaction is null);
        if (Session.State != SessionState.Mapped || State != LinkState.Attached)
        {
            return;
        }

        uint id = unchecked((uint)tag);
        if (error is not null)
        {
            Session.Incoming.Reject(id, BrokerErrors.ToError(error));
        }
        else if (transaction is not null)
        {
            Session.Incoming.AcceptInTransaction(id, transaction, settled: !_settlesSecond);
        }
        else
        {
            Session.Incoming.Accept(id, settled: !_settlesSecond);
        }
    }

    /// <inheritdoc/>
    public override void Release(LinkEnd end)
    {
        AbandonDelivery();
        _client.CloseProducer(Producer);
        _dynamicNode?.OnLinkEnd(Session.Connection, end);
        if (Memory is not null)
        {
            Session.Connection.Names.Suspend(this, Memory, end);
        }
    }

    /// <inheritdoc/>
    public override void OnFlow(in Flow flow)
    {
        base.OnFlow(flow);
        if (LinkCredit != (uint)_brokerCredit)
        {
            RestoreCredit();
        }
    }

    /// <inheritdoc/>
    protected override void OnPart(ReadOnlyMemory<byte> payload, bool more)
    {
        if (_large is null && ReceivedBytes <= Session.Connection.Options.AssembleBytesMax)
        {
            base.OnPart(payload, more);
            return;
        }

        if (_large is null)
        {
            BeginLarge(payload);
        }
        else
        {
            AppendLarge(payload);
        }

        if (!more)
        {
            EndLarge();
        }
    }

    /// <summary>The disk has the large message whose last frame has come: no frame was read since.</summary>
    public void OnLargeReady()
    {
        if (_isEndingLarge)
        {
            _isEndingLarge = false;
            LargePublish large = _large!;
            _large = null;
            large.Complete(_largeHeader, _largeTag, _largeTo, Transaction?.Broker);
            EndDelivery();
        }
    }

    /// <inheritdoc/>
    protected override void OnMessage(ReadOnlyMemory<byte> message)
    {
        IsReadingMessage = true;
        IncomingMessage read = AmqpMessageMap.Read(message.Span, Session.Connection.NowMs);
        string? to = ResolveTo(read.To);
        IsReadingMessage = false;
        if (IsTakenAlready(message.Span))
        {
            RestoreCredit();
            OnDiscarded();
            return;
        }

        _brokerCredit--;
        var payload = new ReadOnlySequence<byte>(message[read.PayloadOffset..]);
        MessageHeader header = read.Header;
        _client.Publish(Producer, header, payload, TakeTag(), to, Transaction?.Broker);
    }

    /// <inheritdoc/>
    protected override void OnAborted() => RestoreCredit();

    /// <inheritdoc/>
    protected override void AbandonDelivery()
    {
        _large?.Abort();
        _large = null;
        _isEndingLarge = false;
        base.AbandonDelivery();
    }

    private string? ResolveTo(ReadOnlySpan<byte> to)
    {
        if (_relay is null)
        {
            return null;
        }

        string address = _relay.Resolve(to);
        Producer.RelayRoutingType = _relay.RoutingType;
        return address;
    }

    private void RestoreCredit()
    {
        LinkCredit = (uint)Math.Max(0, _brokerCredit);
        Session.Connection.Owed.OweFlow(this);
    }

    private ulong TakeTag()
    {
        if (Transaction is null)
        {
            return IsSettled ? 0 : TagMark | DeliveryId;
        }

        if (IsSettled)
        {
            return 0;
        }

        (_transacted ??= new Queue<LocalTransaction>()).Enqueue(Transaction);
        return TagMark | TagTransacted | DeliveryId;
    }

    // What is there by now holds the sections that the node reads; the rest is only passed on.
    private void BeginLarge(ReadOnlyMemory<byte> payload)
    {
        Assemble(payload);
        IsReadingMessage = true;
        IncomingMessage read = AmqpMessageMap.Read(Assembled.Span, Session.Connection.NowMs);
        _largeTo = ResolveTo(read.To);
        _largeHeader = read.Header;
        IsReadingMessage = false;
        _large = _client.BeginLarge(Producer);
        AppendLarge(Assembled[read.PayloadOffset..]);
        ReleaseBuffer();
    }

    private void EndLarge()
    {
        _brokerCredit--;
        NoteComing(TakenDelivery.OfLarge);
        _largeTag = TakeTag();
        _isEndingLarge = true;
        if (_large!.Finish())
        {
            OnLargeReady();
        }
        else
        {
            Session.Connection.Hold.UntilReady(_large, this);
        }
    }

    private void AppendLarge(ReadOnlyMemory<byte> piece)
    {
        if (!piece.IsEmpty && !_large!.Append(new ReadOnlySequence<byte>(piece)))
        {
            Session.Connection.Hold.UntilReady(_large, this);
        }
    }
}
