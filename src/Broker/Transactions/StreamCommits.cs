using System.Collections.Concurrent;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Transactions;

/// <summary>What a transaction wrote to one partition.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="FirstOffset">Its first record there.</param>
/// <param name="DurableAt">Behind its last one.</param>
internal readonly record struct SpannedPart(Partition Partition, long FirstOffset, long DurableAt);

/// <summary>
/// The part of transactions that lies in streams. Records are written first, as those of a transactional producer of
/// the node, so that nobody reads them; the journal's group decides; then markers end them. A start finds what has no
/// marker, and asks the journal. Any thread.
/// </summary>
internal sealed class StreamCommits(BrokerServices services)
{
    /// <summary>Ids of the node's own producers begin here.</summary>
    public const long ProducerIdsFrom = Partition.OwnProducersFrom;

    public const short Epoch = 0;

    private readonly ConcurrentBag<long> _free = [];
    private readonly ConcurrentQueue<Ending> _stuck = new();
    private long _lastId = ProducerIdsFrom - 1;

    /// <summary>A producer's id that no other transaction under way has.</summary>
    public long Rent() => _free.TryTake(out long id) ? id : Interlocked.Increment(ref _lastId);

    /// <summary>Nothing of the producer is open any more.</summary>
    public void Return(long producerId) => _free.Add(producerId);

    /// <summary>Writes the markers of a transaction; when they are on disk its producer is free, and its mark goes.
    /// </summary>
    public void End(long producerId, IReadOnlyList<SpannedPart> parts, bool isCommit, AppendMark? mark)
    {
        Ending root = new(producerId, isCommit, mark) { Left = parts.Count + 1 };
        foreach (SpannedPart part in parts)
        {
            TryEnd(new Ending(producerId, isCommit, null) { Partition = part.Partition, Root = root });
        }

        OnEnded(root);
    }

    /// <summary>Tries those again that the disk did not take.</summary>
    public void Tick()
    {
        for (int left = _stuck.Count; left > 0 && _stuck.TryDequeue(out Ending? ending); left--)
        {
            TryEnd(ending);
        }
    }

    /// <summary>Ends what the last run left open: commits what the journal has decided, leaves what prepared branches
    /// hold, aborts the rest.</summary>
    public void Recover(DecidedStreams decided)
    {
        List<(long ProducerId, Partition Partition, bool IsCommit)> open = [];
        List<HeldOffsets> held =
            [.. services.Xa.Durable().Prepared.Select(branch => branch.Offsets).OfType<HeldOffsets>()];
        foreach (Partition partition in services.Streams.Values.SelectMany(c => c.All).SelectMany(s => s.Partitions))
        {
            foreach (ProducerView producer in partition.DescribeProducers())
            {
                _lastId = Math.Max(_lastId, producer.ProducerId);
                if (producer.ProducerId >= ProducerIdsFrom && producer.TransactionStart >= 0
                    && !held.Exists(one => one.Holds(producer.ProducerId, partition, producer.TransactionStart)))
                {
                    bool isCommit = decided.Contains(partition.Stream.Id, partition.Number, producer.TransactionStart);
                    open.Add((producer.ProducerId, partition, isCommit));
                }
            }
        }

        // The journal keeps its decisions until they are carried out.
        AppendMark? mark = open.Count == 0 ? null : services.Marks.Add();
        mark?.Set(decided.From);
        Ending root = new(0, true, mark) { Left = open.Count + 1 };
        foreach ((long producerId, Partition partition, bool isCommit) in open)
        {
            TryEnd(new Ending(producerId, isCommit, null) { Partition = partition, Root = root });
        }

        OnEnded(root);
        if (open.Count > 0)
        {
            // Who reads these partitions next, as the coordinators of groups do, is to see the markers.
            services.StreamServices.Store.Drain();
        }
    }

    private void TryEnd(Ending ending)
    {
        EndTransactionMarker marker = new(ending.IsCommit, CoordinatorEpoch: 0);
        AppendResult result = ending.Partition!.EndTransaction(
            ending.ProducerId, Epoch, marker, isTransactionV2: false);
        switch (result.Error)
        {
            case StreamError.None:
                ending.Partition.WhenDurable(
                    result.DurableAt, new DurableCallback(ok => OnDurable(ending, ok)));
                break;
            case StreamError.Busy or StreamError.DiskFull:
                _stuck.Enqueue(ending);
                break;
            case StreamError.StorageFailed when !ending.Partition.Stream.IsDeleted:
                // The node takes nothing any more; the next start ends it.
                break;
            default:
                OnEnded(ending.Root!);
                break;
        }
    }

    private void OnDurable(Ending ending, bool isDurable)
    {
        if (isDurable)
        {
            services.MarkerWritten?.Invoke(ending.Partition!, ending.ProducerId, ending.IsCommit);
            OnEnded(ending.Root!);
        }
    }

    private void OnEnded(Ending root)
    {
        if (Interlocked.Decrement(ref root.Left) > 0)
        {
            return;
        }

        if (root.Mark is not null)
        {
            services.Marks.Remove(root.Mark);
        }

        if (root.ProducerId != 0)
        {
            Return(root.ProducerId);
        }
    }

    // The end of a transaction in one partition, or with parts of it (its root) as a whole.
    private sealed class Ending(long producerId, bool isCommit, AppendMark? mark)
    {
        public int Left;

        public long ProducerId { get; } = producerId;

        public bool IsCommit { get; } = isCommit;

        public AppendMark? Mark { get; } = mark;

        public Partition? Partition { get; init; }

        public Ending? Root { get; init; }
    }
}
