using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Routed.Containers;

namespace Pillarbox.Router.Containers;

/// <summary>
/// The addresses whose links go on as a whole: what the operator of this node says, with the containers that are
/// connected, and what other routers tell. Pure; the owner looks after threads.
/// </summary>
internal sealed class LinkRouteTable
{
    private readonly Dictionary<string, LinkRouteEntry> _entries = new(StringComparer.Ordinal);
    private readonly List<LinkRouteRule> _rules = [];
    private readonly List<LinkCarrier> _carriers = [];
    private LinkRouteEntry[] _sorted = [];

    /// <summary>Whether there are any.</summary>
    public bool Any => _sorted.Length > 0;

    /// <summary>All of them, the most specific first.</summary>
    public IReadOnlyList<LinkRouteEntry> Entries => _sorted;

    /// <summary>The operator's rules.</summary>
    public IReadOnlyList<LinkRouteRule> Rules => _rules;

    /// <summary>A rule of the operator, or of a connection for itself; gives the keys that other routers are to be told
    /// of.</summary>
    public IEnumerable<string> Add(LinkRouteRule rule)
    {
        _rules.Add(rule);
        LinkRouteEntry entry = EntryOf(rule.Key);
        entry.Rules.Add(rule);
        bool isFirst = entry.Carriers.Count == 0;
        IEnumerable<LinkCarrier> carriers = rule.For.Only is { } only ? [only] : _carriers.Where(rule.For.Matches);
        entry.Carriers.AddRange(carriers.Where(carrier => !entry.Carriers.Contains(carrier)));
        return isFirst && entry.Carriers.Count > 0 ? [entry.Key] : [];
    }

    /// <summary>A rule is gone; gives the keys that other routers are to forget.</summary>
    public IEnumerable<string> Remove(LinkRouteRule rule)
    {
        if (!_rules.Remove(rule) || !_entries.TryGetValue(rule.Key, out LinkRouteEntry? entry))
        {
            return [];
        }

        entry.Rules.Remove(rule);
        bool had = entry.Carriers.Count > 0;
        entry.Carriers.RemoveAll(carrier => !entry.Rules.Any(other => other.For.Matches(carrier)));
        RemoveIfUnused(entry);
        return had && entry.Carriers.Count == 0 ? [entry.Key] : [];
    }

    /// <summary>A container has connected; gives the keys that other routers are to be told of.</summary>
    public IReadOnlyList<string> OnCarrier(LinkCarrier carrier)
    {
        _carriers.Add(carrier);
        List<string> added = [];
        foreach (LinkRouteEntry entry in _sorted.Where(e => e.Rules.Any(rule => rule.For.Matches(carrier))))
        {
            entry.Carriers.Add(carrier);
            if (entry.Carriers.Count == 1)
            {
                added.Add(entry.Key);
            }
        }

        return added;
    }

    /// <summary>It is gone; gives the keys that other routers are to forget.</summary>
    public IReadOnlyList<string> OnCarrierLost(LinkCarrier carrier)
    {
        _carriers.Remove(carrier);
        List<string> removed = [.. _rules.Where(rule => rule.For.Only == carrier).ToArray().SelectMany(Remove)];
        foreach (LinkRouteEntry entry in _sorted)
        {
            if (entry.Carriers.Remove(carrier) && entry.Carriers.Count == 0)
            {
                removed.Add(entry.Key);
            }
        }

        return removed;
    }

    /// <summary>Other routers have containers for a key, or none any more.</summary>
    public void OnRemote(string key, bool isThere)
    {
        if (isThere)
        {
            EntryOf(key).IsRemote = true;
        }
        else if (_entries.TryGetValue(key, out LinkRouteEntry? entry))
        {
            entry.IsRemote = false;
            RemoveIfUnused(entry);
        }
    }

    /// <summary>Whether containers are connected here for a rule.</summary>
    public bool IsActive(LinkRouteRule rule) => rule.For.Only is not null || _carriers.Any(rule.For.Matches);

    /// <summary>The most specific entry for an address; null: its messages go one by one.</summary>
    public LinkRouteEntry? Find(string address, bool isForSenders)
    {
        string[] tokens = TokenPattern.TokensOf(address);
        foreach (LinkRouteEntry entry in _sorted)
        {
            if (LinkRouteKey.IsForSenders(entry.Key) == isForSenders && entry.Pattern.Matches(tokens))
            {
                return entry;
            }
        }

        return null;
    }

    private LinkRouteEntry EntryOf(string key)
    {
        if (!_entries.TryGetValue(key, out LinkRouteEntry? entry))
        {
            entry = new LinkRouteEntry(key);
            _entries.Add(key, entry);
            Sort();
        }

        return entry;
    }

    private void RemoveIfUnused(LinkRouteEntry entry)
    {
        if (entry is { IsRemote: false, Rules.Count: 0 })
        {
            _entries.Remove(entry.Key);
            Sort();
        }
    }

    private void Sort()
    {
        _sorted = [.. _entries.Values];
        Array.Sort(_sorted, (one, other) => TokenPattern.Compare(one.Pattern, other.Pattern));
    }
}

/// <summary>One key, with who serves it.</summary>
internal sealed class LinkRouteEntry(string key)
{
    private int _turn;

    public string Key { get; } = key;

    public TokenPattern Pattern { get; } = LinkRouteKey.PatternOf(key);

    public List<LinkRouteRule> Rules { get; } = [];

    /// <summary>Containers that are connected here.</summary>
    public List<LinkCarrier> Carriers { get; } = [];

    /// <summary>Whether other routers have containers for it.</summary>
    public bool IsRemote { get; set; }

    /// <summary>Counts links: each goes to the next container, or the next router.</summary>
    public int NextTurn() => (_turn++) & int.MaxValue;
}
