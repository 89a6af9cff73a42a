namespace Pillarbox.Broker.Streams.Groups;

/// <summary>
/// Writes a coordinator's records and holds answers back until what they tell is on disk. One owner: the loop.
/// </summary>
internal sealed class CoordinatorStore
{
    private readonly ICoordinatorLog _log;
    private readonly CoordinatorLoop _loop;
    private readonly Lane[] _lanes;

    public CoordinatorStore(ICoordinatorLog log, CoordinatorLoop loop)
    {
        _log = log;
        _loop = loop;
        _lanes = new Lane[log.PartitionCount];
        for (int i = 0; i < _lanes.Length; i++)
        {
            _lanes[i] = new Lane();
        }
    }

    public int PartitionCount => _lanes.Length;

    /// <summary>The partition that keeps a name: the absolute hash, as the field's tools compute it.</summary>
    public int PartitionOf(string name)
    {
        int hash = 0;
        foreach (char c in name)
        {
            hash = (31 * hash) + c;
        }

        return (hash == int.MinValue ? 0 : Math.Abs(hash)) % _lanes.Length;
    }

    /// <summary>Writes a batch. None: <paramref name="number"/> is the one to wait for with <see
    /// cref="WhenDurable"/>. Else refused, nothing is written.</summary>
    public CoordinatorError Write(
        int partition, ProducerStamp producer, IReadOnlyList<CoordinatorRecord> records, out long number)
    {
        Lane lane = _lanes[partition];
        long next = lane.Written + 1;
        number = next;
        CoordinatorError refusal = lane.Failed
            ? CoordinatorError.CoordinatorNotAvailable
            : _log.Append(partition, producer, records, ok => _loop.Post(() => Complete(lane, next, ok)));
        if (refusal == CoordinatorError.None)
        {
            lane.Written = next;
        }

        return refusal;
    }

    /// <summary>Calls back with true as soon as everything up to a number is on disk, or with false when it never will
    /// be.</summary>
    public void WhenDurable(int partition, long number, Action<bool> done)
    {
        Lane lane = _lanes[partition];
        if (number <= lane.Durable || lane.Failed)
        {
            done(number <= lane.Durable);
            return;
        }

        lane.Waiting.Enqueue((number, done));
    }

    public void Replay(ICoordinatorReplay into)
    {
        for (int i = 0; i < _lanes.Length; i++)
        {
            _log.Replay(i, into);
        }
    }

    private static void Complete(Lane lane, long number, bool ok)
    {
        if (ok && !lane.Failed)
        {
            lane.Durable = Math.Max(lane.Durable, number);
        }
        else
        {
            lane.Failed = true;
        }

        while (lane.Waiting.TryPeek(out var first) && (first.Number <= lane.Durable || lane.Failed))
        {
            lane.Waiting.Dequeue();
            first.Done(first.Number <= lane.Durable);
        }
    }

    private sealed class Lane
    {
        public long Written { get; set; }

        public long Durable { get; set; }

        public bool Failed { get; set; }

        // In the order of asking; a number may be lower than that of the one before it, and then waits with it.
        public Queue<(long Number, Action<bool> Done)> Waiting { get; } = new();
    }
}
