using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Edges;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Edges;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Brokers;

/// <summary>
/// Queues, topics and streams as the network sees them. What a broker gives back is another phase of its address than
/// what it is sent; whoever draws is moved between the two when a broker comes to have an address, or has it no longer.
/// Under the network's lock.
/// </summary>
internal sealed class BrokerAddresses(
    BrokerMarks marks, RouteTable routes, LocalReceivers receivers, UplinkWishes wishes)
{
    private readonly Dictionary<string, List<IBrokerWatch>> _watches = new(StringComparer.Ordinal);

    // Where this node's broker draws what is sent to it: the rules that said so may be others by now.
    private readonly Dictionary<string, Route> _drawn = new(StringComparer.Ordinal);

    /// <summary>This node's broker has an address, see <see cref="INetwork.OpenBroker"/>.</summary>
    public Route Open(BrokerMark mark, BrokerPlace place)
    {
        var parsed = new RouteAddress(RouteAddressClass.Mobile, mark.Address, null);
        AddressRule rule = routes.Rules.For(mark.Address);
        marks.AddOwn(mark);
        receivers.Enter(OpenMark(mark), place.Door);
        Route drawn = routes.Open(parsed, rule, rule.IngressPhase);
        _drawn[mark.Address] = drawn;
        receivers.Enter(drawn, place.Outlet);
        Route given = OpenGiven(parsed, rule, mark);
        given.AddWatch(place.Watch);
        wishes.Tell(given);
        return given;
    }

    /// <summary>It has it no longer.</summary>
    public void Close(RouteAddress parsed, BrokerPlace place)
    {
        if (!marks.RemoveOwn(parsed.Name, out BrokerMark mark))
        {
            return;
        }

        if (_drawn.Remove(parsed.Name, out Route? drawn))
        {
            receivers.Leave(drawn, place.Outlet);
        }

        Route given = OpenGiven(parsed, routes.Rules.For(parsed.Name), mark);
        given.RemoveWatch(place.Watch);
        wishes.Tell(given);
        receivers.Leave(OpenMark(mark), place.Door);
        routes.RetireIfUnused(given);
    }

    /// <summary>Tells somebody whether a broker has an address: at once, and when that changes.</summary>
    public void Watch(RouteAddress parsed, IBrokerWatch watch)
    {
        if (!_watches.TryGetValue(parsed.Name, out List<IBrokerWatch>? watches))
        {
            _watches.Add(parsed.Name, watches = []);
        }

        watches.Add(watch);
        if (marks.TryGet(parsed, out BrokerMark mark))
        {
            watch.OnBroker(parsed.Name, mark.IsMulticast, isThere: true);
        }
    }

    /// <summary>They want to know it no longer.</summary>
    public void Unwatch(RouteAddress parsed, IBrokerWatch watch)
    {
        if (_watches.TryGetValue(parsed.Name, out List<IBrokerWatch>? watches)
            && watches.Remove(watch) && watches.Count == 0)
        {
            _watches.Remove(parsed.Name);
        }
    }

    /// <summary>What a broker in the network has an address as, in the words of a look-up; null: none has it.</summary>
    public string? KindOf(RouteAddress parsed) => !marks.TryGet(parsed, out BrokerMark mark) ? null
        : mark.IsMulticast ? InteriorAnswer.Topic : InteriorAnswer.Queue;

    /// <summary>Where messages are drawn from: what a broker gives back, or what senders send.</summary>
    public Route OpenDrawn(RouteAddress parsed, AddressRule rule) => marks.TryGet(parsed, out BrokerMark mark)
        ? OpenGiven(parsed, rule, mark)
        : routes.Open(parsed, rule, rule.EgressPhase);

    /// <summary>A phase of an address: what a broker gives back is distributed as it says.</summary>
    public Route OpenAt(RouteAddress parsed, AddressRule rule, int phase) =>
        phase == BrokerMark.Phase && marks.TryGet(parsed, out BrokerMark mark)
            ? OpenGiven(parsed, rule, mark)
            : routes.Open(parsed, rule, phase);

    /// <summary>At an edge, by another connection to the interior: what the last one said of brokers is asked for
    /// anew.</summary>
    public void AskAgain(PeerLink uplink)
    {
        foreach (BrokerMark mark in marks.OfUplink)
        {
            _ = uplink.LookUp(mark.Address, toSend: false);
        }
    }

    /// <summary>A broker has an address now, or has it no longer.</summary>
    public void OnMarked(BrokerMark mark)
    {
        if (!RouteAddress.TryParse(mark.Address, out RouteAddress parsed))
        {
            return;
        }

        AddressRule rule = routes.Rules.For(parsed.Name);
        bool isThere = marks.TryGet(parsed, out BrokerMark known);
        if (isThere && routes.Find(routes.Keys.Of(parsed, BrokerMark.Phase)) is { } given)
        {
            given.Treat(TreatmentOf(known, rule));
        }

        Move(parsed, rule, isThere ? known : mark, isThere);
        foreach (IBrokerWatch watch in _watches.GetValueOrDefault(parsed.Name) ?? [])
        {
            watch.OnBroker(parsed.Name, mark.IsMulticast, isThere && known == mark);
        }
    }

    private Route OpenMark(BrokerMark mark) => routes.Open(
        new RouteAddress(RouteAddressClass.Mobile, mark.Name, null), routes.Rules.For(mark.Name), phase: 0);

    private Route OpenGiven(RouteAddress parsed, AddressRule rule, BrokerMark mark)
    {
        Route route = routes.Open(parsed, rule, BrokerMark.Phase);
        route.Treat(TreatmentOf(mark, rule));
        return route;
    }

    private static AddressTreatment TreatmentOf(BrokerMark mark, AddressRule rule) =>
        mark.IsMulticast ? AddressTreatment.Multicast : rule.Treatment;

    // Who drew what senders sent, by whichever rules, draws from now on what the broker gives back; or the other way
    // round.
    private void Move(RouteAddress parsed, AddressRule rule, BrokerMark mark, bool isThere) => receivers.Move(
        parsed, () => isThere ? OpenGiven(parsed, rule, mark) : routes.Open(parsed, rule, rule.EgressPhase));
}

/// <summary>Where this node's broker stands at an address.</summary>
/// <param name="Outlet">Takes what is sent to it.</param>
/// <param name="Door">Takes what other nodes have to say to all whose brokers have the address.</param>
/// <param name="Watch">Is told whether somebody draws what the broker gives back.</param>
internal readonly record struct BrokerPlace(Outlet Outlet, Outlet Door, IDestinationWatch Watch);
