using System.Buffers;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Amqp.Routed.Reading;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// A connection's side of what crosses the node: its inbox, and whom to wake at the end of the pass. Owned by the
/// connection's loop.
/// </summary>
internal sealed class RoutedTraffic(Func<TrunkLinks?> trunk, IWakeable loop)
{
    // Crossings taken in one round, so that output goes out in between.
    private const int EventsPerRound = 4096;

    private readonly List<RoutedInbox> _touched = [];

    public RoutedInbox Inbox { get; } = new(loop);

    public bool HasEvents => !Inbox.IsEmpty;

    /// <summary>Hands something to another owner, who is woken at the end of the pass.</summary>
    public void Post(RoutedInbox inbox, in RoutedEvent crossing)
    {
        inbox.Post(crossing);
        Touch(inbox);
    }

    /// <summary>Notes that somebody is to be woken.</summary>
    public void Touch(RoutedInbox inbox)
    {
        if (inbox != Inbox && !_touched.Contains(inbox))
        {
            _touched.Add(inbox);
        }
    }

    /// <summary>Wakes whom something was handed to.</summary>
    public void WakeOthers()
    {
        foreach (RoutedInbox inbox in _touched)
        {
            inbox.Wake();
        }

        _touched.Clear();
    }

    /// <summary>The connection is over; its links are released.</summary>
    public void Close()
    {
        Inbox.Close();
        WakeOthers();
    }

    /// <summary>Takes what has crossed.</summary>
    public void Drain()
    {
        for (int i = 0; i < EventsPerRound && Inbox.TryTake(out RoutedEvent crossing); i++)
        {
            Take(crossing);
        }
    }

    private void Take(in RoutedEvent crossing)
    {
        switch (crossing.Kind)
        {
            case RoutedEventKind.Destinations:
                ((IDestinationListener)crossing.Subject).OnDestinationsTold(crossing.Flag);
                return;
            case RoutedEventKind.Call:
                ((IRoutedCall)crossing.Subject).Run(crossing);
                return;
            case RoutedEventKind.Inspect:
                ((IRoutedLink)crossing.Subject).Inspect();
                return;
            case RoutedEventKind.Tick:
                ((ITicked)crossing.Subject).OnTick();
                return;
            case RoutedEventKind.Control:
                trunk()?.OnControlToSend(crossing.Bytes!);
                return;
            default:
                TakeDelivery((RoutedDelivery)crossing.Subject, crossing);
                return;
        }
    }

    private static void TakeDelivery(RoutedDelivery delivery, in RoutedEvent crossing)
    {
        switch (crossing.Kind)
        {
            case RoutedEventKind.Delivery:
                delivery.Outlet.OnDelivery(delivery);
                return;
            case RoutedEventKind.ReceiverState when crossing.Generation == delivery.Generation:
                delivery.Source.OnReceiverState(delivery, crossing.Bytes!, crossing.Flag);
                return;
            case RoutedEventKind.Consumed when crossing.Generation == delivery.Generation:
                delivery.Source.OnConsumed(delivery, crossing.Count);
                return;
            case RoutedEventKind.Part when delivery.IsOver(crossing.Generation):
                ArrayPool<byte>.Shared.Return(crossing.Bytes!);
                return;
            case RoutedEventKind.Part:
                delivery.Outlet.OnPart(delivery, new RoutedPart(crossing.Bytes!, crossing.Count, crossing.Flag));
                return;
            case RoutedEventKind.Abort when !delivery.IsOver(crossing.Generation):
                delivery.Outlet.OnAbort(delivery);
                return;
            case RoutedEventKind.SenderState when !delivery.IsOver(crossing.Generation):
                delivery.Outlet.OnSenderState(delivery, crossing.Bytes!, crossing.Flag);
                return;
        }
    }
}

/// <summary>Who hears on its own loop that an address has destinations.</summary>
internal interface IDestinationListener
{
    /// <summary>There are some now, or none any more.</summary>
    void OnDestinationsTold(bool any);
}
