using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Termini;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Links;

/// <summary>
/// The node's sending end of a link: deliveries of one consumer to the peer (part 2 section 2.6.7 for the credit).
/// The broker gets a bounded part of the peer's credit, so a slow peer costs bounded memory.
/// </summary>
internal sealed partial class SendingLink : OutgoingLink
{
    private readonly BrokerClient _client;
    private readonly DeliveryQueue _pending = new();
    private readonly bool _settlesOnSend;
    private readonly AmqpOptions _options;
    private uint _deliveryCount;
    private uint _linkCredit;
    private int _granted;
    private bool _peerDrains;
    private bool _brokerDrains;
    private bool _exhausted;
    private PartialDelivery? _partial;
    private Delivery _readingDelivery;

    public SendingLink(AmqpSession session, Attach attach, Subscription subscription, Consumer consumer)
        : base(session, attach)
    {
        _client = session.Connection.Client;
        _options = session.Connection.Options;
        Subscription = subscription;
        Consumer = consumer;
        consumer.Tag = this;
        _settlesOnSend = attach.SenderSettleMode == SenderSettleMode.Settled;
        NamesDeliveries = !_settlesOnSend && !consumer.Options.Browse && subscription.Stream is null
            && (attach.Unsettled is not null || subscription.Source.Durable == TerminusDurability.UnsettledState);
        _sendsOnlyResumed = NamesDeliveries && attach.IncompleteUnsettled;
        DefaultOutcome = PeerOutcome.ReadDefault(subscription.Source.DefaultOutcome, _options);
        SettlesSecond = attach.ReceiverSettleMode == ReceiverSettleMode.Second;
    }

    public Consumer Consumer { get; }

    /// <summary>What the link consumes from, and what becomes of that when the link ends.</summary>
    public Subscription Subscription { get; }

    /// <summary>What counts for deliveries that end without an outcome (part 3 section 3.5.3); null: none was asked
    /// for.</summary>
    public Outcome? DefaultOutcome { get; }

    /// <summary>Whether the peer settles after the node (rcv-settle-mode second).</summary>
    public bool SettlesSecond { get; }

    /// <summary>Whether the connection reads from disk for this link.</summary>
    public bool IsReading { get; private set; }

    /// <inheritdoc/>
    public override bool HasWork => State == LinkState.Attached && !IsReading
        && (_partial is { DeliveryId: not null }
            || (_linkCredit > 0 && (_partial is not null || _pending.Count + ResumedCount > 0)));

    // Messages that the broker gave and that were not begun to be written.
    private int Ahead =>
        _pending.Count + ResumedCount + (IsReading && _partial is null ? 1 : 0)
            + (_partial is { DeliveryId: null } ? 1 : 0);

    /// <inheritdoc/>
    public override void OnFlow(in Flow flow)
    {
        if (flow.LinkCredit is { } credit)
        {
            uint seen = flow.DeliveryCount ?? 0;
            long inFlight = SerialNumber.Distance(seen, _deliveryCount);
            _linkCredit = (uint)Math.Clamp(credit - inFlight, 0, uint.MaxValue);
            _peerDrains = flow.Drain;
            _exhausted = false;
            ReleaseExcess();
        }

        Regulate();
        if (flow.Echo)
        {
            WriteFlow(echo: false);
        }

        Session.Connection.Turns.Enqueue(this);
    }

    /// <summary>A message from the broker.</summary>
    public void OnDelivery(in Delivery delivery)
    {
        if (delivery.Claim > 0)
        {
            OnClaimed(delivery);
            return;
        }

        _granted--;
        Invariant.That(_granted >= 0);
        _pending.Enqueue(delivery);
        Session.Connection.Turns.Enqueue(this);
    }

    /// <summary>The broker took the unused grants back: it has nothing more now.</summary>
    public void OnDrained(int unusedCredit)
    {
        _brokerDrains = false;
        _granted -= unusedCredit;
        Invariant.That(_granted >= 0);
        _exhausted = unusedCredit > 0;
        // The shard may have told it before it heard that the link is gone.
        if (State == LinkState.Attached)
        {
            Regulate();
        }
    }

    /// <inheritdoc/>
    public override void WriteFlow(bool echo) => Session.WriteFlow(new Flow
    {
        Handle = Handle,
        DeliveryCount = _deliveryCount,
        LinkCredit = _linkCredit,
        Available = (uint)Ahead,
        Drain = _peerDrains,
        Echo = echo,
    });

    /// <inheritdoc/>
    public override void Release(LinkEnd end)
    {
        _linkCredit = 0;
        ReleaseExcess();
        DropResumed();
        if (_partial is { IsReading: false })
        {
            _partial.Dispose();
            _partial = null;
        }

        Session.ForgetDeliveries(this);
        _client.CloseConsumer(Consumer, countAttempts: end == LinkEnd.ConnectionLost);
        Subscription.OnLinkEnd(Session.Connection, end);
    }

    // Brings the broker's credit in line with the peer's, and ends a drain that is done.
    private void Regulate()
    {
        if (_brokerDrains)
        {
            return;
        }

        if (_granted > 0 && _granted + Ahead > _linkCredit)
        {
            DrainBroker();
            return;
        }

        if (_peerDrains && (_exhausted || _linkCredit == 0 || _sendsOnlyResumed))
        {
            FinishDrainWhenWritten();
            return;
        }

        Grant();
        if (_peerDrains && _granted > 0)
        {
            DrainBroker();
        }
    }

    // Grants in batches: when a quarter of the bound is free, or when the broker has nothing to work with.
    private void Grant()
    {
        if (_sendsOnlyResumed)
        {
            return;
        }

        int bound = (int)Math.Min(_linkCredit, _options.LinkPrefetchMax);
        int wanted = bound - Ahead - _granted;
        if (wanted > 0 && (wanted >= bound / 4 || _granted == 0 || _peerDrains))
        {
            _granted += wanted;
            _client.Grant(Consumer, wanted);
        }
    }

    private void DrainBroker()
    {
        _brokerDrains = true;
        _client.Drain(Consumer);
    }

    // Part 2 section 2.6.7: the sender advances delivery-count by the credit that it cannot use, and says so.
    private void FinishDrainWhenWritten()
    {
        if ((Ahead > 0 && _linkCredit > 0) || _partial is not null)
        {
            return;
        }

        _deliveryCount += _linkCredit;
        _linkCredit = 0;
        WriteFlow(echo: false);
        _peerDrains = false;
        _exhausted = false;
    }

    // The peer took credit back: what the broker gave beyond it returns to its place in the queue.
    private void ReleaseExcess()
    {
        while (_pending.Count > 0 && Ahead > _linkCredit)
        {
            _client.Settle(_pending.TakeLast(), Outcome.Released);
        }

        if (_linkCredit == 0 && !IsReading && _partial is { DeliveryId: null })
        {
            if (!TryKeepResumed(_partial.Delivery))
            {
                _client.Settle(_partial.Delivery, Outcome.Released);
            }

            _partial.Dispose();
            _partial = null;
        }
    }
}
