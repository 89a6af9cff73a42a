using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router;

/// <content>
/// Queues, topics and streams: of this node's broker, of brokers of edges that are attached here, and of other routers.
/// </content>
public sealed partial class NodeNetwork
{
    private readonly Dictionary<string, BrokerMark> _marks = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public IRoute? OpenBroker(
        string address, bool isMulticast, Outlet outlet, Outlet door, IDestinationWatch watch)
    {
        if (!RouteAddress.TryParse(address, out RouteAddress parsed) || parsed.Class != RouteAddressClass.Mobile)
        {
            return null;
        }

        AddressRule rule = Rules.For(parsed.Name);
        if (rule.Treatment == AddressTreatment.Unavailable)
        {
            return null;
        }

        var mark = new BrokerMark(parsed.Name, isMulticast);
        lock (_gate)
        {
            _marks[parsed.Name] = mark;
            Enter(OpenMark(mark), door);
            Enter(Open(parsed, rule, rule.IngressPhase), outlet);
            Route given = OpenBrokered(parsed, rule, mark);
            given.AddWatch(watch);
            WantOf(given);
            Drain();
            return given;
        }
    }

    /// <inheritdoc/>
    public void CloseBroker(string address, Outlet outlet, Outlet door, IDestinationWatch watch)
    {
        if (!RouteAddress.TryParse(address, out RouteAddress parsed))
        {
            return;
        }

        AddressRule rule = Rules.For(parsed.Name);
        lock (_gate)
        {
            if (!_marks.Remove(parsed.Name, out BrokerMark mark))
            {
                return;
            }

            Leave(Open(parsed, rule, rule.IngressPhase), outlet);
            Route given = OpenBrokered(parsed, rule, mark);
            given.RemoveWatch(watch);
            WantOf(given);
            Leave(OpenMark(mark), door);
            RetireIfUnused(given);
            Drain();
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> DoorsOf(string address)
    {
        if (!RouteAddress.TryParse(address, out RouteAddress parsed) || parsed.Class != RouteAddressClass.Mobile)
        {
            return [];
        }

        string[] both = [new BrokerMark(parsed.Name, false).Name, new BrokerMark(parsed.Name, true).Name];
        lock (_gate)
        {
            return IsEdge ? Uplink is null ? [] : both
                : TryGetMark(parsed, out BrokerMark mark) ? [mark.Name]
                : [];
        }
    }

    /// <inheritdoc/>
    public bool HasDestinationAt(IRoute route, string router)
    {
        var own = (Route)route;
        RouteSnapshot network = _engine.Snapshot;
        return IsEdge ? own.Targets.Any
            : router == NodeId ? own.Targets.Locals.Length > 0
            : network.IndexOf(router) is var index and > 0
                && (network.RoutersOf(own.Key) & (UInt128.One << index)) != UInt128.Zero;
    }

    // ---- under the lock

    private bool TryGetMark(RouteAddress address, out BrokerMark mark)
    {
        if (address.Class != RouteAddressClass.Mobile || _marks.TryGetValue(address.Name, out mark))
        {
            mark = address.Class == RouteAddressClass.Mobile ? _marks[address.Name] : default;
            return address.Class == RouteAddressClass.Mobile;
        }

        foreach (bool isMulticast in (ReadOnlySpan<bool>)[false, true])
        {
            mark = new BrokerMark(address.Name, isMulticast);
            // Of another router, or of an edge that is attached here.
            if (_engine.Snapshot.RoutersOf(mark.Key) != UInt128.Zero
                || (_routes.TryGetValue(mark.Key, out Route? route) && route.LocalCount > 0))
            {
                return true;
            }
        }

        return false;
    }

    private Route OpenMark(BrokerMark mark) =>
        Open(new RouteAddress(RouteAddressClass.Mobile, mark.Name, null), Rules.For(mark.Name), phase: 0);

    // There is a route to a mark only when somebody sends there.
    private Route? FindMark(RouteAddress address, string key)
    {
        if (!BrokerMark.Is(address.Name) || _engine.Snapshot.RoutersOf(key) == UInt128.Zero)
        {
            return null;
        }

        lock (_gate)
        {
            return Open(address, Rules.For(address.Name), phase: 0);
        }
    }

    private Route OpenBrokered(RouteAddress parsed, AddressRule rule, BrokerMark mark)
    {
        Route route = Open(parsed, rule, BrokerMark.Phase);
        route.Treat(TreatmentOf(mark, rule));
        return route;
    }

    private static AddressTreatment TreatmentOf(BrokerMark mark, AddressRule rule) =>
        mark.IsMulticast ? AddressTreatment.Multicast : rule.Treatment;

    private void OnMarked(BrokerMark mark)
    {
        if (!RouteAddress.TryParse(mark.Address, out RouteAddress parsed))
        {
            return;
        }

        AddressRule rule = Rules.For(parsed.Name);
        bool isThere = TryGetMark(parsed, out BrokerMark known);
        if (isThere && _routes.TryGetValue(KeyOf(parsed, BrokerMark.Phase), out Route? given))
        {
            given.Treat(TreatmentOf(known, rule));
        }

        Move(parsed, rule, isThere ? known : mark, isThere);
    }

    // Who drew what senders sent draws from now on what the broker gives back; or the other way round.
    private void Move(RouteAddress parsed, AddressRule rule, BrokerMark mark, bool isThere)
    {
        int fromPhase = isThere ? rule.EgressPhase : BrokerMark.Phase;
        if (rule.EgressPhase == BrokerMark.Phase || !_routes.TryGetValue(KeyOf(parsed, fromPhase), out Route? from))
        {
            return;
        }

        Route to = isThere ? OpenBrokered(parsed, rule, mark) : Open(parsed, rule, rule.EgressPhase);
        foreach ((Outlet outlet, _) in _homes.Where(home => home.Value == from).ToArray())
        {
            Leave(from, outlet);
            _homes[outlet] = to;
            Enter(to, outlet);
        }
    }

    // A broker of this node, or of an edge that is attached here, has an address, or has it no longer.
    private void TellMark(Route route)
    {
        if (BrokerMark.TryParse(route.Key, out BrokerMark mark))
        {
            OnMarked(mark);
        }
    }
}
