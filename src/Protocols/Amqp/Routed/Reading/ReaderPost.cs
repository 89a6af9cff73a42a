using System.Text;

namespace Pillarbox.Protocols.Amqp.Routed.Reading;

/// <summary>Sends messages of a node's own: each is a delivery that is made for it. Owned by the loop of its
/// traffic.</summary>
internal sealed class ReaderPost(INetwork network, RoutedTraffic traffic, IRoutedSource source)
{
    private const int PriorityOfNone = 4;

    /// <summary>Sends a message to an address. False: nobody is there now.</summary>
    public bool TrySend(string to, byte[] message, int priority = PriorityOfNone) =>
        network.Find(Encoding.UTF8.GetBytes(to), phase: null) is { } route && TrySend(route, to, message, priority);

    /// <summary>The same, when the route is known.</summary>
    public bool TrySend(IRoute route, string to, byte[] message, int priority = PriorityOfNone)
    {
        if (route.Choose(new RouteQuery { Priority = priority }) is not { Outlet: not null } choice)
        {
            return false;
        }

        Send(choice, route, to, message);
        return true;
    }

    /// <summary>Sends a message to everybody who draws from an address; gives how many deliveries that were.</summary>
    public int SendToAll(string to, byte[] message)
    {
        if (network.Find(Encoding.UTF8.GetBytes(to), phase: null) is not { } route)
        {
            return 0;
        }

        List<RouteChoice> choices = [];
        var query = new RouteQuery { Priority = PriorityOfNone };
        if (route.IsMulticast)
        {
            route.ChooseAll(query, choices);
        }
        else if (route.Choose(query) is { Outlet: not null } choice)
        {
            choices.Add(choice);
        }

        choices.ForEach(choice => Send(choice, route, to, message));
        return choices.Count;
    }

    private void Send(in RouteChoice choice, IRoute route, string to, byte[] message)
    {
        Outlet outlet = choice.Outlet!;
        var delivery = new RoutedDelivery { Source = source };
        RouterStamp stamp = RouterStamp.Of(network, to, route.Phase);
        delivery.Begin(choice, message.Length + RoutedBytes.SectionBytesMax + stamp.Entries.Length);
        delivery.IsWhole = true;
        delivery.MessageFormat = 0;
        delivery.Length = Write(message, stamp, delivery.Block, outlet.TakesStamps);
        traffic.Post(outlet.Inbox, new RoutedEvent(RoutedEventKind.Delivery, delivery)
        {
            Generation = delivery.Generation,
        });
    }

    private static int Write(byte[] message, in RouterStamp stamp, byte[] into, bool isStamped)
    {
        if (!isStamped)
        {
            message.CopyTo(into, 0);
            return message.Length;
        }

        RoutedHead.Scan(message, out RoutedHead head);
        RouterNotes notes = head.AnnotationsMap > 0
            ? RouterNotes.Read(message.AsSpan(head.AnnotationsMap, head.BareOffset - head.AnnotationsMap))
            : default;
        return RoutedBytes.Write(message, head, notes, stamp, into);
    }
}
