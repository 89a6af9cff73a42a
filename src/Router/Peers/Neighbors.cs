using Microsoft.Extensions.Logging;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Containers;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Forwarding;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management;

namespace Pillarbox.Router.Peers;

/// <summary>
/// The routers that this node has connections to, and the engine that they tell of the network behind them: what comes
/// out of the engine goes to them, to the log, and to who wants to know of changes. Under the network's lock, but for
/// the snapshot.
/// </summary>
internal sealed class Neighbors : IRouteWays
{
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action<List<AddressChange>> _changed;
    private readonly RouterEngine _engine;
    private readonly RouterOutput _output = new();
    private readonly Dictionary<int, PeerLink> _links = [];
    private int _lastLink;

    /// <param name="options">The node.</param>
    /// <param name="changed">Takes what has changed whenever the snapshot is another.</param>
    public Neighbors(NodeNetworkOptions options, Action<List<AddressChange>> changed)
    {
        (_time, _changed) = (options.Time, changed);
        _logger = options.Logs.CreateLogger("Pillarbox.Router");
        Instance = options.Time.GetUtcNow().ToUnixTimeSeconds();
        _engine = new RouterEngine(options.Timers with { Id = options.Id, Instance = Instance });
        Noticed = new NoticedLines(options.Time);
    }

    /// <summary>When the node was started, in seconds: another start is another instance.</summary>
    public long Instance { get; }

    /// <summary>What the engine noticed of other routers.</summary>
    public NoticedLines Noticed { get; }

    /// <summary>The network as this node sees it. Any thread.</summary>
    public RouteSnapshot Snapshot => _engine.Snapshot;

    /// <summary>The engine's clock, in milliseconds. Any thread.</summary>
    public long NowMs => (long)(_time.GetTimestamp() * (1000.0 / _time.TimestampFrequency));

    /// <summary>Another router is there.</summary>
    public void OnUp(PeerLink peer)
    {
        int link = ++_lastLink;
        peer.Tag = link;
        _links.Add(link, peer);
        _engine.OnLinkUp(NowMs, link, Math.Min(peer.Cost, RouterLimits.LinkCostMax));
        Drain();
    }

    /// <summary>It is gone. False: it was so before.</summary>
    public bool OnDown(PeerLink peer)
    {
        if (peer.Tag is not int link || !_links.Remove(link))
        {
            return false;
        }

        _engine.OnLinkDown(NowMs, link);
        Drain();
        return true;
    }

    /// <summary>It sent a control message, which is the engine's from now on.</summary>
    public void OnControl(PeerLink peer, byte[] message)
    {
        if (peer.Tag is int link)
        {
            _engine.OnControl(NowMs, link, message);
            Drain();
        }
    }

    /// <summary>Does what is due.</summary>
    public void Tick(long nowMs)
    {
        if (nowMs >= _engine.DueMs)
        {
            _engine.Tick(nowMs);
            Drain();
        }
    }

    /// <summary>This node has an address: others are told with the next <see cref="Drain"/>.</summary>
    public void AddLocal(string key, AddressTreatment treatment) => _engine.AddLocal(NowMs, key, treatment);

    /// <summary>It has it no longer; likewise.</summary>
    public void RemoveLocal(string key) => _engine.RemoveLocal(NowMs, key);

    /// <summary>Carries out what the engine wants.</summary>
    public void Drain()
    {
        _engine.Drain(_output);
        foreach (ControlSend send in _output.Sends)
        {
            if (_links.TryGetValue(send.LinkId, out PeerLink? peer))
            {
                peer.SendControl(send.Message.ToArray());
            }
        }

        foreach (RouterEvent happened in _output.Events)
        {
            RouterLog.Happened(_logger, happened.Kind, happened.Router, happened.Detail);
            Noticed.Add(happened);
            GiveUpIfLost(happened);
        }

        if (_output.SnapshotChanged)
        {
            _changed(_output.Changes);
        }
    }

    /// <inheritdoc/>
    public List<RouteHop> HopsTo(Route route)
    {
        RouteSnapshot network = _engine.Snapshot;
        var hops = new List<RouteHop>();
        foreach (int index in new RouterBits(RoutersOf(route, network) & network.Reachable))
        {
            RouterRoute way = network.ByIndex(index)!;
            if (way.NextHopLink is { } link && _links.TryGetValue(link, out PeerLink? peer))
            {
                hops.Add(route.HopTo(peer, way.Cost, way.ValidOrigins, null));
            }
        }

        hops.Sort((one, other) => one.Cost.CompareTo(other.Cost));
        return hops;
    }

    /// <summary>The connections that lead to the routers that have an address, of those that can begin links for
    /// others.</summary>
    /// <param name="key">The address's key.</param>
    /// <param name="from">Where the link comes from: never back there.</param>
    public List<LinkCarrier> CarriersTo(string key, LinkCarrier? from)
    {
        RouteSnapshot network = _engine.Snapshot;
        List<LinkCarrier> ways = [];
        foreach (int index in new RouterBits(network.RoutersOf(key) & network.Reachable))
        {
            if (network.ByIndex(index)?.NextHopLink is { } link && _links.TryGetValue(link, out PeerLink? peer)
                && peer.Carrier is { } carrier && carrier != from)
            {
                ways.Add(carrier);
            }
        }

        return ways;
    }

    private static UInt128 RoutersOf(Route route, RouteSnapshot network) => route.Parsed.Class switch
    {
        RouteAddressClass.Mobile => network.RoutersOf(route.Key),
        RouteAddressClass.Edge => network.RoutersOf(AddressKey.Edge(route.Parsed.Router!)),
        RouteAddressClass.Topological when route.Parsed.IsOfAll => network.Reachable,
        RouteAddressClass.Topological => network.IndexOf(route.Parsed.Router!) is var index and > 0
            ? UInt128.One << index : UInt128.Zero,
        _ => UInt128.Zero,
    };

    // A neighbour fell silent while its connection seems to stand: nothing on its way there would be heard of.
    private void GiveUpIfLost(in RouterEvent happened)
    {
        if (happened.Kind == RouterEventKind.NeighborLost)
        {
            string lost = happened.Router;
            foreach (PeerLink peer in _links.Values.Where(peer => peer.PeerId == lost))
            {
                peer.GiveUp();
            }
        }
    }
}
