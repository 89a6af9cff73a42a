using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <content>What is handed in, and what the peer says of it.</content>
internal sealed partial class RoutedOutgoingLink
{
    /// <summary>A delivery was handed over.</summary>
    public void OnDelivery(RoutedDelivery delivery)
    {
        _inHand++;
        bool isUnwanted = OnCredit is not null && !_hasCredit;
        if (State != LinkState.Attached || _pending.Count >= PendingMax || isUnwanted)
        {
            GiveBack(delivery);
            return;
        }

        Enter(delivery);
        Session.Connection.Turns.Enqueue(this);
    }

    /// <summary>A further piece of a delivery.</summary>
    public void OnPart(RoutedDelivery delivery, in RoutedPart part)
    {
        (delivery.Parts ??= new Queue<RoutedPart>()).Enqueue(part);
        Session.Connection.Turns.Enqueue(this);
    }

    /// <summary>The sender gave a delivery up (part 2 section 2.7.5): so does the node.</summary>
    public void OnAbort(RoutedDelivery delivery)
    {
        if (delivery == _current)
        {
            EndPart();
            Session.Connection.Frames.Write(
                Session.Channel, new Transfer { Handle = Handle, Aborted = true }, default, default);
            Session.Window.OnTransferSent();
            Session.ForgetDelivery(delivery.SentId);
            _current = null;
            Session.Connection.Turns.Enqueue(this);
            GiveBack(delivery);
            OnEnded?.Invoke();
            _siblings?.OnWritten();
            return;
        }

        Remove(delivery);
        GiveBack(delivery);
        _siblings?.OnWritten();
    }

    /// <summary>The sender states an outcome, or settles.</summary>
    public void OnSenderState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        if (_pending.Contains(delivery))
        {
            // Settled before it is sent: it goes out so, and the sender needs no word of it.
            delivery.GoesSettled |= settled;
            return;
        }

        if (delivery.GoesSettled)
        {
            return;
        }

        Session.Outgoing.Write(delivery.SentId, settled, state);
        if (!settled)
        {
            return;
        }

        Session.ForgetDelivery(delivery.SentId);
        if (delivery == _current)
        {
            delivery.EarlyState = RoutedState.None;
        }
        else
        {
            Conclude(delivery, RoutedState.None);
        }
    }

    /// <summary>The peer states an outcome, or settles (part 2 section 2.7.6).</summary>
    public void OnPeerState(uint id, RoutedDelivery delivery, in Disposition disposition)
    {
        byte[] state = RoutedState.Keep(disposition.State);
        if (!disposition.Settled)
        {
            if (state.Length > 0)
            {
                TellState(delivery, state);
            }

            return;
        }

        Session.Unsettled.Remove(id);
        if (delivery == _current)
        {
            // The rest of the message still goes out.
            delivery.EarlyState = state;
        }
        else
        {
            Conclude(delivery, state);
        }
    }

    /// <summary>The link ends without the peer having settled it.</summary>
    public void OnForgotten(RoutedDelivery delivery)
    {
        delivery.FreeRented();
        Conclude(delivery, delivery.EarlyState ?? RoutedState.Failed);
    }

    private void TellState(RoutedDelivery delivery, byte[] state) =>
        _traffic.Post(delivery.Source.Inbox, new RoutedEvent(RoutedEventKind.ReceiverState, delivery)
        {
            Generation = delivery.Generation,
            Bytes = state,
        });

    private void Remove(RoutedDelivery delivery)
    {
        for (int i = _pending.Count; i > 0; i--)
        {
            RoutedDelivery other = _pending.Dequeue();
            if (other != delivery)
            {
                _pending.Enqueue(other);
            }
        }
    }
}

/// <summary>A link as a destination.</summary>
internal sealed class LinkOutlet(RoutedOutgoingLink link, PeerLink? peer, RoutedInbox inbox, bool takesStamps = false)
    : Outlet
{
    /// <inheritdoc/>
    public override bool TakesStamps => takesStamps || Peer is not null;

    /// <inheritdoc/>
    public override PeerLink? Peer { get; } = peer;

    /// <inheritdoc/>
    public override OutletPlace Place { get; } = link.Session.Connection.Role == ConnectionRole.RouteContainer
        ? OutletPlace.RouteContainer : OutletPlace.Client;

    internal override RoutedInbox Inbox { get; } = inbox;

    internal override void OnStuck() => link.Counters.OnStuck();

    internal override void OnDelivery(RoutedDelivery delivery) => link.OnDelivery(delivery);

    internal override void OnPart(RoutedDelivery delivery, in RoutedPart part) => link.OnPart(delivery, part);

    internal override void OnAbort(RoutedDelivery delivery) => link.OnAbort(delivery);

    internal override void OnSenderState(RoutedDelivery delivery, byte[] state, bool settled) =>
        link.OnSenderState(delivery, state, settled);
}
