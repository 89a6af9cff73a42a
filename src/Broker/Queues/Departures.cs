using System.Runtime.CompilerServices;
using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Queues;

/// <summary>Why the broker itself takes a message out of a queue.</summary>
internal enum DepartureReason
{
    Rejected,
    MaxDeliveryAttempts,
    Expired,
}

/// <summary>
/// Moves messages that may not stay to the dead-letter or expiry address. For durable messages the new message and the
/// settlement
/// of the old one are one group in the journal: a crash leaves one of them, never both or none. The shard's.
/// </summary>
internal sealed class Departures(Queue queue)
{
    private readonly List<Departure> _stuck = [];
    // Made for the first that needs it: most queues never do.
    private LogBatch Batch => field ??= new LogBatch(64);

    /// <summary>Some wait: for room on the disk, or for a place to go to.</summary>
    public bool HasStuck => _stuck.Count > 0;

    private BrokerServices Services => queue.Shard.Services;

    /// <summary>Begins; the entry is in the state Leaving until it is gone, or ready again when it must stay.</summary>
    public void Start(byte priority, long sequence, DepartureReason reason)
    {
        Departure departure = new(priority, sequence, reason);
        ref QueueEntry entry = ref queue.Find(priority, sequence);
        if (entry.IsRecord)
        {
            StartRecord(departure, entry.Id);
            return;
        }

        SegmentedLog log = Services.LogOf(entry.Has(EntryFlags.InJournal));
        if (log.TryRead(entry.Position, out LogLease lease))
        {
            using (lease)
            {
                Finish(departure, lease.Span);
            }

            return;
        }

        _ = ReadAsync(departure, log, entry.Position);
    }

    /// <summary>Tries those again that could not leave.</summary>
    public void Retry()
    {
        if (_stuck.Count == 0)
        {
            return;
        }

        Departure[] again = [.. _stuck];
        _stuck.Clear();
        foreach (Departure departure in again)
        {
            Start(departure.Priority, departure.Sequence, departure.Reason);
        }
    }

    private void StartRecord(Departure departure, long id)
    {
        if (queue.Feed!.TryRead(id, out RecordPlace place, out ReadOnlyMemory<byte> record))
        {
            StoredMessage message = new()
            {
                Header = StreamMessages.HeaderOf(place),
                Address = queue.AddressUtf8,
            };
            Finish(departure, message, record.Span);
            return;
        }

        _ = queue.Feed.LoadAsync(id, problem =>
        {
            if (problem is not null)
            {
                OnDamaged(departure, problem);
            }
            else if (IsLeaving(departure))
            {
                StartRecord(departure, id);
            }
        });
    }

    private async Task ReadAsync(Departure departure, SegmentedLog log, long position)
    {
        try
        {
            LogLease lease = await log.ReadAsync(position, CancellationToken.None).ConfigureAwait(false);
            queue.Shard.Post(new ShardAction(_ => OnRead(departure, lease)));
        }
        catch (StorageException e)
        {
            queue.Shard.Post(new ShardAction(_ => OnDamaged(departure, e.Message)));
        }
    }

    private void OnRead(Departure departure, LogLease lease)
    {
        using (lease)
        {
            if (IsLeaving(departure))
            {
                Finish(departure, lease.Span);
            }
        }
    }

    private void OnDamaged(Departure departure, string reason)
    {
        if (IsLeaving(departure))
        {
            queue.CancelDeparture(departure.Priority, departure.Sequence);
            queue.QuarantineReady(departure.Priority, departure.Sequence, reason);
        }
    }

    private bool IsLeaving(Departure departure)
    {
        ref QueueEntry entry = ref queue.Find(departure.Priority, departure.Sequence);
        return !queue.IsDeleted && !Unsafe.IsNullRef(ref entry) && entry.State == EntryState.Leaving;
    }

    private void Finish(Departure departure, ReadOnlySpan<byte> record)
    {
        if (MessageRecord.TryRead(record, out StoredMessage message))
        {
            Finish(departure, message, record[message.PayloadOffset..]);
        }
        else
        {
            OnDamaged(departure, "the message record cannot be read");
        }
    }

    private void Finish(Departure departure, in StoredMessage message, ReadOnlySpan<byte> payload)
    {
        string? target = departure.Reason == DepartureReason.Expired ? queue.Rules.ExpiryAddress
            : queue.Rules.DeadLetterAddress;
        if (departure.Reason != DepartureReason.Expired && target == queue.Config.Address)
        {
            queue.CancelDeparture(departure.Priority, departure.Sequence);
            return;
        }

        Queue[] targets = [];
        try
        {
            targets = target is null || target == queue.Config.Address ? [] : Targets.Approach(queue.Space, target);
            if (targets.Length == 0)
            {
                Drop(departure);
            }
            else
            {
                Move(departure, message, payload, targets);
            }

            Count(departure.Reason);
        }
        catch (Exception e) when (e is StorageException or BrokerException)
        {
            Targets.GiveUp(targets);
            _stuck.Add(departure);
            queue.UpdateTimed();
        }
    }

