using System.Buffers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Journal;

/// <summary>Writes what is made and deleted. Each call appends one record; callers hold their address space's
/// lock.</summary>
internal sealed class BindingJournal(SegmentedLog journal)
{
    private long _lastQueueId;
    private long _end;

    /// <summary>Where the last record ends: what was made or deleted is on disk when the journal is durable so far.
    /// </summary>
    public long End => Volatile.Read(ref _end);

    public long LastQueueId => Volatile.Read(ref _lastQueueId);

    public long NextQueueId() => Interlocked.Increment(ref _lastQueueId);

    /// <summary>An id that the disk knows: it is not given again.</summary>
    public void SeenQueueId(long id) => _lastQueueId = Math.Max(_lastQueueId, id);

    public void AddressCreated(string space, string address, bool anycast, bool multicast) =>
        Append(RecordKind.AddressCreated, to => WriteAddress(to, space, address, anycast, multicast));

    public void AddressDeleted(string space, string address) => Append(RecordKind.AddressDeleted, to =>
    {
        FieldWriter.Text(to, space);
        FieldWriter.Text(to, address);
    });

    /// <summary>A queue, and where it begins in its stream (null: it reads none), as one.</summary>
    public void QueueCreated(string space, long id, QueueConfig config, FeedPlaces? places) => Append(batch =>
    {
        batch.Begin(RecordKind.QueueCreated);
        WriteQueue(batch, space, id, config, paused: false, new QueueAdmission());
        batch.End();
        if (places is not null)
        {
            batch.Group = true;
            batch.Begin(RecordKind.QueueMoved);
            places.Write(batch, id);
            batch.End();
        }
    });

    public void QueueDeleted(long id) => Append(RecordKind.QueueDeleted, to => FieldWriter.Varint(to, (ulong)id));

    /// <summary>Returns the journal's end: paused for sure once that is durable.</summary>
    public long QueuePaused(long id, bool paused) => Append(RecordKind.QueuePaused, to =>
    {
        FieldWriter.Varint(to, (ulong)id);
        FieldWriter.Byte(to, paused ? (byte)1 : (byte)0);
    });

    /// <summary>How long the queue lives without users, and since when.</summary>
    public void QueueExpiry(long id, long timeoutMs, long sinceMs) => Append(RecordKind.QueueExpiry, to =>
    {
        FieldWriter.Varint(to, (ulong)id);
        FieldWriter.SignedVarint(to, timeoutMs);
        FieldWriter.SignedVarint(to, sinceMs);
    });

    public void QueueBound(long id, string pattern) => Append(RecordKind.QueueBound, to =>
    {
        FieldWriter.Varint(to, (ulong)id);
        FieldWriter.Text(to, pattern);
    });

    public void QueueUnbound(long id, string pattern) => Append(RecordKind.QueueUnbound, to =>
    {
        FieldWriter.Varint(to, (ulong)id);
        FieldWriter.Text(to, pattern);
    });

    public static void WriteAddress(
        IBufferWriter<byte> to, string space, string address, bool anycast, bool multicast)
    {
        FieldWriter.Text(to, space);
        FieldWriter.Text(to, address);
        FieldWriter.Byte(to, (byte)((anycast ? 1 : 0) | (multicast ? 2 : 0)));
    }

