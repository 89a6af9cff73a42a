using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Routed.Drawing;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <content>From a message of the broker to deliveries in the network.</content>
internal partial class BrokerSource
{
    private static readonly Outcome NotFromHere = new(OutcomeKind.Modified, UndeliverableHere: true);

    // False: the message comes from disk, and the port is woken when it is there; or it waits for others before it.
    private bool TryHandOn(in Delivery delivery)
    {
        if (_read is { IsCompleted: true } read)
        {
            if (!read.IsCompletedSuccessfully)
            {
                // Damaged, or not to be had as AMQP: others may have it as it is.
                _read = null;
                GiveBack(delivery, NotFromHere);
                return true;
            }

            if (read.Result.Rest is not null && _downloads.Count >= DownloadsMax)
            {
                return false;
            }

            _read = null;
            Take();
            HandOn(delivery, read.Result);
            return true;
        }

        if (DrawnMessage.TryRead(port, delivery) is { } message)
        {
            Take();
            HandOn(delivery, message);
            return true;
        }

        _read = DrawnMessage.ReadAsync(port, delivery);
        if (!_read.IsCompleted)
        {
            _read.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(port.Wake);
        }

        return _read.IsCompleted;
    }

    private void Take()
    {
        _pending.Dequeue();
        _handedOn++;
    }

    private void GiveBack(in Delivery delivery, in Outcome outcome)
    {
        Delivery given = delivery;
        Take();
        _toGrant++;
        Settle(given, outcome);
    }

    private void HandOn(in Delivery delivery, DrawnMessage drawn)
    {
        byte[] message = Dress(drawn.Bytes);
        HeadScan scan = RoutedHead.Scan(message, out RoutedHead head);
        RouterNotes notes = head.AnnotationsMap > 0
            ? RouterNotes.Read(message.AsSpan(head.AnnotationsMap, head.BareOffset - head.AnnotationsMap))
            : default;
        Choose(head.Priority);
        bool isUnreadable = drawn.Rest is not null && scan != HeadScan.Found;
        if (_choices.Count == 0 || isUnreadable)
        {
            drawn.Rest?.Dispose();
            _toGrant++;
            Settle(delivery, isUnreadable ? NotFromHere : Outcome.Released);
            return;
        }

        _outstanding++;
        _tally!.OnFromContainer();
        PrioritiesSeen |= 1 << head.Priority;
        BrokerDownload? download = drawn.Rest is { } rest ? new BrokerDownload(port, rest, drawn.RestOffset) : null;
        RoutedCopies? copies = _choices.Count > 1 ? new RoutedCopies { Left = _choices.Count } : null;
        foreach (RouteChoice choice in _choices)
        {
            DrawnDelivery copy = CopyFor(choice, delivery, message, head, notes);
            copy.Copies = copies;
            copy.IsWhole = download is null;
            download?.Add(copy);
            port.Traffic.Post(copy.Outlet.Inbox, new RoutedEvent(RoutedEventKind.Delivery, copy)
            {
                Generation = copy.Generation,
            });
        }

        if (download is not null)
        {
            _downloads.Add(download);
            download.Pump();
        }
    }

    private DrawnDelivery CopyFor(
        in RouteChoice choice, in Delivery delivery, byte[] message, in RoutedHead head, scoped in RouterNotes notes)
    {
        _tally!.OnChosen(choice.Outlet!);
        var copy = new DrawnDelivery { Source = this, Drawn = delivery };
        copy.Begin(choice, message.Length + RoutedBytes.SectionBytesMax + _stamp.Entries.Length);
        copy.Length = choice.Outlet!.TakesStamps
            ? RoutedBytes.Write(message, head, notes, _stamp, copy.Block)
            : Keep(message, copy.Block);
        return copy;
    }

    private static int Keep(byte[] message, byte[] into)
    {
        message.CopyTo(into, 0);
        return message.Length;
    }

    private void Choose(int priority)
    {
        _choices.Clear();
        var query = new RouteQuery { Priority = _route!.Priority ?? priority };
        if (_route.IsMulticast)
        {
            _route.ChooseAll(query, _choices);
        }
        else if (_route.Choose(query) is { Outlet: not null } choice)
        {
            _choices.Add(choice);
        }
    }
}
