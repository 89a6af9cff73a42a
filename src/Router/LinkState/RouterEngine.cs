namespace Pillarbox.Router.LinkState;

/// <summary>
/// The control plane of an interior router: who the neighbours are, how every other router is reached, which router has
/// which address. A pure machine with one owner: time comes in with each call, in milliseconds of any clock that never
/// goes back, and what is to be done comes out of <see cref="Drain"/>, which the owner calls after every input. Only
/// <see cref="Snapshot"/> may be read by other threads.
/// </summary>
/// <remarks>
/// The owner gives it every message that comes on a control link (capability <c>qd.router</c>), whole, and sends what
/// it asks for on such links, pre-settled. Flooding and passing on of control messages are done in here; no other part
/// of the router forwards them.
/// </remarks>
public sealed class RouterEngine
{
    private const int TickMs = 1000;

    /// <summary>Between two computations of all ways.</summary>
    private const int RecomputeSpacingMs = 20;

    private readonly RouterOptions _options;
    private readonly ControlOutbox _outbox = new();
    private readonly RouterTable _table;
    private readonly HelloProtocol _hellos;
    private readonly ControlRouting _routing;
    private readonly MobileAddressProtocol _mobile;
    private readonly LinkStateProtocol _linkState;
    private volatile RouteSnapshot _snapshot;
    private readonly HashSet<string> _versionsSaid = new(StringComparer.Ordinal);
    private RouteSnapshot? _recomputed;
    private long _nowMs;
    private long _tickedMs = long.MinValue / 2;
    private long _helloMs = long.MinValue / 2;
    private long _recomputedMs = long.MinValue / 2;

    /// <param name="options">Who this router is.</param>
    /// <exception cref="ArgumentException">The id is not valid.</exception>
    public RouterEngine(RouterOptions options)
    {
        if (!RouterId.IsValid(options.Id))
        {
            throw new ArgumentException(
                "a router's id is neither empty nor \"all\", and has no blanks", nameof(options));
        }
        _options = options;
        _table = new RouterTable(options, _outbox);
        _hellos = new HelloProtocol(options, _table, _outbox);
        _routing = new ControlRouting(_table, _hellos, _outbox);
        _mobile = new MobileAddressProtocol(options, _table, _routing, _outbox);
        _linkState = new LinkStateProtocol(options, _table, _routing, _mobile);
        _snapshot = new RouteSnapshot(options.Id, [], 0);
    }

    /// <summary>The network as of the last drain. Any thread.</summary>
    public RouteSnapshot Snapshot => _snapshot;

    /// <summary>When <see cref="Tick"/> is wanted at the latest.</summary>
    public long DueMs
    {
        get
        {
            long due = Math.Min(_tickedMs + TickMs, Math.Min(_mobile.DueMs, _linkState.DueMs(_nowMs)));
            due = Math.Min(due, _hellos.ExpiryMs);
            due = _table.IsTopologyStale ? Math.Min(due, _recomputedMs + RecomputeSpacingMs) : due;
            foreach (RouterNode node in _table.Nodes)
            {
                long asked = Math.Min(node.LinkStateRequest.DueMs, node.AddressRequest.DueMs);
                due = _routing.LinkTo(node) is null ? due : Math.Min(due, asked);
            }
            return Math.Max(due, _nowMs);
        }
    }

