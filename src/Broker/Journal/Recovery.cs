using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Journal;

/// <summary>
/// Rebuilds addresses, queues and their entries from the newest snapshot and the journal behind it. Every record may be
/// met twice
/// (in the snapshot and in the journal): ids make that harmless. Runs before the shards do.
/// </summary>
internal sealed class Recovery(BrokerServices services, BindingJournal bindings) : IRecordVisitor
{
    private readonly Dictionary<long, RecoveringQueue> _queues = [];

    public int Queues => _queues.Count;

    /// <summary>Transactions in streams that are to be committed.</summary>
    public DecidedStreams Decided { get; } = new();

    /// <summary>Prepared branches.</summary>
    public XaRecovery Xa { get; } = new(services);

    /// <summary>The queue of an id, or null when it was deleted.</summary>
    public RecoveringQueue? Find(long id) => _queues.GetValueOrDefault(id);

    public void Visit(in LogRecord record)
    {
        if (!TryApply(record))
        {
            services.CountDamage();
            BrokerLog.BadRecord(services.Logger, record.Position, record.Type);
        }
    }

    public void AddQueue(RecoveredQueue found)
    {
        bindings.SeenQueueId(found.Id);
        if (_queues.ContainsKey(found.Id))
        {
            return;
        }

        Queue queue = SpaceOf(found.Space).Recover(found.Id, found.Config);
        queue.IsPaused = found.IsPaused;
        queue.Admission.ExpiryTimeoutMs = found.ExpiryTimeoutMs;
        queue.Admission.ExpirySinceMs = found.ExpirySinceMs;
        _queues[found.Id] = new RecoveringQueue(queue);
    }

    public void AddAddress(ref FieldReader from)
    {
        string spaceName = from.Text();
        string address = from.Text();
        byte types = from.Byte();
        if (!from.Failed)
        {
            SpaceOf(spaceName).RecoverAddress(address, (types & 1) != 0, (types & 2) != 0);
        }
    }

    /// <summary>What the disk holds of a space that is no longer configured stays there, apart.</summary>
    private AddressSpace SpaceOf(string name)
    {
        if (services.Spaces.Find(name) is { } space)
        {
            return space;
        }

        BrokerLog.SpaceNotConfigured(services.Logger, name);
        return services.Spaces.Add(new AddressSpace(name, services, bindings));
    }

    /// <summary>Puts what came late in its place and counts the references of all that is left.</summary>
    public long Finish()
    {
        long messages = 0;
        foreach (RecoveringQueue queue in _queues.Values)
        {
            messages += queue.Finish(services);
        }

        Xa.Finish(id => Find(id)?.Queue);

        return messages;
    }

    /// <summary>Merges annotations that were committed and not merged. The journal takes appends by now.</summary>
    public void MergeNotes()
    {
        foreach (RecoveringQueue queue in _queues.Values)
        {
            queue.Notes.Merge(queue.Queue);
        }
    }

    private bool TryApply(in LogRecord record)
    {
        FieldReader reader = new(record.Payload);
        switch (record.Type)
        {
            case RecordKind.AddressCreated:
                AddAddress(ref reader);
                return !reader.Failed;
            case RecordKind.AddressDeleted:
                services.Spaces.Find(reader.Text())?.DeleteAddressIfEmpty(reader.Text());
                return !reader.Failed;
            case RecordKind.QueueCreated:
                return TryAddQueue(ref reader);
            case RecordKind.QueueDeleted:
                DeleteQueue((long)reader.Varint());
                return !reader.Failed;
            case RecordKind.QueuePaused:
                return TryPause(ref reader);
            case RecordKind.QueueExpiry:
                return TryLimit(ref reader);
            case RecordKind.QueueBound:
                return TryBind(ref reader, isBound: true);
            case RecordKind.QueueUnbound:
                return TryBind(ref reader, isBound: false);
            case RecordKind.Message:
                return TryAddMessage(record, record.Position);
            case RecordKind.Settled:
                return TrySettle(ref reader);
            case RecordKind.RecordSettled:
                return TrySettleRecords(ref reader);
            case RecordKind.StreamsDecided:
                return Decided.TryAdd(ref reader, record.Position);
            case RecordKind.QueueMoved:
                return TryMove(ref reader);
            case RecordKind.AttemptFailed:
                return TryNote(record.Payload);
            case RecordKind.Relocated:
                return TryRelocate(record);
            case RecordKind.XaPrepared:
                return Xa.TryPrepared(ref reader);
            case RecordKind.XaEnded:
                return Xa.TryEnded(ref reader);
            case RecordKind.XaForgotten:
                return Xa.TryForgotten(ref reader);
            case RecordKind.Annotated:
                return TryAnnotate(record.Payload);
            default:
                return false;
        }
    }

