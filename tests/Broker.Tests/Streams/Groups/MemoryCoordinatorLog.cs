using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>A coordinator's stream in memory. What is not yet synced is lost in a crash.</summary>
internal sealed class MemoryCoordinatorLog(int partitions = 4) : ICoordinatorLog
{
    private readonly List<Batch>[] _synced = [.. Enumerable.Range(0, partitions).Select(_ => new List<Batch>())];
    private readonly Queue<(int Partition, Batch Batch, Action<bool> Completed)> _waiting = new();

    public int PartitionCount => partitions;

    /// <summary>Whether appends are on disk at once.</summary>
    public bool SyncsAtOnce { get; set; } = true;

    /// <summary>Whether there is no room.</summary>
    public bool IsFull { get; set; }

    public int Unsynced => _waiting.Count;

    public int Batches => _synced.Sum(p => p.Count);

    public CoordinatorError Append(
        int partition, ProducerStamp producer, IReadOnlyList<CoordinatorRecord> records, Action<bool> completed)
    {
        if (IsFull)
        {
            return CoordinatorError.CoordinatorNotAvailable;
        }

        _waiting.Enqueue((partition, new Batch(producer, [.. records], null), completed));
        if (SyncsAtOnce)
        {
            Sync();
        }

        return CoordinatorError.None;
    }

    public void Mark(int partition, ProducerStamp producer, bool committed) =>
        _synced[partition].Add(new Batch(producer, [], committed));

    /// <summary>Everything that waits is on disk now.</summary>
    public void Sync()
    {
        while (_waiting.TryDequeue(out var item))
        {
            _synced[item.Partition].Add(item.Batch);
            item.Completed(true);
        }
    }

    /// <summary>The disk has failed: nothing that waits is written.</summary>
    public void Fail()
    {
        while (_waiting.TryDequeue(out var item))
        {
            item.Completed(false);
        }
    }

    /// <summary>What a node finds that starts after a crash, with some of what was not synced.</summary>
    public MemoryCoordinatorLog Crash(int unsyncedKept = 0)
    {
        MemoryCoordinatorLog after = new(partitions);
        for (int i = 0; i < partitions; i++)
        {
            after._synced[i].AddRange(_synced[i]);
        }

        foreach (var item in _waiting.Take(unsyncedKept))
        {
            after._synced[item.Partition].Add(item.Batch);
        }

        return after;
    }

    public void Replay(int partition, ICoordinatorReplay into)
    {
        foreach (Batch batch in _synced[partition])
        {
            foreach (CoordinatorRecord record in batch.Records)
            {
                into.OnRecord(partition, batch.Producer, record.Key, record.Value);
            }

            if (batch.Marker is { } committed)
            {
                into.OnMarker(partition, batch.Producer, committed);
            }
        }
    }

    private sealed record Batch(ProducerStamp Producer, CoordinatorRecord[] Records, bool? Marker);
}
