using System.Runtime.CompilerServices;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Shards;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Journal;

/// <summary>
/// Moves the messages that are left in a mostly dead segment to the journal's end, so that one old message does not
/// keep a whole
/// segment. Who was told the old place of a message asks again when it is not there any more.
/// </summary>
internal sealed class Compaction(BrokerServices services)
{
    private const double LiveRatioMax = 0.25;
    private const int EntriesPerLook = 64 << 10;
    private const int BatchBytesMax = 256 << 10;

    private readonly AppendMark _mark = services.Marks.Add();
    private readonly LogBatch _batch = new();
    private readonly List<(Moving Message, int Offset, int RecordBytes)> _written = [];

    /// <summary>Compacts one segment that lies below a position, if one is worth it.</summary>
    public async Task RunAsync(long before)
    {
        if (services.Journal.SpaceState == SpaceState.Full ||
            services.Journal.FindCompactionCandidate(LiveRatioMax, before) is not { } segment)
        {
            return;
        }

        Dictionary<long, Moving> found = [];
        foreach (AddressSpace space in services.Spaces.All)
        {
            foreach (Queue queue in space.Queues.Where(queue => queue.IsDurable))
            {
                await CollectAsync(queue, segment, found).ConfigureAwait(false);
            }
        }

        foreach (Moving message in found.Values)
        {
            await WriteAsync(message).ConfigureAwait(false);
        }

        AppendBatch();
    }

    private static async Task CollectAsync(Queue queue, SegmentInfo segment, Dictionary<long, Moving> found)
    {
        for (int priority = 0; priority < Queue.Priorities; priority++)
        {
            long next = 0;
            while (next >= 0)
            {
                long from = next;
                next = await queue.Shard.Ask(_ => Collect(queue, (byte)priority, from, segment, found)).ConfigureAwait(
                    false);
            }
        }
    }

    /// <summary>Looks at some entries; returns where to go on, or -1.</summary>
    private static long Collect(Queue queue, byte priority, long from, SegmentInfo segment, Dictionary<long,
        Moving> found)
    {
        EntryList? list = queue.Contents.ListOf(priority);
        if (list is null)
        {
            return -1;
        }

        int looks = 0;
        long at = list.SkipGone(from);
        for (; at < list.End && looks < EntriesPerLook; at = list.SkipGone(at + 1), looks++)
        {
            ref QueueEntry entry = ref list.Find(at);
            bool inside = entry.Position >= segment.BasePosition && entry.Position < segment.EndPosition;
            if (inside && IsMovable(entry))
            {
                if (!found.TryGetValue(entry.Position, out Moving? message))
                {
                    found[entry.Position] = message = new Moving(entry.Id, entry.Position);
                }

                message.Holders.Add((queue, priority, at));
            }
        }

        return at < list.End ? at : -1;
    }

    private static bool IsMovable(in QueueEntry entry) =>
        entry.State is EntryState.Ready or EntryState.Delayed or EntryState.InFlight && entry.Has(EntryFlags.InJournal);

    private async Task WriteAsync(Moving message)
    {
        try
        {
            using LogLease lease = await services.Journal.ReadAsync(message.Position,
                CancellationToken.None).ConfigureAwait(false);
            Write(message, lease.Span);
        }
        catch (DamagedRecordException)
        {
            // It stays where it is; whoever reads it will set it aside.
        }

        if (_batch.Bytes >= BatchBytesMax)
        {
            AppendBatch();
        }
    }

    private void Write(Moving message, ReadOnlySpan<byte> record)
    {
        if (!MessageRecord.TryRead(record, out StoredMessage stored))
        {
            return;
        }

        MessageHead head = new()
        {
            Header = stored.Header,
            Address = stored.Address.ToArray(),
            Publisher = stored.Publisher,
            BlobId = stored.BlobId,
            BlobBytes = stored.BlobBytes,
            BodyStart = stored.BodyStart.ToArray(),
            BodyReplaced = stored.BodyReplaced,
            MovedId = message.Id,
            Origin = stored.Origin.IsEmpty ? null : OriginField.Read(stored.Origin),
        };
        long[] queues = [.. message.Holders.Select(holder => holder.Queue.Id).Distinct()];
        _batch.Begin(RecordKind.Relocated);
        MessageRecord.WriteHead(_batch, head, queues);
        _batch.Write(record[stored.PayloadOffset..]);
        int offset = _batch.End();
        _written.Add((message, offset, _batch.Bytes - offset - RecordFormat.HeaderBytes));
    }

    private void AppendBatch()
    {
        if (_batch.Count == 0)
        {
            return;
        }

        try
        {
            _mark.Set(services.Journal.TailPosition);
            long position = services.Journal.Append(_batch);
            foreach ((Moving message, int offset, int recordBytes) in _written)
            {
                int holders = message.Holders.Count;
                services.Journal.AddReferences(position + offset, holders, (long)recordBytes * holders);
                foreach ((Queue queue, byte priority, long sequence) in message.Holders)
                {
                    long to = position + offset;
                    queue.Shard.Post(new ShardAction(_ =>
                        Relocate(queue, priority, sequence, message, to, recordBytes)));
                }
            }
        }
        finally
        {
            _mark.MoveTo();
            _batch.Clear();
            _written.Clear();
        }
    }

    private void Relocate(Queue queue, byte priority, long sequence, Moving message, long to, int recordBytes)
    {
        ref QueueEntry entry = ref queue.Find(priority, sequence);
        bool same = !Unsafe.IsNullRef(ref entry) && entry.Id == message.Id && entry.Position == message.Position
            && IsMovable(entry);
        if (!same)
        {
            services.Journal.ReleaseReference(to, recordBytes);
            return;
        }

        queue.Shard.Settlements.ReleaseRecord(entry);
        queue.Counters.Bytes += recordBytes - entry.RecordBytes;
        entry.Position = to;
        entry.RecordBytes = recordBytes;
    }

    private sealed class Moving(long id, long position)
    {
        public long Id { get; } = id;

        public long Position { get; } = position;

        public List<(Queue Queue, byte Priority, long Sequence)> Holders { get; } = [];
    }
}
