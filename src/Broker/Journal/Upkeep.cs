using System.Buffers;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Journal;

/// <summary>
/// Keeps the journal short: writes snapshots of the index, gives dead segments back, moves what is left in mostly dead
/// ones. One
/// round at a time, in the background; the shards are asked for a piece at a time, so nobody waits long for it.
/// </summary>
internal sealed class Upkeep
{
    private const int BindingsPerPart = 1024;
    private const int BallastBytesMin = 16 << 10;
    private const int BallastBytesMax = 16 << 20;

    private readonly BrokerServices _services;
    private readonly BindingJournal _bindings;
    private readonly Compaction _compaction;
    private readonly string _directory;
    private readonly Ballast _ballast;
    private long _snapshotPosition;
    private long _snapshotBytes;
    private long _keepFrom;
    private int _isRunning;

    public Upkeep(BrokerServices services, BindingJournal bindings)
    {
        _services = services;
        _bindings = bindings;
        _compaction = new Compaction(services);
        _directory = services.Options.DataDirectory.TrimEnd('/') + "/" + DataLayout.Snapshots;
        _keepFrom = SnapshotFile.OldestPosition(services.Options.FileSystem, _directory);
        _snapshotPosition = _keepFrom;
        _ballast = new Ballast(services.Options.FileSystem, _directory, Math.Clamp(
            services.Options.SegmentBytes / 4, BallastBytesMin, BallastBytesMax));
    }

    /// <summary>When the disk is full every snapshot may give segments back.</summary>
    private bool IsDue
    {
        get
        {
            long grown = _services.Journal.TailPosition - _snapshotPosition;
            return grown >= Math.Max(_services.Options.SnapshotBytesMin, _snapshotBytes * 4)
                || (_services.Journal.SpaceState == SpaceState.Full && grown > 0);
        }
    }

    /// <summary>One round, unless one is under way. Never throws.</summary>
    public async Task RunAsync()
    {
        if (Interlocked.Exchange(ref _isRunning, 1) != 0)
        {
            return;
        }

        try
        {
            if (IsDue)
            {
                if (_services.Journal.SpaceState == SpaceState.Full)
                {
                    _ballast.Drop();
                }

                await WriteSnapshotAsync().ConfigureAwait(false);
            }

            _services.Journal.Reclaim(_keepFrom);
            _ballast.Restore();
            // What moves stands in its old place until its new one is on disk: another round gives that back.
            await _compaction.RunAsync(_keepFrom).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StorageException or BrokerException)
        {
            BrokerLog.SnapshotFailed(_services.Logger, e);
        }
        finally
        {
            Volatile.Write(ref _isRunning, 0);
        }
    }

    /// <summary>Writes a snapshot of everything that the journal holds now. Throws <see
    /// cref="StorageException"/>.</summary>
    public async Task WriteSnapshotAsync()
    {
        long position = _services.Marks.Lowest(_services.Journal.TailPosition);
        using SnapshotWriter writer = SnapshotFile.Create(_services.Options.FileSystem, _directory, position);
        SnapshotParts parts = new();
        SnapshotFormat.WriteHead(parts.Begin(), _bindings.LastQueueId);
        parts.End(SnapshotFormat.Head);
        List<Queue> queues = [];
        foreach (AddressSpace space in _services.Spaces.All)
        {
            queues.AddRange(space.Frozen(() => WriteBindings(space, parts)));
        }

        Write(writer, parts);
        WriteBranches(writer, parts);
        _services.Producers.Write(parts);
        Write(writer, parts);
        long entries = 0;
        foreach (Queue queue in queues)
        {
            entries += await ExportAsync(queue, writer, parts).ConfigureAwait(false);
        }

        parts.Begin();
        parts.End(SnapshotFormat.End);
        Write(writer, parts);
        await _services.Merges.WhenDone().ConfigureAwait(false);
        await DurableAsync(_services.Journal.TailPosition).ConfigureAwait(false);
        writer.Complete();
        _snapshotPosition = position;
        _snapshotBytes = writer.Length;
        _keepFrom = SnapshotFile.OldestPosition(_services.Options.FileSystem, _directory);
        BrokerLog.SnapshotWritten(_services.Logger, entries, position, writer.Length);
    }

    private static List<Queue> WriteBindings(AddressSpace space, SnapshotParts parts)
    {
        foreach (AddressNode node in space.Addresses)
        {
            if (!node.IsTemporary)
            {
                BindingJournal.WriteAddress(
                    parts.Begin(), space.Name, node.Name, node.IsAnycast, node.IsMulticast);
                parts.End(SnapshotFormat.Address);
            }
        }

        List<Queue> queues = [.. space.Queues.Where(queue => queue.IsDurable)];
        foreach (Queue queue in queues)
        {
            BindingJournal.WriteQueue(
                parts.Begin(), space.Name, queue.Id, queue.Config, queue.IsPaused, queue.Admission);
            parts.End(SnapshotFormat.QueuePart);
            WriteBindings(queue, parts);
        }

        return queues;
    }

    // Before the entries: a branch that ends meanwhile is ended by the journal behind the snapshot.
    private void WriteBranches(SnapshotWriter writer, SnapshotParts parts)
    {
        (IReadOnlyList<XaBranch> prepared, IReadOnlyList<XaHeuristic> heuristics) = _services.Xa.Durable();
        foreach (XaBranch branch in prepared)
        {
            parts.Begin().Write(branch.Record);
            parts.End(SnapshotFormat.XaPrepared);
            Write(writer, parts);
        }

        foreach (XaHeuristic heuristic in heuristics)
        {
            XaRecords.WriteEnded(parts.Begin(), heuristic, isHeuristic: true);
            parts.End(SnapshotFormat.XaHeuristic);
        }

        Write(writer, parts);
    }

    private static void WriteBindings(Queue queue, SnapshotParts parts)
    {
        foreach (string[] patterns in (queue.Bindings ?? []).Chunk(BindingsPerPart))
        {
            IBufferWriter<byte> to = parts.Begin();
            FieldWriter.Varint(to, (ulong)queue.Id);
            foreach (string pattern in patterns)
            {
                FieldWriter.Text(to, pattern);
            }

            parts.End(SnapshotFormat.Bindings);
        }
    }

    private static void Write(SnapshotWriter writer, SnapshotParts parts)
    {
        writer.Write(parts.Written);
        parts.Clear();
    }

    private async Task<long> ExportAsync(Queue queue, SnapshotWriter writer, SnapshotParts parts)
    {
        QueueExport export = new(queue, _services.Large);
        while (await queue.Shard.Ask(shard => export.WriteNext(shard, parts)).ConfigureAwait(false))
        {
            Write(writer, parts);
        }

        return export.Entries;
    }

    /// <summary>Without a flusher of its own the journal is flushed here.</summary>
    private async Task DurableAsync(long position)
    {
        if (!_services.Options.OwnThreads)
        {
            _services.Journal.Flush();
        }

        await Management.DurableWait.Until(_services.Journal, position).ConfigureAwait(false);
    }
}
