using System.Buffers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Shards;
using Pillarbox.Model;

namespace Pillarbox.Broker.Journal;

/// <summary>Writes one queue's durable entries for a snapshot, a piece at a time, each piece inside the queue's
/// shard.</summary>
internal sealed class QueueExport(Queue queue, LargeBodies large)
{
    private const int EntriesPerPiece = 8192;
    private int _priority = Queue.Priorities - 1;
    private long _next;
    private bool _entriesDone;

    /// <summary>Entries written so far.</summary>
    public long Entries { get; private set; }

    /// <summary>Writes the next piece into the parts; false when there is none left.</summary>
    public bool WriteNext(Shard shard, SnapshotParts to)
    {
        shard.Settlements.Flush(shard);
        if (queue.IsDeleted || _entriesDone)
        {
            return false;
        }

        for (; _priority >= 0; _priority--, _next = 0)
        {
            EntryList? list = queue.Contents.ListOf(_priority);
            if (list is not null && WriteEntries(list, to))
            {
                return true;
            }
        }

        _entriesDone = true;
        WriteTimes(queue.Contents.Expiry.Items, SnapshotFormat.Expiries, state: null, to);
        WriteTimes(queue.Delays, SnapshotFormat.Delays, EntryState.Delayed, to);
        WriteAttempts(to);
        if (queue.Feed is { } feed)
        {
            FeedSnapshot.WriteProgress(to, queue, feed);
            FeedSnapshot.WriteAttempts(to, queue, feed);
        }

        return true;
    }

    private bool WriteEntries(EntryList list, SnapshotParts to)
    {
        ArrayBufferWriter<byte> entries = new();
        ArrayBufferWriter<byte> groups = new();
        long previous = 0;
        int count = 0;
        _next = list.SkipGone(_next);
        for (; _next < list.End && count < EntriesPerPiece; _next = list.SkipGone(_next + 1))
        {
            ref QueueEntry entry = ref list.Find(_next);
            if (entry.State != EntryState.Removed && entry.Has(EntryFlags.InJournal))
            {
                long blob = entry.Has(EntryFlags.Large) ? large.BlobOf(entry.Id, inJournal: true) : 0;
                SnapshotFormat.WriteEntry(entries, entry, previous, blob);
                previous = entry.Id;
                count++;
                WriteGroup(groups, entry.Id, list.GroupOf(_next));
            }
        }

        if (count == 0)
        {
            return false;
        }

        Entries += count;
        IBufferWriter<byte> part = to.Begin();
        FieldWriter.Varint(part, (ulong)queue.Id);
        FieldWriter.Byte(part, (byte)_priority);
        FieldWriter.Varint(part, (ulong)count);
        part.Write(entries.WrittenSpan);
        to.End(SnapshotFormat.Entries);
        if (groups.WrittenCount > 0)
        {
            part = to.Begin();
            FieldWriter.Varint(part, (ulong)queue.Id);
            FieldWriter.Byte(part, (byte)_priority);
            part.Write(groups.WrittenSpan);
            to.End(SnapshotFormat.Groups);
        }

        return true;
    }

    private static void WriteGroup(ArrayBufferWriter<byte> groups, long id, MessageGroup group)
    {
        if (!group.IsNone)
        {
            FieldWriter.Varint(groups, (ulong)id);
            FieldWriter.Varint(groups, group.Code);
        }
    }

    private void WriteTimes(ReadOnlySpan<TimedEntry> items, byte kind, EntryState? state, SnapshotParts to)
    {
        foreach (ReadOnlySpan<TimedEntry> piece in new PieceEnumerator(items, EntriesPerPiece))
        {
            IBufferWriter<byte> part = to.Begin();
            FieldWriter.Varint(part, (ulong)queue.Id);
            foreach (TimedEntry timed in piece)
            {
                if (queue.Contents.IsThere(timed.Priority, timed.Sequence)
                    && queue.Find(timed.Priority, timed.Sequence).Has(EntryFlags.InJournal)
                    && (state is null || queue.Find(timed.Priority, timed.Sequence).State == state))
                {
                    FieldWriter.Byte(part, timed.Priority);
                    FieldWriter.Varint(part, (ulong)queue.Find(timed.Priority, timed.Sequence).Id);
                    FieldWriter.Varint(part, (ulong)timed.DueMs);
                }
            }

            to.End(kind);
        }
    }

    private void WriteAttempts(SnapshotParts to)
    {
        if (queue.Attempts.IsEmpty)
        {
            return;
        }

        IBufferWriter<byte> part = to.Begin();
        FieldWriter.Varint(part, (ulong)queue.Id);
        foreach ((byte priority, long sequence) in queue.Contents.Places(entry => entry.Has(EntryFlags.HasAttempts)
            && entry.Has(EntryFlags.InJournal)))
        {
            ref QueueEntry entry = ref queue.Find(priority, sequence);
            SnapshotFormat.WriteAttempts(part, priority, entry.Id, queue.Attempts.Of(entry));
        }

        to.End(SnapshotFormat.Attempts);
    }

    private ref struct PieceEnumerator(ReadOnlySpan<TimedEntry> items, int size)
    {
        private ReadOnlySpan<TimedEntry> _rest = items;

        public ReadOnlySpan<TimedEntry> Current { get; private set; }

        public readonly PieceEnumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            int count = Math.Min(size, _rest.Length);
            Current = _rest[..count];
            _rest = _rest[count..];
            return count > 0;
        }
    }
}

/// <summary>Parts of a snapshot, collected and then written out. One owner at a time.</summary>
internal sealed class SnapshotParts
{
    private readonly ArrayBufferWriter<byte> _parts = new();
    private readonly ArrayBufferWriter<byte> _open = new();

    public ReadOnlySpan<byte> Written => _parts.WrittenSpan;

    /// <summary>Begins a part.</summary>
    public IBufferWriter<byte> Begin()
    {
        _open.ResetWrittenCount();
        return _open;
    }

    /// <summary>Ends it.</summary>
    public void End(byte kind)
    {
        FieldWriter.Byte(_parts, kind);
        FieldWriter.Varint(_parts, (ulong)_open.WrittenCount);
        _parts.Write(_open.WrittenSpan);
    }

    public void Clear() => _parts.ResetWrittenCount();
}
