using System.Collections.Concurrent;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Writing;

namespace Pillarbox.Broker.Transactions;

/// <summary>
/// The offsets of consumer groups that a transaction commits, because it accepts records that its client reads for
/// those groups. Each is written as a part of the transaction in the groups' own stream, where it counts with the
/// transaction's marker. Open when all of them are on disk, or refused. Asked by the connection; answered by any
/// thread.
/// </summary>
internal sealed class OffsetGate(Action opened)
{
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

    /// <summary>Writes what a transaction's settlements lead to.</summary>
    public static OffsetGate Begin(Transaction transaction, BrokerClient client, BrokerServices services)
    {
        Dictionary<Queue, Dictionary<int, List<long>>> accepted = [];
        foreach (StagedSettlement staged in transaction.Settlements.Where(IsOfGroup))
        {
            Add(accepted, staged.Delivery);
        }

        transaction.Streams ??= new StreamPublications(services.Converter, services.StreamCommits.Rent());
        var producer = new ProducerStamp(transaction.Streams.ProducerId, StreamCommits.Epoch);
        var gate = new OffsetGate(client.Poke);
        foreach ((Queue queue, Dictionary<int, List<long>> records) in accepted)
        {
            Interlocked.Increment(ref gate._left);
            queue.Shard.Post(new ShardAction(_ => gate.Commit(queue, producer, records)));
        }

        gate.Arrive(null, null);
        return gate;
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
    private void Commit(Queue queue, ProducerStamp producer, Dictionary<int, List<long>> records)
    {
        if (queue.Feed?.Group is not { } group)
        {
            Arrive(Refused("it has ended"), null);
            return;
        }

        group.CommitWith(producer, records, (error, part) =>
            Arrive(error == CoordinatorError.None ? null : Refused($"{error}"), part));
    }

    private static BrokerException Refused(string why) => new(
        BrokerError.TransactionRollback, $"the group of the reader does not take its offsets any more ({why})");

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