    private bool TryAddQueue(ref FieldReader reader)
    {
        if (!BindingJournal.TryReadQueue(ref reader, out RecoveredQueue queue))
        {
            return false;
        }

        AddQueue(queue);
        return true;
    }

    private void DeleteQueue(long id)
    {
        bindings.SeenQueueId(id);
        if (_queues.Remove(id, out RecoveringQueue? queue))
        {
            queue.Queue.Space.Forget(queue.Queue);
        }
    }

    private bool TryPause(ref FieldReader reader)
    {
        RecoveringQueue? queue = Find((long)reader.Varint());
        bool paused = reader.Byte() != 0;
        if (queue is not null)
        {
            queue.Queue.IsPaused = paused;
        }

        return !reader.Failed;
    }

    private bool TryLimit(ref FieldReader reader)
    {
        RecoveringQueue? queue = Find((long)reader.Varint());
        long timeoutMs = reader.SignedVarint();
        long sinceMs = reader.SignedVarint();
        if (queue is not null && !reader.Failed)
        {
            queue.Queue.Admission.ExpiryTimeoutMs = timeoutMs;
            queue.Queue.Admission.ExpirySinceMs = sinceMs;
        }

        return !reader.Failed;
    }

    private bool TryBind(ref FieldReader reader, bool isBound)
    {
        RecoveringQueue? queue = Find((long)reader.Varint());
        string pattern = reader.Text();
        if (queue is not null && !reader.Failed)
        {
            queue.Queue.Space.SetBinding(queue.Queue, pattern, isBound, journal: false);
        }

        return !reader.Failed;
    }

    private bool TryAddMessage(in LogRecord record, long id)
    {
        if (!MessageRecord.TryRead(record.Payload, out StoredMessage message))
        {
            return false;
        }

        services.Producers.Recover(message.Producer, message.ProducerNumber);
        FieldReader ids = new(message.QueueIds);
        for (int i = 0; i < message.QueueCount; i++)
        {
            RecoveringQueue? queue = Find((long)ids.Varint());
            if (message.IsLarge && queue is not null)
            {
                services.Large.Note(id, message.BlobId);
            }

            queue?.Add(
                new QueueEntry
                {
                    Id = id,
                    Position = record.Position,
                    RecordBytes = record.Payload.Length,
                    State = EntryState.Ready,
                    Flags = EntryFlags.InJournal | (message.IsLarge ? EntryFlags.Large : 0)
                        | (message.Header.ExpiresAtMs > 0 ? EntryFlags.HasExpiry : 0),
                },
                message.Header.Priority,
                message.Header.ExpiresAtMs,
                message.Header.Group);
            if (message.Header.DeliverAtMs > 0)
            {
                queue?.Delays(id, message.Header.Priority, message.Header.DeliverAtMs);
            }
        }

        return true;
    }

    private bool TrySettle(ref FieldReader reader)
    {
        while (!reader.AtEnd && !reader.Failed)
        {
            RecoveringQueue? queue = Find((long)reader.Varint());
            long id = (long)reader.Varint();
            byte priority = Math.Min(reader.Byte(), (byte)9);
            if (!reader.Failed)
            {
                queue?.Settle(id, priority);
            }
        }

        return !reader.Failed;
    }

