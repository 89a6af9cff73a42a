namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>
/// What the node has told a peer to keep by number: a ring, in which the oldest makes room. One per connection.
/// </summary>
internal sealed class OwnCache(int slots)
{
    private static readonly NoStructure Nothing = new();
    private readonly int _slots = Math.Min(slots, WireLimits.CacheSlotsMax);
    private readonly Dictionary<IDataStructure, int> _known = [];
    private readonly List<IDataStructure> _ring = [];
    private int _next;

    /// <summary>The slot of a structure; true: it is new, and has to be written in full.</summary>
    public bool Add(IDataStructure? structure, out int slot)
    {
        IDataStructure key = structure ?? Nothing;
        if (_known.TryGetValue(key, out slot))
        {
            return false;
        }

        slot = _next;
        _next = (_next + 1) % _slots;
        if (slot < _ring.Count)
        {
            _known.Remove(_ring[slot]);
            _ring[slot] = key;
        }
        else
        {
            _ring.Add(key);
        }

        _known[key] = slot;
        return true;
    }

    private sealed class NoStructure : IDataStructure
    {
        public DataType Type => DataType.Null;

        public void Visit(WireFields fields)
        {
        }
    }
}
