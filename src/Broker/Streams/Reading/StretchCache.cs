namespace Pillarbox.Broker.Streams.Reading;

/// <summary>The stretches that were decoded last, so that many readers of the same records decode them once. Bounded;
/// the oldest goes first. Any thread.</summary>
internal sealed class StretchCache
{
    /// <summary>Bytes that it holds at most; those that readers still hold are not counted.</summary>
    private const long BytesMax = 16 << 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<Partition, List<RecordStretch>> _byPartition = [];
    private readonly Queue<RecordStretch> _order = new();
    private long _bytes;

    /// <summary>The stretch that covers an offset, with a hold for the caller; null when it is not here.</summary>
    public RecordStretch? Find(Partition partition, long offset)
    {
        lock (_gate)
        {
            if (!_byPartition.TryGetValue(partition, out List<RecordStretch>? stretches))
            {
                return null;
            }

            for (int i = stretches.Count - 1; i >= 0; i--)
            {
                if (stretches[i].Covers(partition, offset) && stretches[i].TryHold())
                {
                    return stretches[i];
                }
            }

            return null;
        }
    }

    /// <summary>Keeps a stretch for others, with a hold of its own.</summary>
    public void Add(RecordStretch stretch)
    {
        Model.Invariant.That(stretch.TryHold());
        lock (_gate)
        {
            if (!_byPartition.TryGetValue(stretch.Partition, out List<RecordStretch>? stretches))
            {
                _byPartition[stretch.Partition] = stretches = [];
            }

            stretches.Add(stretch);
            _order.Enqueue(stretch);
            _bytes += stretch.MemoryBytes;
            while (_bytes > BytesMax)
            {
                Drop(_order.Dequeue());
            }
        }
    }

    private void Drop(RecordStretch stretch)
    {
        _bytes -= stretch.MemoryBytes;
        List<RecordStretch> stretches = _byPartition[stretch.Partition];
        stretches.Remove(stretch);
        if (stretches.Count == 0)
        {
            _byPartition.Remove(stretch.Partition);
        }

        stretch.Release();
    }
}
