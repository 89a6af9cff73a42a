using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Transactions.Xa;

/// <summary>
/// Takes prepared branches and heuristic decisions back from snapshot and journal. Records may be met twice: the last
/// one counts. Runs before the shards do.
/// </summary>
internal sealed class XaRecovery(BrokerServices services)
{
    private readonly Dictionary<Xid, (PreparedRecord Record, byte[] Bytes)> _prepared = [];
    private readonly Dictionary<Xid, XaHeuristic> _heuristics = [];

    public bool TryPrepared(ref FieldReader from)
    {
        byte[] bytes = from.Rest.ToArray();
        if (XaRecords.ReadPrepared(ref from) is not { } record)
        {
            return false;
        }

        _prepared[record.Xid] = (record, bytes);
        return true;
    }

    public bool TryEnded(ref FieldReader from)
    {
        if (XaRecords.ReadEnded(ref from, out bool isHeuristic) is not { } end)
        {
            return false;
        }

        _prepared.Remove(end.Xid);
        if (isHeuristic)
        {
            _heuristics[end.Xid] = end;
        }

        return true;
    }

    public bool TryForgotten(ref FieldReader from)
    {
        if (XaRecords.ReadForgotten(ref from) is not { } xid)
        {
            return false;
        }

        _heuristics.Remove(xid);
        return true;
    }

    /// <summary>Bodies in files that prepared branches hold: they are no orphans.</summary>
    public IEnumerable<long> Blobs()
    {
        foreach ((PreparedRecord record, _) in _prepared.Values)
        {
            foreach (byte[] message in record.Messages)
            {
                if (MessageRecord.TryRead(message, out StoredMessage stored) && stored.IsLarge)
                {
                    yield return stored.BlobId;
                }
            }
        }
    }

    /// <summary>All queues are back: puts the branches into the table, and holds what they acknowledge.</summary>
    public void Finish(Func<long, Queue?> find)
    {
        foreach ((PreparedRecord record, byte[] bytes) in _prepared.Values)
        {
            var transaction = new Transaction(0);
            var branch = new XaBranch(record.Xid, transaction, record.Owner, record.StartedAtMs)
            {
                Record = bytes,
                HoldsRecords = record.Batches.Count > 0,
                Offsets = record.Offsets,
            };
            transaction.Branch = branch;
            record.Messages.ForEach(message => Add(transaction, message, find));
            record.Settlements.ForEach(settlement => Hold(transaction, settlement, find));
            services.Xa.Recover(branch);
        }

        foreach (XaHeuristic heuristic in _heuristics.Values)
        {
            services.Xa.Recover(heuristic);
        }
    }

    private static void Add(Transaction transaction, byte[] record, Func<long, Queue?> find)
    {
        if (!MessageRecord.TryRead(record, out StoredMessage message))
        {
            return;
        }

        var queues = new List<Queue>();
        FieldReader ids = new(message.QueueIds);
        for (int i = 0; i < message.QueueCount; i++)
        {
            if (find((long)ids.Varint()) is { } queue)
            {
                queues.Add(queue);
            }
        }

        if (queues.Count == 0)
        {
            return;
        }

        LogBatch batch = transaction.Journal;
        transaction.Publishes.Add() = new PendingPublish
        {
            Priority = message.Header.Priority,
            InJournal = true,
            ExpiresAtMs = message.Header.ExpiresAtMs,
            DeliverAtMs = message.Header.DeliverAtMs,
            Group = message.Header.Group,
            BlobId = message.BlobId,
            Single = queues.Count == 1 ? queues[0] : null,
            Many = queues.Count == 1 ? null : [.. queues],
            Offset = batch.Add(RecordKind.Message, record, queues.Count),
            RecordBytes = record.Length,
        };
        queues.ForEach(queue => queue.Approaches?.TryEnter());
    }

    private void Hold(Transaction transaction, in PreparedSettlement settlement, Func<long, Queue?> find)
    {
        Queue? queue = find(settlement.QueueId);
        if (RecordId.Is(settlement.MessageId))
        {
            HoldRecord(transaction, settlement, queue);
            return;
        }

        long sequence = queue?.Contents.ListOf(settlement.Priority)?.FindId(settlement.MessageId) ?? -1;
        if (queue is null || sequence < 0)
        {
            return;
        }

        ref QueueEntry entry = ref queue.Find(settlement.Priority, sequence);
        Consumer consumer = OldConsumer(queue);
        entry.Owner = consumer.Number;
        entry.Stamp = ++consumer.LastStamp;
        entry.Flags |= EntryFlags.Staged;
        queue.Contents.SetState(ref entry, EntryState.InFlight);
        transaction.Settlements.Add(new StagedSettlement(
            new Delivery
            {
                Consumer = consumer,
                Queue = queue,
                Sequence = sequence,
                Stamp = entry.Stamp,
                MessageId = entry.Id,
                Position = entry.Position,
                RecordBytes = entry.RecordBytes,
                Durable = true,
                Priority = settlement.Priority,
                DeliveryCount = settlement.DeliveryCount,
            },
            settlement.Outcome, settlement.Reason, ReadOnlyMemory<byte>.Empty));
    }

    // It is held where it will be loaded.
    private void HoldRecord(Transaction transaction, in PreparedSettlement settlement, Queue? queue)
    {
        if (queue?.Feed is not { } feed)
        {
            return;
        }

        Consumer consumer = OldConsumer(queue);
        var delivery = new Delivery
        {
            Consumer = consumer,
            Queue = queue,
            Sequence = StagedEnd.NoSequence,
            Stamp = ++consumer.LastStamp,
            MessageId = settlement.MessageId,
            Durable = true,
            Priority = settlement.Priority,
            DeliveryCount = settlement.DeliveryCount,
        };
        feed.Stage(settlement.MessageId, consumer.Number, delivery.Stamp);
        transaction.Settlements.Add(new StagedSettlement(
            delivery, settlement.Outcome, settlement.Reason, ReadOnlyMemory<byte>.Empty));
    }

    // Whoever had the message before the start.
    private Consumer OldConsumer(Queue queue) => new(null, new ConsumerOptions { Queue = queue.Config.Name }, queue)
    {
        Number = services.NextConsumerNumber(),
        IsClosed = true,
        IsGone = true,
    };
}
