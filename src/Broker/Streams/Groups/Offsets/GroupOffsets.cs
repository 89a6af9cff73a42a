namespace Pillarbox.Broker.Streams.Groups.Offsets;

/// <summary>
/// The committed offsets of a group and those that open transactions would commit. Of two commits the later written
/// one counts, also when it belongs to a transaction that ends after the other. One owner.
/// </summary>
internal sealed class GroupOffsets(OffsetMemory memory)
{
    private readonly Dictionary<string, SortedDictionary<int, Entry>> _topics = [];
    private readonly Dictionary<long, Dictionary<TopicPartition, Entry>> _pending = [];
    private long _sequence;
    private long _bytes;
    private long _counted;

    public bool IsEmpty => _topics.Count == 0;

    public bool HasPending => _pending.Count > 0;

    public IEnumerable<string> Topics =>
        _topics.Keys.Union(_pending.Values.SelectMany(offsets => offsets.Keys).Select(partition => partition.Topic));

    /// <summary>All committed ones, by topic name and partition.</summary>
    public IEnumerable<(TopicPartition Partition, CommittedOffset Offset)> All =>
        from topic in _topics.OrderBy(t => t.Key, StringComparer.Ordinal)
        from entry in topic.Value
        select (new TopicPartition(topic.Key, entry.Key), entry.Value.Offset);

    /// <summary>All that have an offset, or would have one if a transaction committed.</summary>
    public IEnumerable<TopicPartition> Partitions => All.Select(each => each.Partition)
        .Union(_pending.Values.SelectMany(offsets => offsets.Keys));

    /// <summary>Those of a topic, committed or not.</summary>
    public IEnumerable<TopicPartition> PartitionsOf(string topic)
    {
        IEnumerable<TopicPartition> committed = _topics.TryGetValue(topic, out var entries)
            ? entries.Keys.Select(partition => new TopicPartition(topic, partition))
            : [];
        return _pending.Count == 0
            ? committed
            : committed.Union(_pending.Values.SelectMany(offsets => offsets.Keys).Where(p => p.Topic == topic));
    }

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

    /// <summary>Whether anything is known of a partition.</summary>
    public bool Knows(TopicPartition partition) => Find(partition).Offset >= 0 || IsPending(partition);

    /// <summary>How many bytes of memory more a commit would take at most; not above 0 when it takes no more than the
    /// one in its place.</summary>
    public long GrowthBy(ProducerStamp producer, TopicPartition partition, string metadata)
    {
        if (producer.IsTransactional)
        {
            return _pending.TryGetValue(producer.Id, out var offsets)
                && offsets.TryGetValue(partition, out Entry pending)
                    ? WeightOf(metadata) - WeightOf(pending.Offset.Metadata)
                    : GroupWeight + WeightOfPending(partition, metadata);
        }

        if (!_topics.TryGetValue(partition.Topic, out var entries))
        {
            return GroupWeight + WeightOf(partition.Topic, metadata);
        }

        return entries.TryGetValue(partition.Partition, out Entry present)
            ? WeightOf(metadata) - WeightOf(present.Offset.Metadata)
            : WeightOf(metadata);
    }

    public void Commit(TopicPartition partition, in CommittedOffset offset)
    {
        Store(partition, new Entry(offset, ++_sequence));
        Weigh();
    }

    public void CommitPending(long producerId, TopicPartition partition, in CommittedOffset offset)
    {
        if (!_pending.TryGetValue(producerId, out var offsets))
        {
            _pending.Add(producerId, offsets = []);
        }

        _bytes -= offsets.TryGetValue(partition, out Entry before) ? WeightOfPending(partition, before) : 0;
        offsets[partition] = new Entry(offset, ++_sequence);
        _bytes += WeightOfPending(partition, offset.Metadata);
        Weigh();
    }

    /// <summary>A producer's transaction has ended: its offsets become valid or are forgotten.</summary>
    public void EndTransaction(long producerId, bool committed)
    {
        if (!_pending.Remove(producerId, out var offsets))
        {
            return;
        }

        foreach ((TopicPartition partition, Entry entry) in offsets)
        {
            _bytes -= WeightOfPending(partition, entry);
            bool later = !_topics.TryGetValue(partition.Topic, out var entries)
                || !entries.TryGetValue(partition.Partition, out Entry present)
                || present.Sequence < entry.Sequence;
            if (committed && later)
            {
                Store(partition, entry);
            }
        }

        Weigh();
    }

    /// <summary>Forgets what is committed for a partition, and what open transactions would commit.</summary>
    public void Remove(TopicPartition partition)
    {
        if (_topics.TryGetValue(partition.Topic, out var entries)
            && entries.Remove(partition.Partition, out Entry removed))
        {
            _bytes -= WeightOf(removed.Offset.Metadata);
            if (entries.Count == 0)
            {
                _topics.Remove(partition.Topic);
                _bytes -= WeightOfTopic(partition.Topic);
            }
        }

        RemovePending(partition);
        Weigh();
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _topics.Clear();
        _pending.Clear();
        _bytes = 0;
        Weigh();
    }

    private void RemovePending(TopicPartition partition)
    {
        if (_pending.Count == 0)
        {
            return;
        }

        foreach ((long producerId, var offsets) in _pending.ToArray())
        {
            if (offsets.Remove(partition, out Entry removed))
            {
                _bytes -= WeightOfPending(partition, removed);
            }

            if (offsets.Count == 0)
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
            _bytes += WeightOfTopic(partition.Topic);
        }

        _bytes -= entries.TryGetValue(partition.Partition, out Entry before) ? WeightOf(before.Offset.Metadata) : 0;
        entries[partition.Partition] = entry;
        _bytes += WeightOf(entry.Offset.Metadata);
    }

    // What a group takes that has nothing yet.
    private long GroupWeight => _topics.Count + _pending.Count == 0 ? OffsetMemory.GroupBytes : 0;

    // The coordinator's sum learns of what came and went.
    private void Weigh()
    {
        long bytes = _topics.Count + _pending.Count == 0 ? 0 : OffsetMemory.GroupBytes + _bytes;
        memory.Add(bytes - _counted);
        _counted = bytes;
    }

    private static long WeightOf(string metadata) =>
        OffsetMemory.OffsetBytes + (metadata.Length == 0 ? 0 : MemberWeight.Of(metadata));

    private static long WeightOf(string topic, string metadata) => WeightOfTopic(topic) + WeightOf(metadata);

    private static long WeightOfTopic(string topic) => OffsetMemory.TopicBytes + MemberWeight.Of(topic);

    // As much as it can take when it is committed, so that a commit never wants more.
    private static long WeightOfPending(TopicPartition partition, string metadata) =>
        WeightOf(partition.Topic, metadata);

    private static long WeightOfPending(TopicPartition partition, in Entry entry) =>
        WeightOfPending(partition, entry.Offset.Metadata);

    private readonly record struct Entry(CommittedOffset Offset, long Sequence);
}
