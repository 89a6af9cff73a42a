using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Edges;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Containers;
using Pillarbox.Router.Forwarding;
using Pillarbox.Router.Management;

namespace Pillarbox.Router.Edges;

/// <summary>
/// At an edge: the connections to the interior, of which the first is in use and the others wait for its loss, and the
/// links that addresses have of their own by the one in use. The way to everything that is not here. Under the
/// network's lock.
/// </summary>
internal sealed class Uplinks(RouteKeys keys) : IRouteWays
{
    /// <summary>The key of the way to whatever is not here.</summary>
    public const string AnyKey = "U";

    private readonly List<PeerLink> _all = [];
    private readonly Dictionary<string, Outlet> _outlets = new(StringComparer.Ordinal);

    /// <summary>The one in use; null: there is none.</summary>
    public PeerLink? InUse => _all.Count > 0 ? _all[0] : null;

    /// <summary>Whether the interior is asked what an address is: what nodes say to each other, and what every node
    /// has, is no matter of link routes.</summary>
    public static bool IsAskedFor(string address, out string name)
    {
        bool isRead = RouteAddress.TryParse(address, out RouteAddress parsed);
        name = parsed.Name ?? "";
        return isRead && parsed.Class == RouteAddressClass.Mobile && name[0] != '_' && name != ManagementAgent.Address;
    }

    /// <summary>Another connection is there. True: it is in use from now on, and has no links yet.</summary>
    public bool Add(PeerLink uplink)
    {
        _all.Add(uplink);
        return _all.Count == 1 && Begin();
    }

    /// <summary>One is gone. True: it was in use; another is now, or none.</summary>
    public bool Remove(PeerLink uplink)
    {
        bool wasUsed = uplink == InUse;
        _all.Remove(uplink);
        return wasUsed && Begin();
    }

    /// <summary>An address has a link of its own, or has it no longer. False: not on the connection in use.</summary>
    public bool SetOutlet(PeerLink uplink, string key, Outlet? outlet)
    {
        if (uplink != InUse)
        {
            return false;
        }

        if (outlet is null)
        {
            _outlets.Remove(key);
        }
        else
        {
            _outlets[key] = outlet;
        }

        return true;
    }

    /// <summary>Whether an address has a link of its own.</summary>
    public bool HasOutlet(string key) => _outlets.ContainsKey(key);

    /// <summary>An address wants its link no longer: whoever comes next waits for one again. False: it has
    /// none.</summary>
    public bool RemoveOutlet(string key) => _outlets.Remove(key);

    /// <summary>The interior hears which addresses' links go to containers of this edge.</summary>
    public void Tell(IEnumerable<string> linkRouteKeys, bool isThere)
    {
        if (InUse is { } uplink)
        {
            foreach (string key in linkRouteKeys)
            {
                var route = new UplinkLinkRoute(key, LinkRouteKey.TextOf(key), LinkRouteKey.IsForSenders(key));
                uplink.Tell(route, isThere);
            }
        }
    }

    /// <inheritdoc/>
    public List<RouteHop> HopsTo(Route route)
    {
        Outlet? own = _outlets.GetValueOrDefault(route.Key);
        bool isRelayed = route.Key == AnyKey || !keys.IsHere(route.Parsed);
        bool isMobile = route.Parsed.Class == RouteAddressClass.Mobile;
        return InUse is { } uplink && (isRelayed || (isMobile && own is not null))
            ? [route.HopTo(uplink, cost: 1, UInt128.MaxValue, isRelayed ? null : own)]
            : [];
    }

    /// <inheritdoc/>
    /// <remarks>Who names each message's address has no link for it: others than those who are here get it by the link
    /// for all.</remarks>
    public RouteHop? AsideOf(Route route) =>
        InUse is { } uplink && route.IsMulticast && route.Key != AnyKey
            && route.Parsed.Class == RouteAddressClass.Mobile && !HasOutlet(route.Key)
            ? route.HopTo(uplink, cost: 1, UInt128.MaxValue, null)
            : null;

    private bool Begin()
    {
        _outlets.Clear();
        return true;
    }
}
