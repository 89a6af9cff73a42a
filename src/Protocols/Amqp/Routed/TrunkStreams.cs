using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// Messages without an end in sight on their way to another router: each has a link, and a session, of its own while it
/// lasts, so that none waits for another. Links are kept for the next ones. Owned by the connection's loop.
/// </summary>
internal sealed class TrunkStreams(TrunkLinks trunk, ConnectionEndpoint connection, int linksMax) : Outlet
{
    /// <summary>Links at once, when the peer takes as many; further messages wait.</summary>
    public const int LinksMax = 8000;

    private readonly Stack<RoutedOutgoingLink> _idle = [];
    private readonly Queue<RoutedDelivery> _waiting = [];
    private int _count;

    /// <inheritdoc/>
    public override PeerLink? Peer => trunk;

    internal override RoutedInbox Inbox => connection.Routed.Inbox;

    /// <summary>A link that was begun is there.</summary>
    public RoutedOutgoingLink Add(AmqpSession session, Attach attach)
    {
        RoutedOutgoingLink? link = null;
        link = new RoutedOutgoingLink(session, attach, trunk)
        {
            OnReleased = () => _count--,
            OnEnded = () => Recycle(link!),
        };
        Recycle(link);
        return link;
    }

    internal override void OnDelivery(RoutedDelivery delivery)
    {
        while (_idle.TryPop(out RoutedOutgoingLink? idle))
        {
            if (idle.State == Links.LinkState.Attached)
            {
                Assign(delivery, idle);
                return;
            }
        }

        _waiting.Enqueue(delivery);
        if (_count < linksMax)
        {
            _count++;
            trunk.BeginStream();
        }
    }

    internal override void OnPart(RoutedDelivery delivery, in RoutedPart part)
    {
        if (delivery.Sink is RoutedOutgoingLink link)
        {
            link.OnPart(delivery, part);
        }
        else
        {
            (delivery.Parts ??= new Queue<RoutedPart>()).Enqueue(part);
        }
    }

    internal override void OnAbort(RoutedDelivery delivery)
    {
        if (delivery.Sink is RoutedOutgoingLink link)
        {
            link.OnAbort(delivery);
            return;
        }

        for (int i = _waiting.Count; i > 0; i--)
        {
            RoutedDelivery other = _waiting.Dequeue();
            if (other != delivery)
            {
                _waiting.Enqueue(other);
            }
        }

        delivery.FreeRented();
        connection.Routed.Touch(delivery.Conclude(RoutedState.Released));
    }

    internal override void OnSenderState(RoutedDelivery delivery, byte[] state, bool settled)
    {
        if (delivery.Sink is RoutedOutgoingLink link)
        {
            link.OnSenderState(delivery, state, settled);
        }
    }

    /// <summary>The connection is over: what waits for a link goes back.</summary>
    public void Close()
    {
        while (_waiting.TryDequeue(out RoutedDelivery? delivery))
        {
            delivery.FreeRented();
            connection.Routed.Touch(delivery.Conclude(RoutedState.Released));
        }
    }

    private void Recycle(RoutedOutgoingLink link)
    {
        if (link.State != Links.LinkState.Attached)
        {
            return;
        }

        if (_waiting.TryDequeue(out RoutedDelivery? next))
        {
            Assign(next, link);
        }
        else
        {
            _idle.Push(link);
        }
    }

    private static void Assign(RoutedDelivery delivery, RoutedOutgoingLink link)
    {
        delivery.Sink = link;
        link.OnDelivery(delivery);
    }
}
