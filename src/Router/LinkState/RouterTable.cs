using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Pillarbox.Router.LinkState;

/// <summary>The routers that are known, and this router's own link state. Owned by the engine.</summary>
internal sealed class RouterTable(RouterOptions options, ControlOutbox outbox)
{
    /// <summary>A router that nobody names is forgotten after so many ticks.</summary>
    private const int UnlistedTicksMax = 3;

    private readonly SortedList<string, RouterNode> _nodes = new(Comparer<string>.Create(RouterId.Compare));
    private UInt128 _taken = UInt128.One;

    /// <summary>Ascending by id.</summary>
    public IList<RouterNode> Nodes => _nodes.Values;

    public string SelfId => options.Id;

    /// <summary>Number of this router's own link state.</summary>
    public long OwnLsSeq { get; private set; }

    /// <summary>Something changed by which ways are computed.</summary>
    public bool IsTopologyStale { get; set; }

    /// <summary>The neighbours or their costs changed since <see cref="AdvanceOwnLinkState"/>.</summary>
    public bool IsOwnLinkStateStale { get; set; }

    /// <summary>Called with a router whose addresses are not valid any more, and whether the router is gone.</summary>
    public Action<RouterNode, bool> ForgetAddresses { get; set; } = (_, _) => { };

    public bool TryGet(string id, [NotNullWhen(true)] out RouterNode? node) => _nodes.TryGetValue(id, out node);

    /// <summary>
    /// The router of this id, made if it is new. Null: it is this router, or there is no room. One that speaks takes
    /// the place of one that was only spoken of.
    /// </summary>
    public RouterNode? Learn(string id, bool speaks, long nowMs)
    {
        if (_nodes.TryGetValue(id, out RouterNode? node))
        {
            node.HasSpoken |= speaks;
            return node;
        }
        if (id == options.Id || (_taken == UInt128.MaxValue && !(speaks && TryMakeRoom())))
        {
            if (id != options.Id) outbox.Say(RouterEventKind.TooManyRouters, id);
            return null;
        }
        int index = (int)UInt128.TrailingZeroCount(~_taken);
        _taken |= UInt128.One << index;
        node = new RouterNode(id, index) { HasSpoken = speaks, LastSeenMs = nowMs };
        node.LinkStateRequest.Want(nowMs);
        _nodes.Add(id, node);
        return node;
    }

    /// <summary>This router's neighbours, ascending by id.</summary>
    public ImmutableArray<PeerCost> OwnPeers() =>
        [.. Nodes.Where(n => n.Link is not null).Select(n => new PeerCost(n.Id, n.Link!.Cost))];

    public void AdvanceOwnLinkState()
    {
        IsOwnLinkStateStale = false;
        IsTopologyStale = true;
        OwnLsSeq++;
    }

    /// <summary>A router started anew: what it said before does not count.</summary>
    public void Restart(RouterNode node, long? instance, long nowMs)
    {
        outbox.Say(RouterEventKind.RouterRestarted, node.Id, $"instance {instance}");
        node.Instance = instance;
        node.Peers = [];
        node.LsSeq = 0;
        node.LsSeqMs = nowMs;
        node.MobileSeq = 0;
        node.MobileSeqRefused = -1;
        node.AddressesDoubtful = false;
        node.Advertised = default;
        node.LinkStateTold = (nowMs, -1);
        node.AddressesTold = (nowMs, -1);
        node.AddressRequest.Answered();
        node.LinkStateRequest.WantAnew(nowMs);
        node.LastSeenMs = nowMs;
        ForgetAddresses(node, false);
        IsTopologyStale = true;
    }

    /// <summary>Each second: forgets old link states, and routers that nobody names.</summary>
    public void Expire(long nowMs)
    {
        foreach (RouterNode node in Nodes)
        {
            if (nowMs - node.LastSeenMs > options.RemoteLsMaxAgeMs && !node.Peers.IsEmpty)
            {
                node.Peers = [];
                node.LsSeq = 0;
                node.Advertised = default;
                IsTopologyStale = true;
            }
        }
        HashSet<string> listed = [.. Nodes.SelectMany(n => n.Peers, (_, peer) => peer.Id)];
        foreach (RouterNode node in Nodes.ToArray())
        {
            bool named = node.Link is not null || !node.Peers.IsEmpty || listed.Contains(node.Id);
            node.UnlistedTicks = named ? 0 : node.UnlistedTicks + 1;
            if (node.UnlistedTicks >= UnlistedTicksMax)
            {
                Forget(node);
            }
        }
    }

    private bool TryMakeRoom()
    {
        RouterNode? silent = Nodes.FirstOrDefault(n => !n.HasSpoken && n.Link is null);
        if (silent is not null)
        {
            Forget(silent);
        }
        return silent is not null;
    }

    private void Forget(RouterNode node)
    {
        outbox.Say(RouterEventKind.RouterForgotten, node.Id);
        ForgetAddresses(node, true);
        _nodes.Remove(node.Id);
        _taken &= ~node.Bit;
        foreach (RouterNode other in Nodes)
        {
            other.ValidOrigins &= ~node.Bit;
            other.NextHop = other.NextHop == node ? null : other.NextHop;
        }
        IsTopologyStale = true;
    }
}
