using System.Collections.Concurrent;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Transactions;

/// <summary>
/// The offsets of consumer groups that a transaction commits, because it accepts records that its client reads for
/// those groups. Each is written as a part of the transaction in the groups' own stream, where it counts with the
/// transaction's marker. Open when all of them are on disk, or refused. Asked by the connection; answered by any
/// thread.
/// </summary>
internal sealed class OffsetGate(Action opened)
{
    private readonly Dictionary<Queue, Dictionary<int, List<long>>> _accepted = [];
    private readonly ConcurrentQueue<SpannedPart> _parts = new();
    private readonly ConcurrentQueue<BrokerException> _failures = new();
    private int _left = 1;

    /// <summary>Whether all have answered.</summary>
    public bool IsOpen => Volatile.Read(ref _left) == 0;

    /// <summary>Why one was refused; null: none was. Once it is open.</summary>
    public BrokerException? Failure => _failures.TryPeek(out BrokerException? first) ? first : null;

    /// <summary>What was written. Once it is open. Groups may share a partition of their stream; one marker ends all of
    /// the transaction there.</summary>
    public IEnumerable<SpannedPart> Parts => _parts.DistinctBy(part => part.Partition);

    /// <summary>Whether a transaction accepts records that are read for a group.</summary>
    public static bool IsNeeded(Transaction transaction) => transaction.Settlements.Exists(IsOfGroup);

    /// <summary>Writes what a transaction's settlements lead to, for a producer of the node. <paramref name="isHeld"/>:
    /// it may end much later, when its client is gone.</summary>
    public static OffsetGate Begin(Transaction transaction, long producerId, BrokerClient client, bool isHeld = false)
    {
        var gate = new OffsetGate(client.Poke);
        foreach (StagedSettlement staged in transaction.Settlements.Where(IsOfGroup))
        {
            Add(gate._accepted, staged.Delivery);
        }

        var producer = new ProducerStamp(producerId, StreamCommits.Epoch);
        foreach ((Queue queue, Dictionary<int, List<long>> records) in gate._accepted)
        {
            Interlocked.Increment(ref gate._left);
            queue.Shard.Post(new ShardAction(_ => gate.Commit(queue, producer, records, isHeld)));
        }

        gate.Arrive(null, null);
        return gate;
    }

    /// <summary>The transaction does not commit: its readers go on as if it had not been.</summary>
    public void RollBack()
    {
        foreach ((Queue queue, Dictionary<int, List<long>> records) in _accepted)
        {
            queue.Shard.Post(new ShardAction(_ => queue.Feed?.Group?.RollBack(records.Keys)));
        }
    }

    private static bool IsOfGroup(StagedSettlement staged) =>
        staged.Delivery is { IsRecord: true, Queue.Feed.Group: not null }
        && (staged.Outcome & OutcomeBits.KindMask) == OutcomeBits.Accepted;

    private static void Add(Dictionary<Queue, Dictionary<int, List<long>>> accepted, in Delivery delivery)
    {
        if (!accepted.TryGetValue(delivery.Queue, out Dictionary<int, List<long>>? partitions))
        {
            accepted[delivery.Queue] = partitions = [];
        }

        int partition = RecordId.Partition(delivery.MessageId);
        if (!partitions.TryGetValue(partition, out List<long>? offsets))
        {
            partitions[partition] = offsets = [];
        }

        offsets.Add(RecordId.Offset(delivery.MessageId));
    }

    // On the queue's shard.
    private void Commit(Queue queue, ProducerStamp producer, Dictionary<int, List<long>> records, bool isHeld)
    {
        if (queue.Feed?.Group is not { } group)
        {
            Arrive(Refused("it has ended"), null);
            return;
        }

        group.CommitWith(producer, records, isHeld, (problem, part) =>
            Arrive(problem is null ? null : Refused(problem), part));
    }

    private static BrokerException Refused(string why) => new(
        BrokerError.TransactionRollback, $"the group of the reader does not take its offsets: {why}");

    private void Arrive(BrokerException? failure, SpannedPart? part)
    {
        if (failure is not null)
        {
            _failures.Enqueue(failure);
        }

        if (part is { } written)
        {
            _parts.Enqueue(written);
        }

        if (Interlocked.Decrement(ref _left) == 0)
        {
            opened();
        }
    }
}
