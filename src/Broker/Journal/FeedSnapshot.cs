using System.Buffers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;

namespace Pillarbox.Broker.Journal;

/// <summary>What a snapshot holds of a queue that reads a stream: how far it is, and the failed attempts of records
/// that are not settled.</summary>
internal static class FeedSnapshot
{
    private const int IdBytes = 16;

    /// <summary><c>varint queue, bytes stream, then per partition: varint number, varint mark, varint count, (varint
    /// gap, varint length)…</c></summary>
    public static void WriteProgress(SnapshotParts to, Queue queue, StreamFeed feed)
    {
        IBufferWriter<byte> part = to.Begin();
        FieldWriter.Varint(part, (ulong)queue.Id);
        FieldWriter.Bytes(part, feed.StreamId.ToByteArray());
        foreach (FeedCursor cursor in feed.Cursors)
        {
            FieldWriter.Varint(part, (ulong)cursor.Number);
            FieldWriter.Varint(part, (ulong)cursor.Progress.Mark);
            FieldWriter.Varint(part, (ulong)cursor.Progress.Ranges.Count);
            long end = cursor.Progress.Mark;
            foreach (PartitionProgress.Range range in cursor.Progress.Ranges)
            {
                FieldWriter.Varint(part, (ulong)(range.From - end));
                FieldWriter.Varint(part, (ulong)range.Length);
                end = range.To;
            }
        }

        to.End(SnapshotFormat.Progress);
    }

    public static bool TryReadProgress(ref FieldReader from, Func<long, StreamFeed?> find)
    {
        StreamFeed? feed = find((long)from.Varint());
        ReadOnlySpan<byte> id = from.Bytes();
        if (id.Length != IdBytes)
        {
            return false;
        }

        while (!from.AtEnd && !from.Failed)
        {
            int number = (int)from.Varint();
            long mark = (long)from.Varint();
            PartitionProgress? progress = feed?.Place(new Guid(id), number, mark).Progress;
            long end = mark;
            for (ulong left = from.Varint(); left > 0 && !from.Failed; left--)
            {
                long begin = end + (long)from.Varint();
                end = begin + (long)from.Varint();
                progress?.Settle(begin, end);
            }
        }

        return !from.Failed;
    }

    /// <summary><c>varint queue, then bytes each: an <see cref="AttemptRecord"/></c>.</summary>
    public static void WriteAttempts(SnapshotParts to, Queue queue, StreamFeed feed)
    {
        IBufferWriter<byte> part = to.Begin();
        FieldWriter.Varint(part, (ulong)queue.Id);
        ArrayBufferWriter<byte> record = new();
        foreach (AttemptFields fields in feed.WaitingAttempts.Concat(Loaded(queue)))
        {
            record.ResetWrittenCount();
            AttemptRecord.Write(record, fields);
            FieldWriter.Bytes(part, record.WrittenSpan);
        }

        to.End(SnapshotFormat.RecordAttempts);
    }

    public static bool TryReadAttempts(ref FieldReader from, Func<long, StreamFeed?> find)
    {
        StreamFeed? feed = find((long)from.Varint());
        while (!from.AtEnd && !from.Failed)
        {
            if (!AttemptRecord.TryRead(from.Bytes(), out AttemptFields fields))
            {
                return false;
            }

            feed?.Note(fields);
        }

        return !from.Failed;
    }

    private static List<AttemptFields> Loaded(Queue queue)
    {
        Dictionary<long, long> dues = [];
        foreach (TimedEntry timed in queue.Delays)
        {
            dues[timed.Sequence] = timed.DueMs;
        }

        List<AttemptFields> attempts = [];
        foreach ((byte priority, long sequence) in queue.Contents.Places(
            entry => entry.IsRecord && entry.Has(EntryFlags.HasAttempts)))
        {
            ref QueueEntry entry = ref queue.Find(priority, sequence);
            IReadOnlyList<Consumers.FailedAttempt> known = queue.Attempts.Of(entry);
            attempts.Add(new AttemptFields
            {
                QueueId = queue.Id,
                MessageId = entry.Id,
                Priority = priority,
                Count = entry.DeliveryCount,
                Doom = DoomOf(entry),
                Attempt = known.Count > 0 ? known[^1] : new Consumers.FailedAttempt(0, "", null),
                DueMs = entry.State == EntryState.Delayed ? dues.GetValueOrDefault(sequence) : 0,
            });
        }

        return attempts;
    }

    private static Doom DoomOf(in QueueEntry entry) =>
        !entry.Has(EntryFlags.Doomed) ? Doom.None : entry.Has(EntryFlags.Exhausted) ? Doom.Exhausted : Doom.Rejected;
}
