using System.Runtime.CompilerServices;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Shards;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Queues;

/// <summary>
/// Merges what consumers note on messages (annotations of a modified outcome) into them. The record is written again
/// with a new start, as one that moved: other queues of the same message keep theirs. The settlement that brought the
/// annotations waits until that is done. The shard's.
/// </summary>
internal sealed class Rewrites(Queue queue)
{
    /// <summary>Annotations of one outcome beyond this are not merged.</summary>
    public const int AnnotationBytesMax = 64 << 10;

    /// <summary>So much of a large body is looked at: the annotations that it has must end within.</summary>
    private const int HeadBytes = 128 << 10;

    private readonly Dictionary<(byte Priority, long Sequence), List<ShardOp>> _waiting = [];
    // Made for the first that needs it: most queues never do.
    private LogBatch Batch => field ??= new LogBatch(64);

    private BrokerServices Services => queue.Shard.Services;

    /// <summary>Keeps a settlement whose message is being read for a rewrite; false: go on with it.</summary>
    public bool Defers(in ShardOp op)
    {
        if (_waiting.Count == 0 || !_waiting.TryGetValue((op.Priority, op.Id), out List<ShardOp>? ops))
        {
            return false;
        }

        ops.Add(op);
        return true;
    }

    /// <summary>Merges into a message that a consumer holds; at once when the record is in memory.</summary>
    public void Merge(in Delivery delivery, ReadOnlyMemory<byte> annotations)
    {
        HeldDelivery held = new(delivery.Sequence, delivery.Stamp, delivery.Priority);
        if (annotations.Length > AnnotationBytesMax || !queue.Holds(held, delivery.Consumer.Number)
            || _waiting.ContainsKey((delivery.Priority, delivery.Sequence)))
        {
            return;
        }

        ref QueueEntry entry = ref queue.Find(delivery.Priority, delivery.Sequence);
        if (entry.IsRecord)
        {
            // A stream's records never change.
            return;
        }

        Place place = new(delivery.Priority, delivery.Sequence, entry.Id, annotations);
        SegmentedLog log = Services.LogOf(entry.Has(EntryFlags.InJournal));
        if (!entry.Has(EntryFlags.Large) && log.TryRead(entry.Position, out LogLease lease))
        {
            using (lease)
            {
                Rewrite(place, lease.Span, default);
            }

            return;
        }

        _waiting[(place.Priority, place.Sequence)] = [];
        _ = ReadAsync(place, log, entry.Position, Services.Merges.Begin());
    }

    /// <summary>Merges into a message what the journal has for it since before the last stop; before the shards
    /// run.</summary>
    public void MergeRecovered(byte priority, long sequence, ReadOnlyMemory<byte> annotations)
    {
        ref QueueEntry entry = ref queue.Find(priority, sequence);
        if (Unsafe.IsNullRef(ref entry) || entry.State == EntryState.Removed || entry.IsRecord)
        {
            return;
        }

        try
        {
            (LogLease lease, ReadOnlyMemory<byte> head) =
                ReadHeadAsync(Services.Journal, entry.Position).GetAwaiter().GetResult();
            using (lease)
            {
                Rewrite(new Place(priority, sequence, entry.Id, annotations), lease.Span, head);
            }
        }
        catch (StorageException)
        {
            // Whoever gets it next finds the damage, and sets it aside.
        }
    }

    private async Task ReadAsync(Place place, SegmentedLog log, long position, TaskCompletionSource merge)
    {
        try
        {
            (LogLease lease, ReadOnlyMemory<byte> head) = await ReadHeadAsync(log, position).ConfigureAwait(false);
            queue.Shard.Post(new ShardAction(_ =>
            {
                using (lease)
                {
                    Rewrite(place, lease.Span, head);
                }

                GoOn(place, merge);
            }));
        }
        catch (StorageException)
        {
            // Whoever gets it next finds the damage, and sets it aside.
            queue.Shard.Post(new ShardAction(_ => GoOn(place, merge)));
        }
    }

