using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <content>What comes back: outcomes, credit, and word of destinations.</content>
internal sealed partial class RoutedIncomingLink
{
    private readonly int _capacity;
    private int _returned;
    private bool _isOpen;
    private bool _drains;

    /// <summary>The address has its first destination now, or lost its last. Any thread.</summary>
    public void OnDestinations(bool any)
    {
        Inbox.Post(new RoutedEvent(RoutedEventKind.Destinations, this) { Flag = any });
        Inbox.Wake();
    }

    /// <summary>The same, on the loop. Without destinations the sender's credit is taken back; with the first it gets
    /// all of it.</summary>
    public void OnDestinationsTold(bool any)
    {
        if (State != LinkState.Attached || any == _isOpen)
        {
            return;
        }

        _isOpen = any;
        if (_route is not null)
        {
            Session.Connection.Tracking?.Tell(_route, any);
        }

        if (any)
        {
            _drains = false;
            Restore(_wasOpened ? 0 : _capacity);
            _wasOpened = true;
            GiveCredit();
        }
        else if (LinkCredit > 0 || IsFromEdge)
        {
            // An edge that has none left hears it too: what waits there for more is given back.
            _drains = true;
            Session.Connection.Owed.OweFlow(this);
        }
    }

    private bool _wasOpened;

    /// <inheritdoc/>
    public override void OnFlow(in Flow flow)
    {
        // The sender gave credit up (part 2 section 2.6.7): it is to be given again.
        if (flow.DeliveryCount is { } count)
        {
            int given = SerialNumber.Distance(DeliveryCount, count);
            if (given > 0)
            {
                int taken = (int)Math.Min((uint)given, LinkCredit);
                LinkCredit -= (uint)taken;
                _returned += taken;
            }
        }

        _drains &= LinkCredit > 0;
        base.OnFlow(flow);
        if (_isOpen)
        {
            Restore(0);
        }
    }

    /// <inheritdoc/>
    public override void WriteFlow(bool echo) => Session.WriteFlow(new Flow
    {
        Handle = Handle,
        DeliveryCount = DeliveryCount,
        LinkCredit = LinkCredit,
        Drain = _drains,
        Echo = echo,
    });

    /// <inheritdoc/>
    public void OnReceiverState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        if (settled)
        {
            OnConcluded(delivery, state);
        }
        else if (delivery.Copies is null && IsAnswerable(delivery))
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

    private bool IsAnswerable(RoutedDelivery delivery) =>
        !delivery.IsSettledBySender && State == LinkState.Attached && Session.State == SessionState.Mapped;

    private void OnConcluded(RoutedDelivery delivery, byte[] state)
    {
        if (_open.Remove(delivery))
        {
            // The receiver is gone while the message still comes in.
            _isDropping = _open.Count == 0;
        }

        LetGo(delivery.HeldFrames);
        delivery.HeldFrames = 0;
        Unlink(delivery);
        _outstandingCount--;
        RoutedCopies? copies = delivery.Copies;
        bool isLast = copies is null || --copies.Left == 0;
        byte[] outcome = copies is null ? state : copies.State = Higher(copies.State, state);
        if (isLast && !delivery.IsPresettled)
        {
            _counters.OnOutcome(outcome, delivery.BeganMs, Session.Connection.NowMs);
        }

        if (isLast && IsAnswerable(delivery))
        {
            Answer(delivery.SourceId, outcome);
        }

        if (isLast && delivery.OwesCredit)
        {
            Restore(1);
        }

        (delivery.Next, _free) = (_free, delivery);
    }

    private void Answer(uint id, byte[] state)
    {
        if (ReferenceEquals(state, RoutedState.Accepted))
        {
            Session.Incoming.Accept(id, settled: true);
        }
        else
        {
            Session.Incoming.Write(id, settled: true, state);
        }
    }

    private static byte[] Higher(byte[] one, byte[] other) =>
        RoutedState.Rank(other) > RoutedState.Rank(one) ? other : one;

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

    // Credit comes back one by one and is told in batches; a sender without any hears of it at once.
    private void Restore(int credit)
    {
        _returned += credit;
        if (_isOpen && State == LinkState.Attached && (LinkCredit == 0 || _returned >= _capacity / 8))
        {
            GiveCredit();
        }
    }

    private void GiveCredit()
    {
        if (_returned > 0)
        {
            LinkCredit += (uint)_returned;
            _returned = 0;
            Session.Connection.Owed.OweFlow(this);
        }
    }

    private RoutedDelivery Rent(in RouteChoice choice, int bytesMax)
    {
        RoutedDelivery delivery = _free ?? new RoutedDelivery { Source = this };
        _free = delivery.Next;
        delivery.Begin(choice, bytesMax);
        delivery.Previous = null;
        _outstandingCount++;
        delivery.Next = _outstanding;
        if (_outstanding is not null)
        {
            _outstanding.Previous = delivery;
        }

        _outstanding = delivery;
        return delivery;
    }

    private void Unlink(RoutedDelivery delivery)
    {
        if (delivery.Previous is null)
        {
            _outstanding = delivery.Next;
        }
        else
        {
            delivery.Previous.Next = delivery.Next;
        }

        if (delivery.Next is not null)
        {
            delivery.Next.Previous = delivery.Previous;
        }

        delivery.Next = null;
        delivery.Previous = null;
    }
}