    /// <summary>A control link is open in both directions; or the cost of an open one changed.</summary>
    /// <param name="nowMs">The time.</param>
    /// <param name="linkId">Any number that no other open link has.</param>
    /// <param name="cost">
    /// 1 to <see cref="RouterLimits.LinkCostMax"/>: the larger of what both ends said in their open.
    /// </param>
    public void OnLinkUp(long nowMs, int linkId, int cost)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(cost, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cost, RouterLimits.LinkCostMax);
        Advance(nowMs);
        _hellos.OnLinkUp(linkId, cost, _nowMs);
    }

    /// <summary>A control link is lost: its neighbour is none any more, at once, unless it has another one.</summary>
    public void OnLinkDown(long nowMs, int linkId)
    {
        Advance(nowMs);
        _hellos.OnLinkDown(linkId, _nowMs);
    }

    /// <summary>A message came on a control link. Whatever is in it: the worst that happens is an event.</summary>
    public void OnControl(long nowMs, int linkId, ReadOnlyMemory<byte> message)
    {
        Advance(nowMs);
        if (!_hellos.Knows(linkId))
        {
            return;
        }
        if (!ControlReader.TryRead(message, out ControlEnvelope? envelope, out string? fault, _options.Id))
        {
            _outbox.Say(RouterEventKind.MessageRefused, "", fault);
            return;
        }
        if (envelope.To.Service == ControlService.Hello)
        {
            OnNeighbor(envelope, linkId);
        }
        else if (!IsOwnOrLooping(envelope))
        {
            OnRouted(envelope, linkId);
        }
    }

    /// <summary>An address has its first destination here. Adding it twice is adding it once.</summary>
    /// <param name="nowMs">The time.</param>
    /// <param name="key">Of a class that routers tell each other of: see <see cref="AddressKey"/>.</param>
    /// <param name="treatment">The hint for others.</param>
    public void AddLocal(long nowMs, string key, AddressTreatment treatment)
    {
        if (!AddressKey.IsMobile(key))
        {
            throw new ArgumentException("routers do not tell each other of keys of this class", nameof(key));
        }
        Advance(nowMs);
        _mobile.AddLocal(key, treatment, _nowMs);
    }

    /// <summary>An address has no destination here any more.</summary>
    public void RemoveLocal(long nowMs, string key)
    {
        Advance(nowMs);
        _mobile.RemoveLocal(key, _nowMs);
    }

    /// <summary>Time goes by. Early or repeated calls do no harm.</summary>
    public void Tick(long nowMs)
    {
        Advance(nowMs);
        _hellos.Expire(_nowMs);
        if (_nowMs - _tickedMs < TickMs)
        {
            return;
        }
        _tickedMs = _nowMs;
        _table.Expire(_nowMs);
        if (_nowMs - _helloMs >= _options.HelloIntervalMs)
        {
            _helloMs = _nowMs;
            _hellos.SendHello(_nowMs);
        }
    }

    /// <summary>Does what is due, and hands over what is to be done.</summary>
    /// <param name="output">Cleared first.</param>
    public void Drain(RouterOutput output)
    {
        output.Clear();
        if (_table.IsOwnLinkStateStale)
        {
            _table.AdvanceOwnLinkState();
            _linkState.WantAdvertisement();
        }
        if (_table.IsTopologyStale && _nowMs - _recomputedMs >= RecomputeSpacingMs)
        {
            Recompute();
        }
        _linkState.Ask(_nowMs);
        _mobile.Ask(_nowMs);
        if (_mobile.Announce(_nowMs))
        {
            _linkState.WantAdvertisement();
        }
        _linkState.Advertise(_nowMs);
        Publish(output);
        _outbox.DrainTo(output);
    }

    private void Advance(long nowMs) => _nowMs = Math.Max(_nowMs, nowMs);

    private void OnNeighbor(ControlEnvelope envelope, int linkId)
    {
        if (envelope.Message is Hello hello)
        {
            _hellos.OnHello(linkId, hello, _nowMs);
        }
        else
        {
            SayNotUnderstood(envelope);
        }
    }

    private bool IsOwnOrLooping(ControlEnvelope envelope) =>
        envelope.Id == _options.Id || envelope.Trace.Contains(RouterAnnotations.NodeId(_options.Id));

    private void OnRouted(ControlEnvelope envelope, int linkId)
    {
        string to = envelope.To.Router!;
        if (to != _options.Id && !envelope.To.IsForAll)
        {
            _routing.ForwardTo(to, envelope, linkId);
            return;
        }
        bool isNews = true;
        switch (envelope.Message)
        {
            case RouterAdvertisement ra:
                isNews = _linkState.OnAdvertisement(ra, linkId, envelope.Trace.Length, _nowMs);
                break;
            case LinkStateRequest request:
                _linkState.OnRequest(request, linkId, _nowMs);
                break;
            case LinkStateUpdate update:
                _linkState.OnUpdate(update, _nowMs);
                break;
            case MobileAddressUpdate update:
                _mobile.OnUpdate(update, _nowMs);
                break;
            case MobileAddressRequest request:
                _mobile.OnRequest(request, linkId, _nowMs);
                break;
            default:
                SayNotUnderstood(envelope);
                break;
        }
        if (envelope.To.IsForAll && isNews)
        {
            PassOn(envelope, linkId);
        }
    }

    private void PassOn(ControlEnvelope envelope, int linkId)
    {
        if (envelope.Message is RouterAdvertisement)
        {
            _routing.ForwardFlood(envelope, linkId);
        }
        else
        {
            _routing.ForwardMulticast(envelope, linkId);
        }
    }

    private void SayNotUnderstood(ControlEnvelope envelope)
    {
        if (envelope.Message is null && _versionsSaid.Count < RouterLimits.RoutersMax)
        {
            if (_versionsSaid.Add(envelope.Id))
            {
                _outbox.Say(RouterEventKind.VersionRefused, envelope.Id, $"version {envelope.Version}");
            }
        }
        else if (envelope.Message is not null)
        {
            string what = $"{envelope.Message.Opcode} at the wrong address";
            _outbox.Say(RouterEventKind.MessageRefused, envelope.Id, what);
        }
    }

    private void Recompute()
    {
        _table.IsTopologyStale = false;
        _recomputedMs = _nowMs;
        UInt128 before = Reachable();
        Dictionary<RouterNode, int?> links = _table.Nodes.ToDictionary(n => n, n => n.NextHop?.Link?.Id);
        int radius = Topology.Recompute(_table);
        _linkState.NoteTopologyChange(_nowMs);
        UInt128 after = Reachable();
        foreach (RouterNode node in _table.Nodes)
        {
            if ((node.Bit & after & ~before) != UInt128.Zero)
            {
                node.LinkStateRequest.WantAnew(_nowMs);
            }
            if (links[node] != node.NextHop?.Link?.Id)
            {
                node.LinkStateRequest.Hasten(_nowMs);
                node.AddressRequest.Hasten(_nowMs);
            }
        }
        _mobile.Remote.SetReachable(after);
        _outbox.Say(RouterEventKind.TopologyChanged, _options.Id, $"radius {radius}");
        _recomputed = new RouteSnapshot(_options.Id, _table.Nodes.Select(RouteOf), radius)
        {
            OwnPeers = _table.OwnPeers(),
            LastTopologyChangeMs = _nowMs,
        };
    }

    private UInt128 Reachable()
    {
        UInt128 found = UInt128.Zero;
        foreach (RouterNode node in _table.Nodes)
        {
            found |= node.NextHop?.Link is null ? UInt128.Zero : node.Bit;
        }
        return found;
    }

    private RouterRoute RouteOf(RouterNode node) => new()
    {
        Id = node.Id,
        Index = node.Index,
        NextHopLink = node.NextHop?.Link?.Id,
        NextHopId = node.NextHop?.Link is null ? null : node.NextHop.Id,
        OwnLink = node.Link?.Id,
        Cost = node.Cost,
        ValidOrigins = node.ValidOrigins,
        Peers = node.Peers,
        Instance = node.Instance ?? 0,
        LsSeq = node.LsSeq,
        MobileSeq = node.MobileSeq,
    };

    private void Publish(RouterOutput output)
    {
        if (_recomputed is null && !_mobile.Remote.HasChanges)
        {
            return;
        }
        _mobile.Remote.DrainTo(output.Changes);
        _snapshot = (_recomputed ?? _snapshot).With(_snapshot.Version + 1, _mobile.Remote.Published());
        _recomputed = null;
        output.SnapshotChanged = true;
    }
}
