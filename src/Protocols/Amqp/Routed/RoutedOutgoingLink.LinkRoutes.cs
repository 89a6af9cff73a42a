using Pillarbox.Protocols.Amqp.Routed.LinkRoutes;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <content>
/// As the half of a link that goes through the node as a whole: counts are the sender's own, and credit and drain are
/// the sender's matter.
/// </content>
internal sealed partial class RoutedOutgoingLink
{
    private readonly RoutedEnd? _end;
    private (uint Credit, bool Drain)? _early;
    private uint _initialCount;
    private uint? _senderCount;
    private uint _senderAvailable;

    /// <summary>The half that messages go by.</summary>
    public RoutedOutgoingLink(AmqpSession session, Attach attach, RoutedEnd end)
        : this(session, attach, peer: null)
    {
        _end = end;
        _settlesOnSend = false;
        _initialCount = _deliveryCount = end.Attach.InitialDeliveryCount ?? 0;
        end.Outlet = Outlet;
    }

    /// <summary>The sender has attached: credit that came before counts from its first delivery.</summary>
    public void OnAnswered(uint initialDeliveryCount)
    {
        _initialCount = _deliveryCount = initialDeliveryCount;
        if (_early is { } early)
        {
            _early = null;
            TellLimit(initialDeliveryCount, early.Credit, early.Drain);
        }
    }

    /// <summary>The sender's count: what is beyond the deliveries that came it has given up.</summary>
    public void OnSenderCount(uint count, uint available)
    {
        _senderCount = count;
        _senderAvailable = available;
        FinishRoutedDrain();
    }

    private void OnRoutedFlow(in Flow flow)
    {
        if (!_end!.IsAnswered)
        {
            _early = flow.LinkCredit is { } credit ? (credit, flow.Drain) : _early;
            return;
        }

        if (flow.LinkCredit is { } given)
        {
            TellLimit(flow.DeliveryCount ?? _initialCount, given, flow.Drain);
        }

        if (flow.Echo)
        {
            WriteFlow(echo: false);
        }

        Session.Connection.Turns.Enqueue(this);
    }

    private void TellLimit(uint seen, uint credit, bool drain)
    {
        uint limit = unchecked(seen + Math.Min(credit, int.MaxValue / 2));
        _linkCredit = (uint)Math.Max(0, SerialNumber.Distance(_deliveryCount, limit));
        NoteCredit();
        _peerDrains = drain;
        _end!.TellCredit(limit, drain);
    }

    private void FinishRoutedDrain()
    {
        if (_senderCount is not { } count || _pending.Count > 0 || _current is not null)
        {
            return;
        }

        _senderCount = null;
        int given = SerialNumber.Distance(_deliveryCount, count);
        if (given > 0)
        {
            _deliveryCount = count;
            _linkCredit -= Math.Min((uint)given, _linkCredit);
            NoteCredit();
        }

        WriteFlow(echo: false);
        _peerDrains &= _linkCredit > 0;
    }

    // A frame that the sender's session waits for has gone out.
    private void TellBlockWritten(RoutedDelivery delivery)
    {
        if (_end is not null && !_isInPart && _written == delivery.Length)
        {
            _traffic.Post(delivery.Source.Inbox, new RoutedEvent(RoutedEventKind.Consumed, delivery)
            {
                Generation = delivery.Generation,
                Count = 1,
            });
        }
    }
}