    private bool TrySettleRecords(ref FieldReader reader)
    {
        while (!reader.AtEnd && !reader.Failed)
        {
            RecoveringQueue? queue = Find((long)reader.Varint());
            int partition = (int)reader.Varint();
            long offset = (long)reader.Varint();
            if (!reader.Failed)
            {
                queue?.Queue.Feed?.Recover(partition).Progress.Settle(offset);
            }
        }

        return !reader.Failed;
    }

    private bool TryMove(ref FieldReader reader)
    {
        FeedPlaces? places = FeedPlaces.Read(ref reader, out long queue);
        Find(queue)?.Queue.Feed?.Place(places);
        return places is not null;
    }

    private bool TryNote(ReadOnlySpan<byte> payload)
    {
        if (!AttemptRecord.TryRead(payload, out AttemptFields fields))
        {
            return false;
        }

        if (RecordId.Is(fields.MessageId))
        {
            Find(fields.QueueId)?.Queue.Feed?.Note(fields);
        }
        else
        {
            Find(fields.QueueId)?.Note(fields);
        }

        return true;
    }

    private bool TryAnnotate(ReadOnlySpan<byte> payload)
    {
        if (!AnnotationRecord.TryRead(payload, out AnnotationFields fields))
        {
            return false;
        }

        Find(fields.QueueId)?.Notes.Add(fields);
        return true;
    }

    /// <summary>A message that compaction moved: its id, then the message record as it was.</summary>
    private bool TryRelocate(in LogRecord record)
    {
        if (!MessageRecord.TryRead(record.Payload, out StoredMessage message) || message.MovedId == 0)
        {
            return false;
        }

        FieldReader ids = new(message.QueueIds);
        for (int i = 0; i < message.QueueCount; i++)
        {
            RecoveringQueue? queue = Find((long)ids.Varint());
            queue?.Relocate(message.MovedId, message.Header.Priority, record.Position, record.Payload.Length);
            if (message.IsMerged)
            {
                queue?.Notes.Forget(message.MovedId, message.Header.Priority);
            }
        }

        return true;
    }
}

/// <summary>A queue while its entries come back. Entries are in order of id; what comes out of order waits
/// aside.</summary>
internal sealed class RecoveringQueue(Queue queue)
{
    private readonly SortedDictionary<(byte Priority, long Id), RecoveredEntry> _late = [];
    private readonly Dictionary<(byte Priority, long Id), long> _dues = [];
    private readonly long[] _lastIds = new long[Queue.Priorities];

    public Queue Queue { get; } = queue;

    public RecoveredNotes Notes { get; } = new();

    public void Add(in QueueEntry entry, byte priority, long expiresAtMs, MessageGroup group)
    {
        if (entry.Id > _lastIds[priority])
        {
            _lastIds[priority] = entry.Id;
            Queue.Recover(entry, priority, expiresAtMs, group);
        }
        else if (!TryFind(entry.Id, priority, out _))
        {
            _late[(priority, entry.Id)] = new RecoveredEntry(entry, expiresAtMs, group);
        }
    }

    public void Settle(long id, byte priority)
    {
        Notes.Forget(id, priority);
        if (TryFind(id, priority, out long sequence))
        {
            Queue.Contents.ForgetRecovered(priority, sequence);
        }
        else
        {
            _late.Remove((priority, id));
        }
    }

    /// <summary>When a message of the snapshot expires.</summary>
    public void Expires(long id, byte priority, long dueMs)
    {
        if (TryFind(id, priority, out long sequence))
        {
            Queue.Contents.RecoverExpiry(priority, sequence, dueMs);
        }
        else if (_late.TryGetValue((priority, id), out RecoveredEntry late))
        {
            _late[(priority, id)] = late with { ExpiresAtMs = dueMs };
        }
    }