    private void Drop(Departure departure)
    {
        long id = queue.Find(departure.Priority, departure.Sequence).Id;
        if (departure.Reason == DepartureReason.Expired)
        {
            BrokerLog.Expired(Services.Logger, queue.Config.Name, id);
        }
        else
        {
            BrokerLog.Dropped(Services.Logger, queue.Config.Name, id, departure.Word);
        }

        queue.FinishDeparture(departure.Priority, departure.Sequence, journal: true);
    }

    private void Count(DepartureReason reason)
    {
        if (reason == DepartureReason.Expired)
        {
            queue.Counters.ExpiredTotal++;
        }
        else
        {
            queue.Counters.DeadLetteredTotal++;
        }
    }

    private void Move(Departure departure, in StoredMessage message, ReadOnlySpan<byte> payload, Queue[] targets)
    {
        ref QueueEntry entry = ref queue.Find(departure.Priority, departure.Sequence);
        bool wasJournaled = (entry.IsRecord || entry.Has(EntryFlags.InJournal)) && queue.IsDurable;
        bool inJournal = message.Header.Durable && Array.Exists(targets, target => target.IsDurable);
        MessageHeader header = message.Header with { ExpiresAtMs = 0, DeliverAtMs = 0, DeliveryCount = 0 };
        Batch.Clear();
        Batch.Begin(RecordKind.Message);
        MessageRecord.WriteHead(Batch, Head(departure, entry, message, header), DurableIds(targets, inJournal));
        Batch.Write(payload);
        int offset = Batch.End(targets.Length);
        int recordBytes = Batch.Bytes - offset - RecordFormat.HeaderBytes;
        bool together = wasJournaled && inJournal;
        if (together)
        {
            Batch.Group = true;
            WriteSettled(entry, departure.Priority);
        }

        Batch.Essential = true;
        SegmentedLog log = Services.LogOf(inJournal);
        queue.Shard.Mark.Set(Services.Journal.TailPosition);
        try
        {
            long position = log.Append(Batch) + offset;
            if (message.IsLarge)
            {
                Services.Large.Add(position, inJournal, message.BlobId, targets.Length);
            }

            PostTo(targets, position, recordBytes, inJournal, message, departure);
        }
        finally
        {
            queue.Shard.Mark.MoveTo();
        }

        queue.FinishDeparture(departure.Priority, departure.Sequence, journal: !together);
    }

    private MessageHead Head(Departure departure, in QueueEntry entry, in StoredMessage message,
        in MessageHeader header) => new()
        {
            Header = header,
            Address = message.Address.ToArray(),
            Publisher = message.Publisher,
            BlobId = message.BlobId,
            BlobBytes = message.BlobBytes,
            BodyStart = message.BodyStart.ToArray(),
            BodyReplaced = message.BodyReplaced,
            Origin = new Origin(
            Encoding.UTF8.GetString(message.Address), queue.Config.Name, entry.Id, departure.Word, queue.Shard.NowMs,
            queue.Attempts.Of(entry)),
        };

    private static long[] DurableIds(Queue[] targets, bool inJournal) =>
        inJournal ? [.. targets.Where(target => target.IsDurable).Select(target => target.Id)] : [];

    private void WriteSettled(in QueueEntry entry, byte priority)
    {
        SettledRecord.Write(Batch, queue.Id, entry.Id, priority);
    }

    private static void PostTo(
        Queue[] targets, long position, int recordBytes, bool inJournal, in StoredMessage message, Departure departure)
    {
        Targets.Post(targets, new ShardOp
        {
            Kind = OpKind.Enqueue,
            Approached = true,
            Id = position,
            Position = position,
            RecordBytes = recordBytes,
            Priority = departure.Priority,
            Group = message.Header.Group,
            EntryFlags = (inJournal ? EntryFlags.InJournal : 0) | (message.IsLarge ? EntryFlags.Large : 0),
        });
    }

    private readonly record struct Departure(byte Priority, long Sequence, DepartureReason Reason)
    {
        public string Word => Reason switch
        {
            DepartureReason.Rejected => "rejected",
            DepartureReason.Expired => "expired",
            _ => "max-delivery-attempts",
        };
    }
}
