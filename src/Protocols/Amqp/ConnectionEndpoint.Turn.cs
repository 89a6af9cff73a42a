using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Transactions;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <content>The second half of a pass: what the broker tells, what is owed to the peer, deliveries out.</content>
internal sealed partial class ConnectionEndpoint : IClientEvents
{
    // Rounds of "hear the broker, write, tell the broker" in one pass; a further one only when the last brought
    // something.
    private const int RoundsMax = 8;

    // Frames that one link may write before the next one has its turn.
    private const int FramesPerTurn = 64;

    private readonly Queue<OutgoingLink> _ready = new();
    private readonly List<OutgoingLink> _blocked = [];
    private readonly Queue<SendingLink> _reads = new();
    private readonly List<Link> _flowsOwed = [];
    private readonly List<AmqpSession> _windowsOwed = [];
    private readonly List<AmqpSession> _dispositionsOwed = [];
    private Dictionary<ulong, (AmqpSession Session, uint Id)>? _settlements;
    private Dictionary<ulong, SendingLink>? _claimed;
    private ulong _settlementTag;

    /// <summary>
    /// Hears the broker and writes what is due. <paramref name="outputLimit"/>: deliveries are written only while the
    /// total of bytes written
    /// is below it. True: there is more to do, at once or when the output has room.
    /// </summary>
    public bool Turn(long outputLimit)
    {
        if (_client is null)
        {
            return false;
        }

        for (int round = 0; round < RoundsMax; round++)
        {
            _client.Flush();
            _client.DrainInbox(this);
            _routed?.Drain();
            WriteOwed();
            bool wrote = WriteDeliveries(outputLimit);
            if (!wrote && !_client.HasEvents && _routed is not { HasEvents: true })
            {
                break;
            }
        }

        _client.Flush();
        WriteOwed();
        _routed?.WakeOthers();
        return _client.HasEvents || HasRoutedEvents || (State == ConnectionState.Opened && _ready.Count > 0);
    }

    /// <summary>A link that needs bytes from disk; the loop starts one read at a time.</summary>
    public bool TryTakeRead(out SendingLink link) => _reads.TryDequeue(out link!);

    public void RequestRead(SendingLink link) => _reads.Enqueue(link);

    /// <summary>Notes that a link may have something to write.</summary>
    public void Enqueue(OutgoingLink link)
    {
        if (!link.IsQueued && link.HasWork)
        {
            link.IsQueued = true;
            _ready.Enqueue(link);
        }
    }

    /// <summary>A session's window or its unsettled bound may have room again.</summary>
    public void OnWindowOpened(AmqpSession session)
    {
        for (int i = _blocked.Count - 1; i >= 0; i--)
        {
            OutgoingLink link = _blocked[i];
            if (link.Session == session)
            {
                _blocked.RemoveAt(i);
                link.IsQueued = false;
                Enqueue(link);
            }
        }
    }

    /// <summary>Notes that the peer should hear of a link's credit at the end of the pass.</summary>
    public void OweFlow(Link link)
    {
        if (!link.OwesFlow)
        {
            link.OwesFlow = true;
            _flowsOwed.Add(link);
        }
    }

    /// <summary>Notes that the peer should hear of a session's window at the end of the pass.</summary>
    public void OweWindow(AmqpSession session)
    {
        if (!session.OwesWindow)
        {
            session.OwesWindow = true;
            _windowsOwed.Add(session);
        }
    }

    /// <summary>Notes that dispositions wait.</summary>
    public void OweDispositions(AmqpSession session)
    {
        if (!session.OwesDispositions)
        {
            session.OwesDispositions = true;
            _dispositionsOwed.Add(session);
        }
    }

    /// <summary>A tag for a settlement whose end the peer waits for.</summary>
    public ulong TagSettlement(AmqpSession session, uint id)
    {
        ulong tag = ++_settlementTag;
        (_settlements ??= []).Add(tag, (session, id));
        return tag;
    }

    /// <summary>A tag for a settlement that the link's attach waits for.</summary>
    public ulong TagClaimed(SendingLink link)
    {
        ulong tag = ++_settlementTag;
        (_claimed ??= []).Add(tag, link);
        return tag;
    }

