using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// An incremental fetch session: the partitions that a client reads are named once, later requests name only what
/// changed, and answers only what is new. It lives with its connection and is changed by one request at a time.
/// </summary>
internal sealed class FetchSession(int id)
{
    /// <summary>The most partitions of a session; who reads more names them all each time.</summary>
    public const int PartitionsMax = 20_000;

    /// <summary>The epoch of a request that opens a session.</summary>
    public const int FirstEpoch = 0;

    /// <summary>The epoch of a request outside of any session, which ends the one that it names.</summary>
    public const int NoEpoch = -1;

    private readonly Dictionary<(string Topic, Guid Id, int Partition), SessionPartition> _byKey = [];
    private List<SessionPartition> _partitions = [];
    private int _first;

    public int Id { get; } = id;

    /// <summary>The epoch that the next request must have.</summary>
    public int NextEpoch { get; private set; } = 1;

    /// <summary>Whether a request is at work.</summary>
    public bool InUse { get; set; }

    public int Count => _partitions.Count;

    /// <summary>Partitions in the order in which they are to be read: those that gave records last come last.</summary>
    public IEnumerable<SessionPartition> Partitions => _partitions.Skip(_first).Concat(_partitions.Take(_first));

    /// <summary>Takes what a request says to be read from now on, and what not any more. False: so many partitions are
    /// too many for a session.</summary>
    public bool Update(FetchRequest request)
    {
        foreach (FetchRequest.FetchTopic topic in request.Topics)
        {
            foreach (FetchRequest.FetchPartition wanted in topic.Partitions)
            {
                Put(topic.Topic, topic.TopicId, wanted);
            }
        }

        bool forgotten = false;
        foreach (FetchRequest.ForgottenTopic topic in request.ForgottenTopicsData)
        {
            foreach (int partition in topic.Partitions)
            {
                forgotten |= _byKey.Remove((topic.Topic, topic.TopicId, partition));
            }
        }

        if (forgotten)
        {
            _partitions = [.. _partitions.Where(p => _byKey.ContainsKey(p.Key))];
            _first = 0;
        }

        return Count <= PartitionsMax;
    }

    /// <summary>The next request has the next epoch; it never comes back to 0.</summary>
    public void Advance() => NextEpoch = NextEpoch == int.MaxValue ? 1 : NextEpoch + 1;

    /// <summary>Begins behind this partition the next time.</summary>
    public void ContinueBehind(SessionPartition last) =>
        _first = (_partitions.IndexOf(last) + 1) % Math.Max(1, _partitions.Count);

    private void Put(string topic, Guid id, FetchRequest.FetchPartition wanted)
    {
        var key = (topic, id, wanted.Partition);
        if (_byKey.TryGetValue(key, out SessionPartition? known))
        {
            known.Wanted = wanted;
            return;
        }

        var partition = new SessionPartition(topic, id) { Wanted = wanted };
        _byKey.Add(key, partition);
        _partitions.Add(partition);
    }
}

/// <summary>A partition that is to be read, and what its reader was told last.</summary>
internal sealed class SessionPartition(string topic, Guid topicId)
{
    public string Topic { get; } = topic;

    public Guid TopicId { get; } = topicId;

    public required FetchRequest.FetchPartition Wanted { get; set; }

    public (string Topic, Guid Id, int Partition) Key => (Topic, TopicId, Wanted.Partition);

    /// <summary>What the reader was told of the ends of the partition; null: nothing yet.</summary>
    public (long HighWatermark, long StableOffset, long StartOffset)? Told { get; set; }
}
