using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Management.Views;

/// <summary>From what links and addresses have counted to what is shown of it.</summary>
internal static class CounterViews
{
    public static DeliveryCounters Of(in DeliveryTotals totals) => new()
    {
        Presettled = totals.Presettled,
        DroppedPresettled = totals.DroppedPresettled,
        Accepted = totals.Accepted,
        Rejected = totals.Rejected,
        Released = totals.Released,
        Modified = totals.Modified,
        Delayed1Sec = totals.Delayed1Sec,
        Delayed10Sec = totals.Delayed10Sec,
        Stuck = totals.Stuck,
        Ingress = totals.Ingress,
        Egress = totals.Egress,
        Transit = totals.Transit,
        IngressRouteContainer = totals.IngressRouteContainer,
        EgressRouteContainer = totals.EgressRouteContainer,
    };

    /// <summary>Adds an address's counters. Under the network's lock.</summary>
    public static AddressView Fill(AddressView view, Route route, RouteSnapshot network)
    {
        AddressTally counted = route.Counted;
        ImmutableArray<long> outstanding = OutstandingOf(route, network);
        return view with
        {
            Ingress = counted.Ingress,
            Egress = counted.Egress,
            Transit = counted.Transit,
            ToContainer = counted.ToContainer,
            FromContainer = counted.FromContainer,
            IngressRouteContainer = counted.IngressRouteContainer,
            EgressRouteContainer = counted.EgressRouteContainer,
            RedirectedToFallback = counted.RedirectedToFallback,
            TransitOutstanding = outstanding,
            Tracked = outstanding.Sum(),
        };
    }

    // By the neighbour's bit, as its peers show it.
    private static ImmutableArray<long> OutstandingOf(Route route, RouteSnapshot network)
    {
        long[] outstanding = [];
        foreach ((PeerLink peer, LoadCounter load) in route.Loads)
        {
            int index = network.IndexOf(peer.PeerId);
            if (index < 0)
            {
                continue;
            }

            if (index >= outstanding.Length)
            {
                Array.Resize(ref outstanding, index + 1);
            }

            outstanding[index] += load.Value;
        }

        return [.. outstanding];
    }
}
