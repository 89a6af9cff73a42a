using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Pillarbox.Router.LinkState;

/// <summary>What is known of another router, and how it is reached.</summary>
public sealed record RouterRoute
{
    public required string Id { get; init; }

    /// <summary>Its bit in sets of routers: 1 to 127. Bit 0 is this router.</summary>
    public required int Index { get; init; }

    /// <summary>The control link of the next hop; null: the router cannot be reached.</summary>
    public int? NextHopLink { get; init; }

    /// <summary>The neighbour on the way, the router itself when it is one; null: unreachable.</summary>
    public string? NextHopId { get; init; }

    /// <summary>The control link of the router itself, when it is a neighbour.</summary>
    public int? OwnLink { get; init; }

    /// <summary>Sum of the links' costs on the way there.</summary>
    public long Cost { get; init; }

    /// <summary>
    /// Routers whose multicast messages for this one pass through here, bit 0 (this router) among them.
    /// </summary>
    public UInt128 ValidOrigins { get; init; }

    /// <summary>Its neighbours as it tells them.</summary>
    public ImmutableArray<PeerCost> Peers { get; init; } = [];

    /// <summary>When it started, in seconds since the Unix epoch; 0: not known.</summary>
    public long Instance { get; init; }

    public long LsSeq { get; init; }

    public long MobileSeq { get; init; }

    /// <summary>This router's bit.</summary>
    public UInt128 Bit => UInt128.One << Index;
}

/// <summary>Which reachable routers have an address.</summary>
/// <param name="Routers">Bits by <see cref="RouterRoute.Index"/>; never none.</param>
/// <param name="Treatment">What the first announcement said; null: nothing.</param>
public readonly record struct RemoteAddress(UInt128 Routers, AddressTreatment? Treatment);

/// <summary>The network as this router sees it. Immutable: any thread may read it.</summary>
public sealed class RouteSnapshot
{
    private readonly ImmutableArray<RouterRoute?> _byIndex;

    internal RouteSnapshot(string id, IEnumerable<RouterRoute> routers, int radius)
    {
        RouterId = id;
        Radius = radius;
        Routers = [.. routers];
        var byIndex = new RouterRoute?[RouterLimits.RoutersMax];
        foreach (RouterRoute router in Routers)
        {
            byIndex[router.Index] = router;
            Reachable |= router.NextHopLink is null ? UInt128.Zero : router.Bit;
        }
        _byIndex = ImmutableCollectionsMarshal.AsImmutableArray(byIndex);
        ById = Routers.ToImmutableDictionary(r => r.Id, StringComparer.Ordinal);
    }

    private RouteSnapshot(RouteSnapshot other)
    {
        _byIndex = other._byIndex;
        RouterId = other.RouterId;
        Radius = other.Radius;
        Routers = other.Routers;
        ById = other.ById;
        Reachable = other.Reachable;
    }

    /// <summary>The id of this router.</summary>
    public string RouterId { get; }

    /// <summary>Counts up with each snapshot of an engine.</summary>
    public long Version { get; private init; }

    /// <summary>Hops to the farthest router. A message that came by more than this plus one has gone astray.</summary>
    public int Radius { get; }

    /// <summary>The other routers, ascending by id.</summary>
    public ImmutableArray<RouterRoute> Routers { get; }

    public ImmutableDictionary<string, RouterRoute> ById { get; }

    /// <summary>Routers that can be reached, as bits.</summary>
    public UInt128 Reachable { get; }

    /// <summary>Address keys (M, C, D, E, F and H classes) that reachable routers have.</summary>
    public ImmutableDictionary<string, RemoteAddress> Addresses { get; private init; } =
        ImmutableDictionary<string, RemoteAddress>.Empty;

    /// <summary>This router's own link state.</summary>
    public ImmutableArray<PeerCost> OwnPeers { get; internal init; } = [];

    /// <summary>
    /// When the topology changed last, in the milliseconds that the owner counts; 0: never.
    /// </summary>
    public long LastTopologyChangeMs { get; internal init; }

    /// <summary>The router of a bit, or null.</summary>
    public RouterRoute? ByIndex(int index) => _byIndex[index];

    /// <summary>
    /// The bit of an id, 0 for this router's own, -1 for one that is not known. An id may come as in annotations:
    /// <c>0/A</c>.
    /// </summary>
    public int IndexOf(string id)
    {
        string bare = id.StartsWith("0/", StringComparison.Ordinal) ? id[2..] : id;
        return bare == RouterId ? 0 : ById.TryGetValue(bare, out RouterRoute? route) ? route.Index : -1;
    }

    /// <summary>Ids of the other routers of a set, ascending.</summary>
    public ImmutableArray<string> IdsOf(UInt128 routers) =>
        [.. Routers.Where(r => (r.Bit & routers) != UInt128.Zero).Select(r => r.Id)];

    /// <summary>The reachable routers that have an address, none if nobody.</summary>
    public UInt128 RoutersOf(string key) =>
        Addresses.TryGetValue(key, out RemoteAddress found) ? found.Routers : UInt128.Zero;

    /// <summary>Those of <paramref name="routers"/> that cost least.</summary>
    public UInt128 Closest(UInt128 routers)
    {
        (UInt128 found, long best) = (UInt128.Zero, long.MaxValue);
        foreach (int index in new RouterBits(routers & Reachable))
        {
            RouterRoute route = _byIndex[index]!;
            if (route.Cost > best) continue;
            found = route.Cost < best ? route.Bit : found | route.Bit;
            best = route.Cost;
        }
        return found;
    }

    /// <summary>
    /// Adds the links on which a multicast message has to leave: towards those of <paramref name="routers"/> for which
    /// the origin is valid, each link once.
    /// </summary>
    /// <param name="routers">The destinations.</param>
    /// <param name="origin">The bit of the router where the message entered the network: 0 is this one.</param>
    /// <param name="exclude">Neighbours that have seen the message, as bits.</param>
    /// <param name="links">Gets the links' ids.</param>
    public void AddMulticastLinks(UInt128 routers, int origin, UInt128 exclude, ICollection<int> links)
    {
        UInt128 taken = exclude;
        foreach (int index in new RouterBits(routers & Reachable))
        {
            RouterRoute route = _byIndex[index]!;
            RouterRoute hop = ById[route.NextHopId!];
            if (((route.ValidOrigins >> origin) & 1) != 0 && (taken & hop.Bit) == UInt128.Zero)
            {
                taken |= hop.Bit;
                links.Add(route.NextHopLink!.Value);
            }
        }
    }

    internal RouteSnapshot With(long version, ImmutableDictionary<string, RemoteAddress> addresses) => new(this)
    {
        Version = version,
        Addresses = addresses,
        OwnPeers = OwnPeers,
        LastTopologyChangeMs = LastTopologyChangeMs,
    };
}

/// <summary>Walks the bits that are set in a set of routers, ascending; allocates nothing.</summary>
public readonly struct RouterBits(UInt128 bits)
{
    private readonly UInt128 _bits = bits;

    public Enumerator GetEnumerator() => new(_bits);

    public struct Enumerator(UInt128 bits)
    {
        private UInt128 _left = bits;

        public int Current { get; private set; }

        public bool MoveNext()
        {
            if (_left == UInt128.Zero)
            {
                return false;
            }
            Current = (int)UInt128.TrailingZeroCount(_left);
            _left &= _left - 1;
            return true;
        }
    }
}
