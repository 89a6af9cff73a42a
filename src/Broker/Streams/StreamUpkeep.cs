using System.Buffers;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Streams;

/// <summary>
/// What streams need now and then: retention, new segments by age, compaction, forgetting silent producers, and the
/// checkpoint. One round at a time, on whichever thread calls; nothing of it stands in the way of appends for longer
/// than a
/// look at one partition.
/// </summary>
internal sealed class StreamUpkeep(StreamServices services, ICollection<StreamCatalog> catalogs)
{
    /// <summary>Time between two looks at all partitions.</summary>
    public const int RoundMs = 5000;

    /// <summary>Time between two checkpoints while records are appended.</summary>
    public const int CheckpointMs = 30_000;

    /// <summary>A producer that has written nothing for so long is forgotten, unless it has a transaction
    /// open.</summary>
    public const long ProducerIdleMs = 24 * 3600 * 1000L;

    private readonly ArrayBufferWriter<byte> _entries = new();
    private readonly ArrayBufferWriter<byte> _state = new();
    private readonly Compactor _compactor = new(services);
    private long _nextRoundMs;
    private long _nextCheckpointMs;
    private long _checkpointed = -1;
    private readonly Lock _gate = new();
    private bool _isStopped;

    /// <summary>Does what is due. Never throws.</summary>
    public void Run()
    {
        long nowMs = services.NowMs;
        if (nowMs < Volatile.Read(ref _nextRoundMs) || !_gate.TryEnter())
        {
            return;
        }

        try
        {
            if (_isStopped)
            {
                return;
            }

            Volatile.Write(ref _nextRoundMs, nowMs + RoundMs);
            if (!Visit(nowMs))
            {
                WriteLocked(isClean: false);
                Visit(nowMs);
            }

            foreach (StreamCatalog catalog in catalogs)
            {
                catalog.Shorten();
            }

            if (nowMs >= _nextCheckpointMs && services.Store.AppendedBytes != _checkpointed)
            {
                _nextCheckpointMs = nowMs + CheckpointMs;
                WriteCheckpoint(isClean: false);
            }
        }
        catch (StorageException error)
        {
            StreamLog.UpkeepFailed(services.Logger, error);
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <summary>Writes down where every partition stands. What was appended meanwhile is read at the next start.
    /// A clean one is the last: nothing is compacted after it. Throws <see cref="StorageException"/>.</summary>
    public void WriteCheckpoint(bool isClean)
    {
        lock (_gate)
        {
            _isStopped |= isClean;
            WriteLocked(isClean);
        }
    }

    private void WriteLocked(bool isClean)
    {
        long appended = services.Store.AppendedBytes;
        _entries.ResetWrittenCount();
        var waiter = new DurableCount();
        List<(Partition Partition, long NextOffset)> known = [];
        foreach (Partition partition in Partitions())
        {
            PartitionCheckpoint entry = partition.MakeCheckpoint(_state);
            StreamCheckpoint.WriteEntry(_entries, partition.Stream.Id, partition.Number, entry);
            waiter.WaitFor(partition, entry.Mark.NextOffset);
            known.Add((partition, entry.Mark.NextOffset));
        }

        // Only what is durable may be taken for granted later.
        services.Store.Drain();
        if (!waiter.IsDone)
        {
            return;
        }

        services.Store.SyncUnsynced();
        foreach (Partition partition in Partitions())
        {
            partition.Log.SaveIndexes();
        }

        StreamCheckpoint.Write(
            services.Store.FileSystem, services.CheckpointDirectory, ++services.CheckpointNumber, isClean,
            _entries.WrittenSpan);
        _checkpointed = appended;
        known.ForEach(static entry => entry.Partition.CheckpointedTo = entry.NextOffset);
    }

    private IEnumerable<Partition> Partitions() =>
        from catalog in catalogs from stream in catalog.All from partition in stream.Partitions select partition;

    /// <summary>False when something waits for a checkpoint.</summary>
    private bool Visit(long nowMs)
    {
        bool isDone = true;
        foreach (Partition partition in Partitions())
        {
            isDone &= Retention.Apply(partition, nowMs);
            partition.ForgetProducersBefore(nowMs - ProducerIdleMs);
            if (partition.Stream.Config.IsCompacted)
            {
                isDone &= _compactor.Run(partition, nowMs);
            }
        }

        return isDone;
    }

    /// <summary>Counts partitions whose records are not durable yet.</summary>
    private sealed class DurableCount : IDurableWaiter
    {
        private int _waiting;

        public bool IsDone => Volatile.Read(ref _waiting) == 0;

        public void WaitFor(Partition partition, long offset)
        {
            if (partition.Log.DurableOffset < offset)
            {
                Interlocked.Increment(ref _waiting);
                partition.WhenDurable(offset, this);
            }
        }

        public void OnDurable(long durablePosition) => Interlocked.Decrement(ref _waiting);

        public void OnFailed(StorageFailedException failure)
        {
        }
    }
}
