using System.Runtime.CompilerServices;
using Pillarbox.Model;

namespace Pillarbox.Broker.Queues;

/// <summary>What a queue holds: a list of entries per priority, when they expire, and the figures. The
/// shard's.</summary>
internal sealed class QueueContents(ChunkPool pool)
{
    private const int ExpirySlack = 1024;
    private readonly EntryList?[] _lists = new EntryList?[Queue.Priorities];

    public QueueCounters Counters { get; } = new();

    public AttemptNotes Attempts { get; } = new();

    /// <summary>Whether a message of a group was ever in it.</summary>
    public bool HasGroups { get; private set; }

    /// <summary>When which entry expires; also of entries that are gone since.</summary>
    public TimeHeap Expiry { get; } = new();

    /// <summary>The list of a priority, for snapshots and views; null when it never held anything.</summary>
    public EntryList? ListOf(int priority) => _lists[priority];

    /// <summary>The entry at a place, or a null reference.</summary>
    public ref QueueEntry Find(byte priority, long sequence)
    {
        EntryList? list = _lists[priority];
        if (list is null)
        {
            return ref Unsafe.NullRef<QueueEntry>();
        }

        return ref list.Find(sequence);
    }

    /// <summary>Whether a message is still at a place.</summary>
    public bool IsThere(byte priority, long sequence)
    {
        ref QueueEntry entry = ref Find(priority, sequence);
        return !Unsafe.IsNullRef(ref entry) && entry.State != EntryState.Removed;
    }

    /// <summary>The group of a message that is there.</summary>
    public MessageGroup GroupOf(byte priority, long sequence) => _lists[priority]?.GroupOf(sequence) ?? default;

    /// <summary>Notes the group of a message that is there.</summary>
    public void SetGroup(byte priority, long sequence, MessageGroup group)
    {
        _lists[priority]!.SetGroup(sequence, group);
        HasGroups = true;
    }

    /// <summary>Adds behind all others of its priority; returns the sequence.</summary>
    public long Add(in QueueEntry entry, byte priority, long expiresAtMs, MessageGroup group = default)
    {
        EntryList list = _lists[priority] ??= new EntryList(pool);
        long sequence = list.Add(entry);
        Counters.Messages++;
        Counters.Bytes += entry.RecordBytes;
        Counters.Of(entry.State)++;
        if (expiresAtMs > 0)
        {
            AddExpiry(new TimedEntry(expiresAtMs, sequence, priority));
        }

        if (!group.IsNone)
        {
            SetGroup(priority, sequence, group);
        }

        return sequence;
    }

    /// <summary>Takes an entry out.</summary>
    public void Remove(ref QueueEntry entry, byte priority, long sequence)
    {
        if (entry.Has(EntryFlags.HasAttempts))
        {
            Attempts.Remove(entry);
        }

        Counters.Of(entry.State)--;
        Counters.Messages--;
        Counters.Bytes -= entry.RecordBytes;
        _lists[priority]!.Remove(sequence);
    }

    public void SetState(ref QueueEntry entry, EntryState state)
    {
        Counters.Of(entry.State)--;
        Counters.Of(state)++;
        entry.State = state;
    }

    /// <summary>The first entries that pass, in the order of delivery, as a copy: they may be removed
    /// meanwhile.</summary>
    public List<(byte Priority, long Sequence)> Places(Predicate<QueueEntry> wanted, int max = int.MaxValue)
    {
        List<(byte, long)> places = [];
        for (int priority = Queue.Priorities - 1; priority >= 0; priority--)
        {
            EntryList? list = _lists[priority];
            for (long at = list?.SkipGone(0) ?? 0; list is not null && at < list.End
                && places.Count < max; at = list.SkipGone(at + 1))
            {
                if (list.Find(at).State != EntryState.Removed && wanted(list.Find(at)))
                {
                    places.Add(((byte)priority, at));
                }
            }
        }

        return places;
    }

    /// <summary>Puts an expiry back; before the shards run.</summary>
    public void RecoverExpiry(byte priority, long sequence, long dueMs)
    {
        Find(priority, sequence).Flags |= EntryFlags.HasExpiry;
        AddExpiry(new TimedEntry(dueMs, sequence, priority));
    }

    /// <summary>A message that turned out to be settled; before the shards run.</summary>
    public void ForgetRecovered(byte priority, long sequence)
    {
        Remove(ref Find(priority, sequence), priority, sequence);
    }

    /// <summary>Puts messages that came out of order in their places; before the shards run.</summary>
    public void MergeRecovered(List<(byte Priority, RecoveredEntry Found)> late)
    {
        Dictionary<(byte, long), long> expiries = [];
        Expiry.Keep(timed =>
        {
            if (IsThere(timed.Priority, timed.Sequence))
            {
                expiries[(timed.Priority, Find(timed.Priority, timed.Sequence).Id)] = timed.DueMs;
            }

            return false;
        });
        List<(byte Priority, RecoveredEntry Found)> all = late;
        foreach ((byte priority, long sequence) in Places(_ => true))
        {
            QueueEntry entry = Find(priority, sequence);
            all.Add((priority, new RecoveredEntry(
                entry, expiries.GetValueOrDefault((priority, entry.Id)), GroupOf(priority, sequence))));
        }

        Array.Clear(_lists);
        (Counters.Messages, Counters.Bytes, Counters.Ready) = (0, 0, 0);
        foreach ((byte priority, RecoveredEntry found) in all.OrderBy(item => item.Found.Entry.Id))
        {
            Add(found.Entry, priority, found.ExpiresAtMs, found.Group);
        }
    }

    private void AddExpiry(in TimedEntry item)
    {
        if (Expiry.Count > ExpirySlack && Expiry.Count > Counters.Messages * 2)
        {
            Expiry.Keep(timed => IsThere(timed.Priority, timed.Sequence));
        }

        Expiry.Add(item);
    }
}

/// <summary>A message as the disk has it.</summary>
internal readonly record struct RecoveredEntry(QueueEntry Entry, long ExpiresAtMs, MessageGroup Group);