    public static void WriteQueue(
        IBufferWriter<byte> to, string space, long id, QueueConfig config, bool paused, QueueAdmission admission)
    {
        FieldWriter.Varint(to, (ulong)id);
        FieldWriter.Text(to, space);
        FieldWriter.Text(to, config.Name);
        FieldWriter.Text(to, config.Address);
        FieldWriter.Byte(to, (byte)config.RoutingType);
        FieldWriter.Byte(to, (byte)((config.AutoCreated ? 1 : 0) | (config.AutoDelete ? 2 : 0)
            | (config.DeleteOnNoConsumers ? 4 : 0) | (config.NonDestructive ? 8 : 0) | (paused ? 16 : 0)
            | (config.IsSubscription ? 32 : 0) | (config.IsPrivate ? 64 : 0)));
        FieldWriter.SignedVarint(to, config.ConsumersMax);
        FieldWriter.OptionalText(to, config.Filter);
        FieldWriter.OptionalText(to, config.Owner);
        FieldWriter.SignedVarint(to, admission.ExpiryTimeoutMs);
        FieldWriter.SignedVarint(to, admission.ExpirySinceMs);
        FieldWriter.OptionalText(to, config.NotFrom);
        FieldWriter.SignedVarint(to, config.TransientMax);
        FieldWriter.OptionalText(to, config.Stream);
        FieldWriter.SignedVarint(to, config.StreamsMax);
        FieldWriter.OptionalText(to, config.ReadsFor);
    }

    public static bool TryReadQueue(ref FieldReader from, out RecoveredQueue queue)
    {
        long id = (long)from.Varint();
        string space = from.Text();
        string name = from.Text();
        string address = from.Text();
        byte type = from.Byte();
        byte bits = from.Byte();
        queue = new RecoveredQueue(id, space, (bits & 16) != 0, new QueueConfig
        {
            Name = name,
            Address = address,
            RoutingType = type == 0 ? RoutingType.Anycast : RoutingType.Multicast,
            AutoCreated = (bits & 1) != 0,
            AutoDelete = (bits & 2) != 0,
            DeleteOnNoConsumers = (bits & 4) != 0,
            NonDestructive = (bits & 8) != 0,
            IsSubscription = (bits & 32) != 0,
            IsPrivate = (bits & 64) != 0,
            ConsumersMax = (int)from.SignedVarint(),
            Filter = from.OptionalText(),
            Owner = from.OptionalText(),
        });

        // Older records end here.
        if (!from.AtEnd)
        {
            queue = queue with { ExpiryTimeoutMs = from.SignedVarint(), ExpirySinceMs = from.SignedVarint() };
        }

        if (!from.AtEnd)
        {
            queue = queue with { Config = queue.Config with { NotFrom = from.OptionalText() } };
        }

        if (!from.AtEnd)
        {
            queue = queue with { Config = queue.Config with { TransientMax = (int)from.SignedVarint() } };
        }

        if (!from.AtEnd)
        {
            queue = queue with { Config = queue.Config with { Stream = from.OptionalText() } };
        }

        if (!from.AtEnd)
        {
            queue = queue with
            {
                Config = queue.Config with
                {
                    StreamsMax = (int)from.SignedVarint(),
                    ReadsFor = from.OptionalText(),
                },
            };
        }

        return !from.Failed;
    }

    // Spaces have a lock each: two may come here at once.
    private void RaiseEnd(long end)
    {
        long known;
        while ((known = End) < end && Interlocked.CompareExchange(ref _end, end, known) != known)
        {
        }
    }

    private long Append(byte kind, Action<IBufferWriter<byte>> write) => Append(batch =>
    {
        batch.Begin(kind);
        write(batch);
        batch.End();
    });

    private long Append(Action<LogBatch> write)
    {
        LogBatch batch = new(256) { Essential = true };
        write(batch);
        try
        {
            long end = journal.Append(batch) + batch.Bytes;
            RaiseEnd(end);
            return end;
        }
        catch (StorageFullException e)
        {
            throw new BrokerException(BrokerError.ResourceLimitExceeded, e.Message);
        }
        catch (StorageException e)
        {
            throw new BrokerException(BrokerError.Unavailable, e.Message);
        }
    }
}

/// <summary>A queue as the disk holds it.</summary>
internal sealed record RecoveredQueue(long Id, string Space, bool IsPaused, QueueConfig Config)
{
    public long ExpiryTimeoutMs { get; init; } = -1;

    public long ExpirySinceMs { get; init; }
}