    /// <inheritdoc/>
    void IClientEvents.OnDelivery(in Delivery delivery) => ((SendingLink)delivery.Consumer.Tag!).OnDelivery(delivery);

    /// <inheritdoc/>
    void IClientEvents.OnPublished(Producer producer, ulong tag, BrokerException? error) =>
        ((ReceivingLink)producer.Tag!).OnPublished(tag, error);

    /// <inheritdoc/>
    void IClientEvents.OnProducerCredit(Producer producer, int credit) =>
        ((ReceivingLink)producer.Tag!).OnProducerCredit(credit);

    /// <inheritdoc/>
    void IClientEvents.OnDrained(Consumer consumer, int unusedCredit) =>
        ((SendingLink)consumer.Tag!).OnDrained(unusedCredit);

    /// <inheritdoc/>
    void IClientEvents.OnSettled(ulong tag)
    {
        if (_settlements is not null && _settlements.Remove(tag, out (AmqpSession Session, uint Id) settlement))
        {
            settlement.Session.OnSettled(settlement.Id);
        }
        else if (_claimed is not null && _claimed.Remove(tag, out SendingLink? link))
        {
            link.OnClaimSettled();
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnReclaimed(Consumer consumer) => ((SendingLink)consumer.Tag!).OnReclaimed();

    /// <inheritdoc/>
    void IClientEvents.OnDischarged(Transaction transaction, ulong tag, BrokerException? error)
    {
        if (Transactions.Take(transaction) is { } local)
        {
            TransactionLink.OnDischarged(local, error);
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnConsumerClosed(Consumer consumer, BrokerException reason) =>
        DetachByNode((Link)consumer.Tag!, reason);

    /// <inheritdoc/>
    void IClientEvents.OnProducerClosed(Producer producer, BrokerException reason) =>
        DetachByNode((Link)producer.Tag!, reason);

    /// <inheritdoc/>
    void IClientEvents.OnCloseRequested(BrokerException reason) => Close(
        new AmqpError { Condition = AmqpErrorCondition.ConnectionForced, Description = reason.Message });

    private static void DetachByNode(Link link, BrokerException reason) =>
        link.Session.Detach(link, BrokerErrors.ToError(reason));

    private void WriteOwed()
    {
        foreach (AmqpSession session in _dispositionsOwed)
        {
            session.OwesDispositions = false;
            if (session.State == SessionState.Mapped)
            {
                session.FlushDispositions();
            }
        }

        _dispositionsOwed.Clear();
        foreach (Link link in _flowsOwed)
        {
            link.OwesFlow = false;
            if (link.State == LinkState.Attached && link.Session.State == SessionState.Mapped)
            {
                link.WriteFlow(echo: false);
            }
        }

        _flowsOwed.Clear();
        foreach (AmqpSession session in _windowsOwed)
        {
            session.OwesWindow = false;
            if (session.State == SessionState.Mapped && session.Window.IsUpdateDue)
            {
                session.WriteFlow(default);
            }
        }

        _windowsOwed.Clear();
    }

    private bool WriteDeliveries(long outputLimit)
    {
        bool wrote = false;
        while (State == ConnectionState.Opened && Frames.BytesWritten < outputLimit
            && _ready.TryDequeue(out OutgoingLink? link))
        {
            wrote |= WriteDeliveries(link, outputLimit);
        }

        return wrote;
    }

    private bool WriteDeliveries(OutgoingLink link, long outputLimit)
    {
        link.IsQueued = false;
        bool wrote = false;
        for (int i = 0; i < FramesPerTurn && Frames.BytesWritten < outputLimit; i++)
        {
            SendResult result = link.TrySend(Frames);
            if (result == SendResult.SessionBlocked)
            {
                link.IsQueued = true;
                _blocked.Add(link);
                return wrote;
            }

            if (result != SendResult.Sent)
            {
                return wrote;
            }

            wrote = true;
        }

        Enqueue(link);
        return wrote;
    }
}
