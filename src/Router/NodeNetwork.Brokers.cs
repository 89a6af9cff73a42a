using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Edges;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router;

/// <content>
/// Queues, topics and streams: of this node's broker, of brokers of edges that are attached here, and of other routers.
/// </content>
public sealed partial class NodeNetwork
{
    private readonly Dictionary<string, BrokerMark> _marks = new(StringComparer.Ordinal);
    private readonly HashSet<BrokerMark> _uplinkMarks = [];
    private readonly Dictionary<string, List<IBrokerWatch>> _brokerWatches = new(StringComparer.Ordinal);

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
    public void OnUplinkBroker(PeerLink uplink, string address, bool isMulticast, bool isThere)
    {
        var mark = new BrokerMark(address, isMulticast);
        lock (_gate)
        {
            if (uplink == Uplink && (isThere ? _uplinkMarks.Add(mark) : _uplinkMarks.Remove(mark)))
            {
                OnMarked(mark);
            }
        }
    }

    /// <inheritdoc/>
    public void WatchBroker(string address, IBrokerWatch watch)
    {
        if (!RouteAddress.TryParse(address, out RouteAddress parsed) || parsed.Class != RouteAddressClass.Mobile)
        {
            return;
        }

        lock (_gate)
        {
            if (!_brokerWatches.TryGetValue(parsed.Name, out List<IBrokerWatch>? watches))
            {
                _brokerWatches.Add(parsed.Name, watches = []);
            }

            watches.Add(watch);
            if (TryGetMark(parsed, out BrokerMark mark))
            {
                watch.OnBroker(parsed.Name, mark.IsMulticast, isThere: true);
            }
        }
    }

    /// <inheritdoc/>
    public void UnwatchBroker(string address, IBrokerWatch watch)
    {
        lock (_gate)
        {
            if (RouteAddress.TryParse(address, out RouteAddress parsed)
                && _brokerWatches.TryGetValue(parsed.Name, out List<IBrokerWatch>? watches)
                && watches.Remove(watch) && watches.Count == 0)
            {
                _brokerWatches.Remove(parsed.Name);
            }
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

    private string? BrokerOf(string address)
    {
        lock (_gate)
        {
            return !RouteAddress.TryParse(address, out RouteAddress parsed) || !TryGetMark(parsed, out BrokerMark mark)
                ? null
                : mark.IsMulticast ? InteriorAnswer.Topic : InteriorAnswer.Queue;
        }
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
            // Of another router, of an edge that is attached here, or, at an edge, of somebody elsewhere.
            if (_engine.Snapshot.RoutersOf(mark.Key) != UInt128.Zero || _uplinkMarks.Contains(mark)
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
        foreach (IBrokerWatch watch in _brokerWatches.GetValueOrDefault(parsed.Name) ?? [])
        {
            watch.OnBroker(parsed.Name, mark.IsMulticast, isThere && known == mark);
        }
    }

    // Another connection to the interior: what the last one said of brokers is asked for anew.
    private void AskForBrokers(PeerLink uplink)
    {
        foreach (BrokerMark mark in _uplinkMarks)
        {
            _ = uplink.LookUp(mark.Address, toSend: false);
        }
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
