using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Journal;

/// <summary>Reads a snapshot into the recovery. Its bytes have been verified; what cannot be understood all the same is
/// an error.</summary>
internal sealed class SnapshotImport(SnapshotReader reader, Recovery recovery, BindingJournal bindings,
    BrokerServices services)
{
    private byte[] _buffer = new byte[64 << 10];
    private int _at;
    private int _count;

    /// <summary>Reads all parts. Throws <see cref="StorageException"/> when one makes no sense.</summary>
    public void Run()
    {
        while (true)
        {
            Fill(1 + FieldWriter.VarintBytesMax);
            FieldReader head = new(_buffer.AsSpan(_at, _count - _at));
            byte kind = head.Byte();
            ulong length = head.Varint();
            if (head.Failed || length > SnapshotFormat.PartBytesMax)
            {
                throw Broken("a part has no end");
            }

            _at = _count - head.Rest.Length;
            if (kind == SnapshotFormat.End)
            {
                return;
            }

            Fill((int)length);
            if (_count - _at < (int)length || !TryTake(kind, _buffer.AsSpan(_at, (int)length)))
            {
                throw Broken($"a part of kind {kind} cannot be read");
            }

            _at += (int)length;
        }
    }

    private static StorageException Broken(string what) =>
        new("the index snapshot was written by another version or is broken "
            + $"({what}); start the version that wrote it");

    private bool TryTake(byte kind, ReadOnlySpan<byte> part)
    {
        FieldReader from = new(part);
        switch (kind)
        {
            case SnapshotFormat.Head:
                bool known = SnapshotFormat.TryReadHead(ref from, out long lastQueueId);
                bindings.SeenQueueId(lastQueueId);
                return known;
            case SnapshotFormat.Address:
                recovery.AddAddress(ref from);
                return !from.Failed;
            case SnapshotFormat.QueuePart:
                bool read = BindingJournal.TryReadQueue(ref from, out RecoveredQueue queue);
                recovery.AddQueue(queue);
                return read;
            case SnapshotFormat.Bindings:
                return TryTakeBindings(ref from);
            case SnapshotFormat.Entries:
                return TryTakeEntries(ref from);
            case SnapshotFormat.Groups:
                return TryTakeGroups(ref from);
            case SnapshotFormat.Producers:
                return services.Producers.TryRead(ref from);
            case SnapshotFormat.Expiries:
                return TryTakeTimes(ref from, static (queue, id, priority, dueMs) =>
                    queue.Expires(id, priority, dueMs));
            case SnapshotFormat.Delays:
                return TryTakeTimes(ref from, static (queue, id, priority, dueMs) =>
                    queue.Delays(id, priority, dueMs));
            case SnapshotFormat.Progress:
                return FeedSnapshot.TryReadProgress(ref from, id => recovery.Find(id)?.Queue.Feed);
            case SnapshotFormat.RecordAttempts:
                return FeedSnapshot.TryReadAttempts(ref from, id => recovery.Find(id)?.Queue.Feed);
            case SnapshotFormat.XaPrepared:
                return recovery.Xa.TryPrepared(ref from);
            case SnapshotFormat.XaHeuristic:
                return recovery.Xa.TryEnded(ref from);
            case SnapshotFormat.Attempts:
                return TryTakeAttempts(ref from);
            default:
                return false;
        }
    }

    private bool TryTakeBindings(ref FieldReader from)
    {
        RecoveringQueue? queue = recovery.Find((long)from.Varint());
        while (!from.AtEnd && !from.Failed)
        {
            string pattern = from.Text();
            if (queue is not null && !from.Failed)
            {
                queue.Queue.Space.SetBinding(queue.Queue, pattern, isBound: true, journal: false);
            }
        }

        return !from.Failed;
    }

    private bool TryTakeEntries(ref FieldReader from)
    {
        RecoveringQueue? queue = recovery.Find((long)from.Varint());
        byte priority = Math.Min(from.Byte(), (byte)(Queue.Priorities - 1));
        ulong count = from.Varint();
        long previous = 0;
        for (ulong i = 0; i < count && !from.Failed; i++)
        {
            QueueEntry entry = SnapshotFormat.ReadEntry(ref from, previous, out long blobId);
            previous = entry.Id;
            if (blobId != 0)
            {
                services.Large.Note(entry.Id, blobId);
            }

            queue?.Add(entry, priority, expiresAtMs: 0, group: default);
        }

        return !from.Failed;
    }

    private bool TryTakeGroups(ref FieldReader from)
    {
        RecoveringQueue? queue = recovery.Find((long)from.Varint());
        byte priority = Math.Min(from.Byte(), (byte)(Queue.Priorities - 1));
        while (!from.AtEnd && !from.Failed)
        {
            long id = (long)from.Varint();
            var group = new MessageGroup((uint)from.Varint());
            if (!from.Failed && !group.IsNone)
            {
                queue?.Belongs(id, priority, group);
            }
        }

        return !from.Failed;
    }

    private bool TryTakeTimes(ref FieldReader from, Action<RecoveringQueue, long, byte, long> take)
    {
        RecoveringQueue? queue = recovery.Find((long)from.Varint());
        while (!from.AtEnd && !from.Failed)
        {
            byte priority = Math.Min(from.Byte(), (byte)(Queue.Priorities - 1));
            long id = (long)from.Varint();
            long dueMs = (long)from.Varint();
            if (queue is not null)
            {
                take(queue, id, priority, dueMs);
            }
        }

        return !from.Failed;
    }

    private bool TryTakeAttempts(ref FieldReader from)
    {
        RecoveringQueue? queue = recovery.Find((long)from.Varint());
        while (!from.AtEnd && !from.Failed)
        {
            byte priority = Math.Min(from.Byte(), (byte)(Queue.Priorities - 1));
            long id = (long)from.Varint();
            ulong count = from.Varint();
            for (ulong i = 0; i < count && !from.Failed; i++)
            {
                FailedAttempt attempt = OriginField.ReadAttempt(ref from);
                queue?.Note(new AttemptFields { MessageId = id, Priority = priority, Attempt = attempt });
            }
        }

        return !from.Failed;
    }

    /// <summary>Makes so many bytes contiguous, when the file has them.</summary>
    private void Fill(int bytes)
    {
        if (_count - _at >= bytes)
        {
            return;
        }

        _buffer.AsSpan(_at, _count - _at).CopyTo(_buffer);
        _count -= _at;
        _at = 0;
        if (_buffer.Length < bytes)
        {
            Array.Resize(ref _buffer, bytes);
        }

        int read;
        while (_count < bytes && (read = reader.Read(_buffer.AsSpan(_count))) > 0)
        {
            _count += read;
        }
    }
}