    public void Relocate(long id, byte priority, long position, int recordBytes)
    {
        if (TryFind(id, priority, out long sequence))
        {
            ref QueueEntry entry = ref Queue.Find(priority, sequence);
            entry.Position = position;
            entry.RecordBytes = recordBytes;
        }
        else if (_late.TryGetValue((priority, id), out RecoveredEntry late))
        {
            _late[(priority, id)] = late with
            {
                Entry = late.Entry with { Position = position, RecordBytes = recordBytes },
            };
        }
    }

    public void Note(in AttemptFields fields)
    {
        if (TryFind(fields.MessageId, fields.Priority, out long sequence))
        {
            ref QueueEntry entry = ref Queue.Find(fields.Priority, sequence);
            Apply(ref entry, fields);
        }
        else if (_late.TryGetValue((fields.Priority, fields.MessageId), out RecoveredEntry late))
        {
            QueueEntry entry = late.Entry;
            Apply(ref entry, fields);
            _late[(fields.Priority, fields.MessageId)] = late with { Entry = entry };
        }
    }

    /// <summary>The group of a message of the snapshot.</summary>
    public void Belongs(long id, byte priority, MessageGroup group)
    {
        if (TryFind(id, priority, out long sequence))
        {
            Queue.Contents.SetGroup(priority, sequence, group);
        }
        else if (_late.TryGetValue((priority, id), out RecoveredEntry late))
        {
            _late[(priority, id)] = late with { Group = group };
        }
    }

    /// <summary>When a message of the snapshot may be delivered again; what the journal says later counts
    /// more.</summary>
    public void Delays(long id, byte priority, long dueMs) => _dues[(priority, id)] = dueMs;

    /// <summary>Returns the messages that the queue holds.</summary>
    public long Finish(BrokerServices services)
    {
        if (_late.Count > 0)
        {
            Queue.Contents.MergeRecovered([.. _late.Select(pair => (pair.Key.Priority, pair.Value))]);
        }

        DelayAgain();
        QueueAdmission admission = Queue.Admission;
        if (admission.ExpiryTimeoutMs >= 0 && admission.ExpirySinceMs == 0)
        {
            // Who used it has gone with the node.
            admission.ExpirySinceMs = services.NowMs;
        }

        Queue.UpdateTimed();
        for (int priority = 0; priority < Queue.Priorities; priority++)
        {
            EntryList? list = Queue.Contents.ListOf(priority);
            for (long at = list?.SkipGone(0) ?? 0; list is not null && at < list.End; at = list.SkipGone(at + 1))
            {
                ref QueueEntry entry = ref list.Find(at);
                if (entry.State != EntryState.Removed)
                {
                    services.Journal.AddReferences(entry.Position, 1, entry.RecordBytes);
                    services.Large.Count(entry);
                }
            }
        }

        return Queue.Counters.Messages;
    }

    private void DelayAgain()
    {
        foreach (((byte priority, long id), long dueMs) in _dues)
        {
            if (TryFind(id, priority, out long sequence))
            {
                Queue.Delay(ref Queue.Find(priority, sequence), priority, sequence, dueMs);
            }
        }
    }

    private void Apply(ref QueueEntry entry, in AttemptFields fields)
    {
        entry.DeliveryCount = Math.Max(entry.DeliveryCount, fields.Count);
        entry.Flags |= EntryFlags.HasAttempts;
        int max = Queue.Rules.MaxDeliveryAttempts;
        if (fields.Doom != Doom.None)
        {
            entry.Flags |= EntryFlags.Doomed | (fields.Doom == Doom.Exhausted ? EntryFlags.Exhausted : 0);
        }
        else if (max >= 0 && entry.DeliveryCount >= max && !entry.Has(EntryFlags.Doomed))
        {
            entry.Flags |= EntryFlags.Doomed | EntryFlags.Exhausted;
        }

        if (fields.DueMs > 0)
        {
            _dues[(fields.Priority, fields.MessageId)] = fields.DueMs;
        }

        Queue.Attempts.Add(entry, fields.Attempt);
    }

    private bool TryFind(long id, byte priority, out long sequence)
    {
        sequence = Queue.Contents.ListOf(priority)?.FindId(id) ?? -1;
        return sequence >= 0;
    }
}
