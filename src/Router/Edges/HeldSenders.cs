using Pillarbox.Router.Addresses;

namespace Pillarbox.Router.Edges;

/// <summary>
/// At an edge: those who come first to send to everybody. What is sent before the interior has a link for the address
/// would reach only those who are here, so they wait for their credit until that link has credit, or nobody else wants
/// anything. Under the network's lock.
/// </summary>
internal sealed class HeldSenders(Uplinks uplinks, RouteTable routes)
{
    // How long they wait at most for word of others: a router of others that has nobody says nothing of it.
    private const int WordMsMax = 500;

    private readonly Dictionary<string, long> _held = new(StringComparer.Ordinal);

    /// <summary>Somebody is about to send to an address: is it the first, they wait.</summary>
    public void HoldFirst(Route route, long nowMs)
    {
        if (uplinks.InUse is not null && route is { IsMulticast: true, SenderCount: 0, IsOfNode: false }
            && route.Parsed.Class == RouteAddressClass.Mobile && !uplinks.HasOutlet(route.Key))
        {
            route.IsHeld = true;
            _held[route.Key] = nowMs + WordMsMax;
        }
    }

    /// <summary>The address has a link of its own now, or has it no longer.</summary>
    public void OnOutlet(string key, bool isThere)
    {
        if (isThere)
        {
            _held.Remove(key);
        }

        if (routes.Find(key) is { } route)
        {
            route.IsHeld &= !isThere;
            routes.Refresh(route);
            routes.RetireIfUnused(route);
        }
    }

    /// <summary>Nobody else wants what is sent to an address.</summary>
    public void LetGo(string key)
    {
        if (_held.Remove(key) && routes.Find(key) is { } route)
        {
            route.IsHeld = false;
            routes.Refresh(route);
        }
    }

    /// <summary>There is nobody to wait for.</summary>
    public void LetAllGo()
    {
        foreach (string key in _held.Keys.ToArray())
        {
            LetGo(key);
        }
    }

    /// <summary>Lets those go who have waited long enough.</summary>
    public void Tick(long nowMs)
    {
        if (_held.Count > 0)
        {
            foreach ((string key, _) in _held.Where(held => held.Value <= nowMs).ToArray())
            {
                LetGo(key);
            }
        }
    }
}
