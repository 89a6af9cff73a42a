using Pillarbox.Protocols.Amqp.Routed.Counting;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <content>What is counted: on the link's loop, in objects that only it writes.</content>
internal sealed partial class RoutedIncomingLink
{
    private readonly LinkCounters _counters = new();
    private AddressTally? _tally;
    private AddressTally? _counted;
    private int _outstandingCount;
    private byte[] _ingressId = [];
    private int _ingress;
    private long _ingressVersion = -1;

    /// <inheritdoc/>
    public bool IsIncoming => true;

    /// <inheritdoc/>
    public LinkCounters Counters => _counters;

    /// <inheritdoc/>
    public bool IsWorthInspecting => _outstandingCount > 0;

    private bool IsFromRouteContainer => Session.Connection.Role == ConnectionRole.RouteContainer;

    private bool IsIngress => _kind is not (RoutedSender.Router or RoutedSender.Uplink);

    /// <inheritdoc/>
    public void Inspect()
    {
        long before = Session.Connection.NowMs - LinkCounters.StuckMs;
        for (RoutedDelivery? at = _outstanding; at is not null; at = at.Next)
        {
            if (!at.IsStuck && !at.IsPresettled && at.BeganMs < before)
            {
                at.IsStuck = true;
                _counters.OnStuck();
                at.Outlet.OnStuck();
            }
        }
    }

    /// <inheritdoc/>
    protected override void OnRejected() => _counters.OnRejected();

    // A client's or an edge's message enters here; of others their first router has said so.
    private int IngressOf(scoped in RouterNotes notes)
    {
        if (_kind != RoutedSender.Router || notes.Ingress.IsEmpty)
        {
            return IsIngress ? 0 : -1;
        }

        if (_ingressVersion != _network.Version || !notes.Ingress.SequenceEqual(_ingressId))
        {
            _ingressId = notes.Ingress.ToArray();
            _ingressVersion = _network.Version;
            _ingress = _network.IndexOf(_ingressId);
        }

        return _ingress;
    }

    // The destinations are chosen: the link, the address and the node count the message.
    private void CountForwarded(bool isPreSettled)
    {
        if (IsIngress)
        {
            _counters.OnIngress(IsFromRouteContainer);
            _counted?.OnIngress(IsFromRouteContainer);
        }

        if (isPreSettled)
        {
            _counters.OnPresettled(Session.Connection.NowMs);
        }

        foreach (RouteChoice choice in _choices)
        {
            Outlet outlet = choice.Outlet!;
            _counted?.OnChosen(outlet);
            if (outlet.Peer is null)
            {
                _counters.OnEgress(outlet.Place == OutletPlace.RouteContainer);
            }
            else
            {
                _counters.OnTransit();
            }
        }
    }
}
