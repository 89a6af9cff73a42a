namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>What a peer has told to keep by number. Bounded in slots and bytes.</summary>
internal sealed class PeerCache
{
    private const int FirstSlots = 64;
    private Slot[] _slots = new Slot[FirstSlots];
    private int _bytes;

    public IDataStructure? Get(int slot) => slot >= 0 && slot < _slots.Length && _slots[slot].IsSet
        ? _slots[slot].Structure
        : throw new OpenWireException($"nothing was put into slot {slot} of the cache");

    /// <summary>Slot -1 means: the peer's cache was full, nothing is kept.</summary>
    public void Set(int slot, IDataStructure? structure, int bytes)
    {
        if (slot == -1)
        {
            return;
        }

        if (slot is < 0 or >= WireLimits.PeerCacheSlotsMax)
        {
            throw new OpenWireException($"the cache has no slot {slot}");
        }

        if (slot >= _slots.Length)
        {
            Array.Resize(ref _slots, Math.Max(slot + 1, Math.Min(_slots.Length * 2, WireLimits.PeerCacheSlotsMax)));
        }

        _bytes += bytes - _slots[slot].Bytes;
        if (_bytes > WireLimits.PeerCacheBytesMax)
        {
            throw new OpenWireException($"the cache holds more than {WireLimits.PeerCacheBytesMax} bytes");
        }

        _slots[slot] = new Slot(structure, bytes, IsSet: true);
    }

    private readonly record struct Slot(IDataStructure? Structure, int Bytes, bool IsSet);
}
