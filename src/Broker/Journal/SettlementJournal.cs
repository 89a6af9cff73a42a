using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Shards;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Journal;

/// <summary>
/// One shard's settlements of one drain: written as few records, appended at its end. References to the settled
/// messages are let go when that is durable, so no segment is deleted of which a crash could bring a message back.
/// </summary>
internal sealed class SettlementJournal(BrokerServices services)
{
    private const int RecordBytesMax = 64 << 10;
    private readonly LogBatch _batch = new();
    private readonly Ring<PendingRelease> _releases = new();
    private readonly List<(BrokerClient Client, ulong Tag)> _confirms = [];
    private long _appendedEnd;
    private int _unappended;
    private bool _confirmsAll;
    private int _openBytes = -1;
    private byte _openKind;

    /// <summary>Where what was noted ends in the journal; null: the log has not taken all of it.</summary>
    public long? End => _batch.Count == 0 && _openBytes < 0 ? _appendedEnd : null;

    /// <summary>Notes that a message left a durable queue.</summary>
    public void Settled(long queueId, in QueueEntry entry, byte priority)
    {
        Span<byte> to = Open(RecordKind.Settled);
        int at = FieldWriter.Varint(to, (ulong)queueId);
        at += FieldWriter.Varint(to[at..], (ulong)entry.Id);
        to[at++] = priority;
        Advance(at);
    }

    /// <summary>Notes that a record of a stream left a durable queue.</summary>
    public void RecordSettled(long queueId, int partition, long offset)
    {
        Span<byte> to = Open(RecordKind.RecordSettled);
        int at = FieldWriter.Varint(to, (ulong)queueId);
        at += FieldWriter.Varint(to[at..], (ulong)partition);
        at += FieldWriter.Varint(to[at..], (ulong)offset);
        Advance(at);
    }

    /// <summary>Notes that a queue goes on from other places of its stream.</summary>
    public void Moved(long queueId, FeedPlaces places)
    {
        CloseRecord();
        _batch.Begin(RecordKind.QueueMoved);
        places.Write(_batch, queueId);
        _batch.End();
    }

    /// <summary>Notes a failed attempt, with the count that it made and when the message is due again (0: at
    /// once).</summary>
    public void Attempt(long queueId, in QueueEntry entry, byte priority, FailedAttempt attempt, long dueMs)
    {
        CloseRecord();
        _batch.Begin(RecordKind.AttemptFailed);
        AttemptRecord.Write(_batch, new AttemptFields
        {
            QueueId = queueId,
            MessageId = entry.Id,
            Priority = priority,
            Count = entry.DeliveryCount,
            Doom = DoomOf(entry),
            Attempt = attempt,
            DueMs = dueMs,
        });
        _batch.End();
    }

    /// <summary>Lets go of an entry's record once everything noted so far is durable.</summary>
    public void Release(in QueueEntry entry)
    {
        bool inJournal = entry.Has(EntryFlags.InJournal);
        long blob = entry.Has(EntryFlags.Large) ? services.Large.BlobOf(entry.Id, inJournal) : 0;
        if (!inJournal)
        {
            Release(services.Transient, entry.Position, entry.RecordBytes, blob);
            return;
        }

        _releases.Add() = new PendingRelease { Position = entry.Position, Bytes = entry.RecordBytes, Blob = blob };
        _unappended++;
    }

    /// <summary>The message has another record now: lets go of the old one in the same way, but not of its body's
    /// file.</summary>
    public void ReleaseRecord(in QueueEntry entry)
    {
        if (!entry.Has(EntryFlags.InJournal))
        {
            services.Transient.ReleaseReference(entry.Position, entry.RecordBytes);
            return;
        }

        _releases.Add() = new PendingRelease { Position = entry.Position, Bytes = entry.RecordBytes };
        _unappended++;
    }

    /// <summary>Tells a client when everything noted in this drain is durable.</summary>
    public void Confirm(BrokerClient client, ulong tag) => _confirms.Add((client, tag));

    /// <summary>Tells a client when everything that was ever noted is durable.</summary>
    public void ConfirmAll(BrokerClient client, ulong tag)
    {
        _confirmsAll = true;
        Confirm(client, tag);
    }

    /// <summary>Appends what was noted; when the log takes nothing now, it is kept for the next time.</summary>
    public void Flush(Shard shard)
    {
        CloseRecord();
        if (_batch.Count == 0 && _unappended == 0 && _confirms.Count == 0)
        {
            ReleaseDurable();
            return;
        }

        if (TryAppend(out long end))
        {
            for (int i = _releases.Count - _unappended; i < _releases.Count; i++)
            {
                _releases[i].Need = end;
            }

            _unappended = 0;
            long need = _confirmsAll ? Math.Max(end, _appendedEnd) : end;
            foreach ((BrokerClient client, ulong tag) in _confirms)
            {
                shard.Tell(client) = new ClientEvent { Kind = EventKind.Settled, Number = need, Tag = tag };
            }

            _confirmsAll = false;
            _confirms.Clear();
        }

        ReleaseDurable();
    }

    private static Doom DoomOf(in QueueEntry entry) =>
        !entry.Has(EntryFlags.Doomed) ? Doom.None : entry.Has(EntryFlags.Exhausted) ? Doom.Exhausted : Doom.Rejected;

    private bool TryAppend(out long end)
    {
        // What is let go without a record here has one that somebody else appended: it too must be durable first.
        end = _unappended > 0 ? services.Journal.TailPosition : 0;
        if (_batch.Count == 0)
        {
            return true;
        }

        try
        {
            _batch.Essential = true;
            int bytes = _batch.Bytes;
            end = services.Journal.Append(_batch) + bytes;
            _appendedEnd = end;
            _batch.Clear();
            return true;
        }
        catch (StorageException)
        {
            return false;
        }
    }

    // Room in the open record of a kind, which is begun when another one is open.
    private Span<byte> Open(byte kind)
    {
        if (_openBytes >= 0 && _openKind != kind)
        {
            CloseRecord();
        }

        if (_openBytes < 0)
        {
            _batch.Begin(kind);
            _openBytes = 0;
            _openKind = kind;
        }

        return _batch.GetSpan(FieldWriter.VarintBytesMax * 3);
    }

    private void Advance(int bytes)
    {
        _batch.Advance(bytes);
        _openBytes += bytes;
        if (_openBytes >= RecordBytesMax)
        {
            CloseRecord();
        }
    }

    private void CloseRecord()
    {
        if (_openBytes >= 0)
        {
            _batch.End();
            _openBytes = -1;
        }
    }

    private void ReleaseDurable()
    {
        long durable = services.Journal.DurablePosition;
        while (_releases.Count > _unappended && _releases[0].Need <= durable)
        {
            PendingRelease release = _releases[0];
            Release(services.Journal, release.Position, release.Bytes, release.Blob);
            _releases.RemoveOldest();
        }
    }

    private void Release(SegmentedLog log, long position, int bytes, long blob)
    {
        log.ReleaseReference(position, bytes);
        if (blob != 0 && services.Large.Release(blob))
        {
            services.DeleteBody(blob);
        }
    }

    private struct PendingRelease
    {
        public long Need;
        public long Position;
        public int Bytes;
        public long Blob;
    }
}
