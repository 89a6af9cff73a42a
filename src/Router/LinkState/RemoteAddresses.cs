using System.Collections.Immutable;

namespace Pillarbox.Router.LinkState;

/// <summary>
/// Which routers have which addresses. Published is what reachable routers announced; each change of that is noted once
/// until it is drained. Owned by the engine.
/// </summary>
internal sealed class RemoteAddresses
{
    private readonly Dictionary<string, RemoteAddress> _announced = new(StringComparer.Ordinal);
    private readonly Dictionary<int, HashSet<string>> _byRouter = [];
    private readonly Dictionary<string, UInt128> _before = new(StringComparer.Ordinal);
    private readonly ImmutableDictionary<string, RemoteAddress>.Builder _published =
        ImmutableDictionary.CreateBuilder<string, RemoteAddress>(StringComparer.Ordinal);

    private UInt128 _reachable;
    private int _pairs;

    /// <summary>Something published changed since the last drain.</summary>
    public bool HasChanges => _before.Count > 0;

    /// <summary>An immutable copy, cheap to make.</summary>
    public ImmutableDictionary<string, RemoteAddress> Published() => _published.ToImmutable();

    /// <summary>Other routers can be reached than before.</summary>
    public void SetReachable(UInt128 reachable)
    {
        UInt128 changed = _reachable ^ reachable;
        _reachable = reachable;
        foreach (int index in new RouterBits(changed))
        {
            foreach (string key in KeysOf(index))
            {
                Publish(key);
            }
        }
    }

    /// <summary>A router has these and no longer those. False: too many, and nothing is done.</summary>
    public bool TryChange(RouterNode node, ImmutableArray<AddressHint> added, ImmutableArray<string> deleted)
    {
        HashSet<string> own = KeysOf(node.Index);
        int more = added.Count(a => !own.Contains(a.Key));
        if (!HasRoom(own.Count, more))
        {
            return false;
        }
        foreach (AddressHint address in added)
        {
            Add(node, own, address);
        }
        foreach (string key in deleted)
        {
            Remove(node, own, key);
        }
        return true;
    }

    /// <summary>A router has these and no others. False: too many, and nothing is done.</summary>
    public bool TryReplace(RouterNode node, ImmutableArray<AddressHint> addresses)
    {
        HashSet<string> own = KeysOf(node.Index);
        HashSet<string> wanted = new(addresses.Select(a => a.Key), StringComparer.Ordinal);
        if (!HasRoom(0, wanted.Count - own.Count))
        {
            return false;
        }
        foreach (string key in own.Where(k => !wanted.Contains(k)).ToArray())
        {
            Remove(node, own, key);
        }
        foreach (AddressHint address in addresses)
        {
            Add(node, own, address);
        }
        return true;
    }

    /// <summary>A router has none any more; when it is gone its bit will be another's.</summary>
    public void RemoveAll(RouterNode node, bool isGone)
    {
        HashSet<string> own = KeysOf(node.Index);
        foreach (string key in own.ToArray())
        {
            Remove(node, own, key);
        }
        _byRouter.Remove(node.Index);
        _reachable &= isGone ? ~node.Bit : UInt128.MaxValue;
    }

    /// <summary>Adds what changed since the last time.</summary>
    public void DrainTo(List<AddressChange> changes)
    {
        foreach ((string key, UInt128 before) in _before)
        {
            UInt128 after = _published.TryGetValue(key, out RemoteAddress now) ? now.Routers : UInt128.Zero;
            if (before != after)
            {
                changes.Add(new AddressChange(key, before, after));
            }
        }
        _before.Clear();
    }

    private bool HasRoom(int own, int more) =>
        own + more <= RouterLimits.AddressesPerRouterMax && _pairs + more <= RouterLimits.AddressesMax;

    private HashSet<string> KeysOf(int index)
    {
        if (!_byRouter.TryGetValue(index, out HashSet<string>? keys))
        {
            _byRouter[index] = keys = new HashSet<string>(StringComparer.Ordinal);
        }
        return keys;
    }

    private void Add(RouterNode node, HashSet<string> own, in AddressHint address)
    {
        if (!own.Add(address.Key))
        {
            return;
        }
        _pairs++;
        RemoteAddress known = _announced.GetValueOrDefault(address.Key, new RemoteAddress(0, address.Treatment));
        _announced[address.Key] = known with { Routers = known.Routers | node.Bit };
        Publish(address.Key);
    }

    private void Remove(RouterNode node, HashSet<string> own, string key)
    {
        if (!own.Remove(key))
        {
            return;
        }
        _pairs--;
        RemoteAddress left = _announced[key];
        left = left with { Routers = left.Routers & ~node.Bit };
        if (left.Routers == UInt128.Zero)
        {
            _announced.Remove(key);
        }
        else
        {
            _announced[key] = left;
        }
        Publish(key);
    }

    private void Publish(string key)
    {
        RemoteAddress wanted = _announced.GetValueOrDefault(key);
        wanted = wanted with { Routers = wanted.Routers & _reachable };
        UInt128 had = _published.TryGetValue(key, out RemoteAddress before) ? before.Routers : UInt128.Zero;
        if (had == wanted.Routers)
        {
            return;
        }
        _before.TryAdd(key, had);
        if (wanted.Routers == UInt128.Zero)
        {
            _published.Remove(key);
        }
        else
        {
            _published[key] = wanted;
        }
    }
}
