namespace Pillarbox.Broker.Streams.Groups.Offsets;

/// <summary>
/// The committed offsets of a group and those that open transactions would commit. Of two commits the later written
/// one counts, also when it belongs to a transaction that ends after the other. One owner.
/// </summary>
internal sealed class GroupOffsets
{
    private readonly Dictionary<string, SortedDictionary<int, Entry>> _topics = [];
    private readonly Dictionary<long, Dictionary<TopicPartition, Entry>> _pending = [];
    private long _sequence;

    public bool IsEmpty => _topics.Count == 0;

    public bool HasPending => _pending.Count > 0;

    public IEnumerable<string> Topics => _topics.Keys;

    /// <summary>All committed ones, by topic name and partition.</summary>
    public IEnumerable<(TopicPartition Partition, CommittedOffset Offset)> All =>
        from topic in _topics.OrderBy(t => t.Key, StringComparer.Ordinal)
        from entry in topic.Value
        select (new TopicPartition(topic.Key, entry.Key), entry.Value.Offset);

    public CommittedOffset Find(TopicPartition partition) =>
        _topics.TryGetValue(partition.Topic, out var entries)
        && entries.TryGetValue(partition.Partition, out Entry entry)
            ? entry.Offset
            : CommittedOffset.None;

    public bool IsPending(TopicPartition partition)
    {
        foreach (var offsets in _pending.Values)
        {
            if (offsets.ContainsKey(partition))
            {
                return true;
            }
        }

        return false;
    }

    public void Commit(TopicPartition partition, in CommittedOffset offset) =>
        Store(partition, new Entry(offset, ++_sequence));

    public void CommitPending(long producerId, TopicPartition partition, in CommittedOffset offset)
    {
        if (!_pending.TryGetValue(producerId, out var offsets))
        {
            _pending.Add(producerId, offsets = []);
        }

        offsets[partition] = new Entry(offset, ++_sequence);
    }

    /// <summary>A producer's transaction has ended: its offsets become valid or are forgotten.</summary>
    public void EndTransaction(long producerId, bool committed)
    {
        if (!_pending.Remove(producerId, out var offsets) || !committed)
        {
            return;
        }

        foreach ((TopicPartition partition, Entry entry) in offsets)
        {
            bool later = !_topics.TryGetValue(partition.Topic, out var entries)
                || !entries.TryGetValue(partition.Partition, out Entry present)
                || present.Sequence < entry.Sequence;
            if (later)
            {
                Store(partition, entry);
            }
        }
    }

    public void Remove(TopicPartition partition)
    {
        if (_topics.TryGetValue(partition.Topic, out var entries) && entries.Remove(partition.Partition)
            && entries.Count == 0)
        {
            _topics.Remove(partition.Topic);
        }
    }

    /// <summary>Forgets what open transactions would commit for a partition.</summary>
    public void RemovePending(TopicPartition partition)
    {
        foreach ((long producerId, var offsets) in _pending.ToArray())
        {
            if (offsets.Remove(partition) && offsets.Count == 0)
            {
                _pending.Remove(producerId);
            }
        }
    }

    private void Store(TopicPartition partition, in Entry entry)
    {
        if (!_topics.TryGetValue(partition.Topic, out var entries))
        {
            _topics.Add(partition.Topic, entries = []);
        }

        entries[partition.Partition] = entry;
    }

    private readonly record struct Entry(CommittedOffset Offset, long Sequence);
}
