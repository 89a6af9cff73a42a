namespace Pillarbox.Protocols.Amqp.Links;

/// <summary>The tag of a delivery that is not settled on both sides, and what the link will know of it.</summary>
internal readonly record struct PendingTag(TagValue Tag, TakenDelivery Taken);

/// <summary>
/// The deliveries of one link, by their delivery-ids, that are not settled on both sides. One owner. Beyond
/// <paramref name="capacity"/> none is noted: such a delivery is not known when it is resumed.
/// </summary>
/// <param name="capacity">How many are noted.</param>
internal sealed class PendingTags(int capacity)
{
    private readonly Dictionary<uint, PendingTag> _tags = [];

    /// <summary>How many are noted.</summary>
    public int Count => _tags.Count;

    /// <summary>Notes a delivery, if there is room.</summary>
    public void Add(uint id, in PendingTag pending)
    {
        if (_tags.Count < capacity)
        {
            _tags[id] = pending;
        }
    }

    /// <summary>What was noted of a delivery.</summary>
    public bool TryGet(uint id, out PendingTag pending) => _tags.TryGetValue(id, out pending);

    /// <summary>Forgets a delivery.</summary>
    public void Remove(uint id) => _tags.Remove(id);

    /// <summary>Takes out those from <paramref name="first"/> to <paramref name="last"/>, which the peer has
    /// settled.</summary>
    public IEnumerable<TagValue> Take(uint first, uint last)
    {
        if (last - first < _tags.Count)
        {
            for (uint id = first; id != last + 1; id++)
            {
                if (_tags.Remove(id, out PendingTag pending))
                {
                    yield return pending.Tag;
                }
            }

            yield break;
        }

        foreach ((uint id, PendingTag pending) in _tags)
        {
            if (!SerialNumber.IsBefore(id, first) && !SerialNumber.IsBefore(last, id))
            {
                _tags.Remove(id);
                yield return pending.Tag;
            }
        }
    }
}
