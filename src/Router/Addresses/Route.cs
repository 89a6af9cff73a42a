using System.Text;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Router.Forwarding;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Addresses;

/// <summary>
/// One address: who sends to it, who draws from it here, and which routers have it. What it is made of is changed under
/// the network's lock; links choose by the snapshot of it.
/// </summary>
internal sealed class Route(string key, RouteAddress parsed, AddressRule rule) : IRoute
{
    private readonly List<Outlet> _locals = [];
    private readonly Dictionary<IDestinationWatch, bool> _watches = [];
    private readonly Dictionary<PeerLink, LoadCounter> _loads = [];
    private volatile RouteTargets _targets = RouteTargets.None;
    private volatile Route? _fallback;
    private Route? _fallbackFor;
    private AddressTallies? _tallies;
    private int _turn;
    private bool _isRetired;

    public string Key { get; } = key;

    /// <inheritdoc/>
    public string Address { get; } = parsed.ToString();

    public RouteAddress Parsed { get; } = parsed;

    /// <summary>How messages are distributed.</summary>
    public AddressTreatment Treatment { get; private set; } = rule.Treatment;

    /// <summary>Whether this node's operator has said nothing of it: then what other routers say counts.</summary>
    public bool TakesHints { get; init; }

    /// <inheritdoc/>
    public int Phase { get; init; }

    /// <summary>Whether it is a service that each node has of its own: nobody else is told of it. Under the network's
    /// lock.</summary>
    public bool IsOfNode { get; set; }

    /// <summary>Whether those who come to send wait for their first credit: it is not known yet who elsewhere wants
    /// what they send. Under the network's lock.</summary>
    public bool IsHeld { get; set; }

    /// <inheritdoc/>
    public bool IsMulticast => Treatment == AddressTreatment.Multicast;

    /// <inheritdoc/>
    public IRoute? Fallback => _fallback;

    /// <inheritdoc/>
    public bool IsRetired => Volatile.Read(ref _isRetired);

    /// <inheritdoc/>
    public int? Priority { get; } = rule.Priority;

    /// <inheritdoc/>
    public AddressTallies Tallies => LazyInitializer.EnsureInitialized(ref _tallies, static () => new AddressTallies());

    /// <summary>What its senders have counted.</summary>
    public AddressTally Counted => Volatile.Read(ref _tallies)?.Sum() ?? new AddressTally();

    /// <summary>What is on its way to other routers, by neighbour. Under the network's lock.</summary>
    public IEnumerable<KeyValuePair<PeerLink, LoadCounter>> Loads => _loads;

    /// <summary>Links of this node that draw from it, of a place. Under the network's lock.</summary>
    public int CountOf(OutletPlace place) => _locals.Count(outlet => outlet.Place == place);

    /// <summary>Destinations at this moment.</summary>
    public RouteTargets Targets => _targets;

    public int LocalCount => _locals.Count;

    /// <summary>Links of this node that send to it.</summary>
    public int SenderCount => _watches.Count;

    /// <summary>Whether nothing holds it any more: an address of another router is there for its senders
    /// only.</summary>
    public bool IsUnused => _locals.Count == 0 && _watches.Count == 0
        && _fallbackFor is null && _fallback?._targets.Any != true
        && (Key[0] is 'T' or 'H' || _targets.Hops.Length == 0);

    /// <inheritdoc/>
    public RouteChoice Choose(in RouteQuery query)
    {
        RouteTargets targets = _targets;
        int turn = Interlocked.Increment(ref _turn);
        return Treatment == AddressTreatment.Closest
            ? Closest.Choose(targets, query, turn)
            : Balanced.Choose(targets, query, turn);
    }

    /// <inheritdoc/>
    public void ChooseAll(in RouteQuery query, List<RouteChoice> into) => Multicast.Choose(_targets, query, into);

    // ---- under the network's lock

    public void AddLocal(Outlet outlet) => _locals.Add(outlet);

    public bool RemoveLocal(Outlet outlet) => _locals.Remove(outlet);

    public void AddWatch(IDestinationWatch watch)
    {
        bool any = !IsHeld && AnyFor(watch);
        _watches[watch] = any;
        if (any)
        {
            watch.OnDestinations(true);
        }
    }

    /// <summary>What nobody takes goes to the destinations of another route.</summary>
    public void FallBackTo(Route fallback)
    {
        _fallback = fallback;
        fallback._fallbackFor = this;
    }

    /// <summary>It does so no longer; gives that route, if there was one.</summary>
    public Route? LeaveFallback()
    {
        Route? fallback = _fallback;
        _fallback = null;
        if (fallback is not null)
        {
            fallback._fallbackFor = null;
        }

        return fallback;
    }

    public void RemoveWatch(IDestinationWatch watch) => _watches.Remove(watch);

    /// <summary>Other routers say how they treat it.</summary>
    public void Hint(AddressTreatment? hint)
    {
        if (TakesHints && hint is AddressTreatment.Multicast or AddressTreatment.Closest or AddressTreatment.Balanced)
        {
            Treatment = hint.Value;
        }
    }

    /// <summary>It is a broker's, and this is how the broker's messages are distributed.</summary>
    public void Treat(AddressTreatment treatment) => Treatment = treatment;

    public void Retire() => Volatile.Write(ref _isRetired, true);

    /// <summary>A way to a neighbour, with what is under way there for this address.</summary>
    public RouteHop HopTo(PeerLink peer, long cost, UInt128 validOrigins, Outlet? link) =>
        new(peer, cost, LoadOf(peer), validOrigins, PeerBytes(peer)) { Link = link };

    /// <summary>Takes the destinations as they are now, and tells the senders when the first came or the last
    /// went.</summary>
    public void Refresh(
        List<RouteHop> hops, IEnumerable<Outlet>? locals, RouteSnapshot network, RouteHop? aside = null)
    {
        _targets = new RouteTargets([.. locals ?? _locals], [.. hops], network) { Aside = aside };
        foreach (PeerLink gone in _loads.Keys
            .Where(peer => peer != aside?.Peer && hops.All(hop => hop.Peer != peer)).ToArray())
        {
            _loads.Remove(gone);
        }

        TellWatches();
        _fallbackFor?.TellWatches();
    }

    private bool AnyFor(IDestinationWatch watch) => _targets.AnyExcept(watch.ExceptOwner)
        || (watch.CountsFallback && _fallback?._targets.AnyExcept(watch.ExceptOwner) == true);

    private void TellWatches()
    {
        foreach ((IDestinationWatch watch, bool before) in _watches)
        {
            bool any = (before || !IsHeld) && AnyFor(watch);
            if (any != before)
            {
                _watches[watch] = any;
                watch.OnDestinations(any);
            }
        }
    }

    private LoadCounter LoadOf(PeerLink peer)
    {
        if (!_loads.TryGetValue(peer, out LoadCounter? load))
        {
            _loads.Add(peer, load = new LoadCounter());
        }

        return load;
    }

    // As it stands in a trace: an encoded string.
    private static byte[] PeerBytes(PeerLink peer)
    {
        byte[] text = Encoding.UTF8.GetBytes("0/" + peer.PeerId);
        return [(byte)text.Length, .. text];
    }
}
