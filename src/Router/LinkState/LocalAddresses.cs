using System.Collections.Immutable;

namespace Pillarbox.Router.LinkState;

/// <summary>
/// The addresses with a destination at this router: those that others were told of, and what changed since. Owned by
/// the engine.
/// </summary>
internal sealed class LocalAddresses
{
    private readonly Dictionary<string, AddressTreatment> _told = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AddressTreatment> _added = new(StringComparer.Ordinal);
    private readonly HashSet<string> _deleted = new(StringComparer.Ordinal);

    /// <summary>Counts updates.</summary>
    public long Seq { get; private set; }

    public bool HasChanges => _added.Count + _deleted.Count > 0;

    public void Add(string key, AddressTreatment treatment)
    {
        _deleted.Remove(key);
        if (!_told.ContainsKey(key))
        {
            _added[key] = treatment;
        }
    }

    public void Remove(string key)
    {
        _added.Remove(key);
        if (_told.ContainsKey(key))
        {
            _deleted.Add(key);
        }
    }

    /// <summary>What changed since the last update, or null when nothing did.</summary>
    public MobileAddressUpdate? TakeUpdate(string selfId)
    {
        if (!HasChanges)
        {
            return null;
        }
        foreach ((string key, AddressTreatment treatment) in _added)
        {
            _told[key] = treatment;
        }
        foreach (string key in _deleted)
        {
            _told.Remove(key);
        }
        Seq++;
        var update = new MobileAddressUpdate(selfId, Seq, IsAbsolute: false, Hints(_added), [.. _deleted]);
        _added.Clear();
        _deleted.Clear();
        return update;
    }

    /// <summary>All that others were told of.</summary>
    public MobileAddressUpdate All(string selfId) => new(selfId, Seq, IsAbsolute: true, Hints(_told), []);

    private static ImmutableArray<AddressHint> Hints(Dictionary<string, AddressTreatment> addresses) =>
        [.. addresses.Select(a => new AddressHint(a.Key, a.Value))];
}