    /// <summary>The record, and of a large body its first bytes.</summary>
    private async Task<(LogLease Record, ReadOnlyMemory<byte> Head)> ReadHeadAsync(SegmentedLog log, long position)
    {
        LogLease lease = await log.ReadAsync(position, CancellationToken.None).ConfigureAwait(false);
        try
        {
            using LargeBody? body = BodyOf(lease, position);
            byte[] head = new byte[(int)Math.Min(body?.Length ?? 0, HeadBytes)];
            int read = body is null ? 0
                : await body.ReadAsync(0, head, CancellationToken.None).ConfigureAwait(false);
            return (lease, head.AsMemory(0, read));
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    private LargeBody? BodyOf(in LogLease record, long position) =>
        MessageRecord.TryRead(record.Span, out StoredMessage message) && message.IsLarge
            ? StartedBody.Open(Services.Blobs, message, position)
            : null;

    private void GoOn(Place place, TaskCompletionSource merge)
    {
        Services.Merges.End(merge);
        if (_waiting.Remove((place.Priority, place.Sequence), out List<ShardOp>? ops))
        {
            foreach (ShardOp op in ops)
            {
                queue.Settle(op);
            }
        }
    }

    private void Rewrite(Place place, ReadOnlySpan<byte> record, ReadOnlyMemory<byte> head)
    {
        ref QueueEntry entry = ref queue.Find(place.Priority, place.Sequence);
        bool isThere = !Unsafe.IsNullRef(ref entry) && entry.State != EntryState.Removed && entry.Id == place.Id;
        if (!isThere || !MessageRecord.TryRead(record, out StoredMessage message))
        {
            return;
        }

        ReadOnlySpan<byte> payload = message.IsLarge ? head.Span : record[message.PayloadOffset..];
        IAnnotationMerger? merger = Services.MergerOf(message.Header.Format);
        if (merger is null
            || !merger.Merge(payload, place.Annotations.Span, out int replacedBytes, out byte[] start)
            || start.Length > AnnotationBytesMax)
        {
            return;
        }

        if (message.IsLarge)
        {
            // What stood in front of the file's bytes before, and was not replaced now, stays in front of them.
            ReadOnlySpan<byte> kept = message.BodyStart[Math.Min(replacedBytes, message.BodyStart.Length)..];
            long replaced = message.BodyReplaced + Math.Max(0, replacedBytes - message.BodyStart.Length);
            Append(ref entry, message, new BodyChange([.. start, .. kept], replaced), default);
        }
        else
        {
            Append(ref entry, message, new BodyChange(start, 0), payload[replacedBytes..]);
        }
    }

    private void Append(ref QueueEntry entry, in StoredMessage message, BodyChange change, ReadOnlySpan<byte> rest)
    {
        bool inJournal = entry.Has(EntryFlags.InJournal);
        MessageHead head = new()
        {
            Header = message.Header,
            Address = message.Address.ToArray(),
            Publisher = message.Publisher,
            MovedId = entry.Id,
            IsMerged = true,
            Origin = message.Origin.IsEmpty ? null : OriginField.Read(message.Origin),
            BlobId = message.BlobId,
            BlobBytes = message.BlobBytes,
            BodyStart = message.IsLarge ? change.Start : default,
            BodyReplaced = change.ReplacedBytes,
        };
        Batch.Clear();
        Batch.Begin(RecordKind.Relocated);
        MessageRecord.WriteHead(Batch, head, inJournal ? queue.DurableIds.Span : default);
        if (!message.IsLarge)
        {
            Batch.Write(change.Start);
            Batch.Write(rest);
        }

        int offset = Batch.End(references: 1);
        int recordBytes = Batch.Bytes - offset - RecordFormat.HeaderBytes;
        SegmentedLog log = Services.LogOf(inJournal);
        try
        {
            queue.Shard.Mark.Set(Services.Journal.TailPosition);
            long position = log.Append(Batch) + offset;
            queue.Shard.Settlements.ReleaseRecord(entry);
            queue.Counters.Bytes += recordBytes - entry.RecordBytes;
            entry.Position = position;
            entry.RecordBytes = recordBytes;
        }
        catch (StorageException e)
        {
            BrokerLog.NotRewritten(Services.Logger, queue.Config.Name, entry.Id, e.Message);
        }
        finally
        {
            queue.Shard.Mark.MoveTo();
        }
    }

    /// <summary>The new start of a body; of a large one also how many bytes of its file that stands for.</summary>
    private readonly record struct BodyChange(byte[] Start, long ReplacedBytes);

    private readonly record struct Place(
        byte Priority, long Sequence, long Id, ReadOnlyMemory<byte> Annotations);
}

/// <summary>Annotations on their way to the message that they are for.</summary>
internal sealed class AnnotationMerge(Delivery delivery, ReadOnlyMemory<byte> annotations) : IShardWork
{
    public void Run(Shard shard) => delivery.Queue.Merge(delivery, annotations);
}
