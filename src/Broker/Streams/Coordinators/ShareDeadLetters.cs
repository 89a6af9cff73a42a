using System.Text;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Streams.Coordinators;

/// <summary>
/// Keeps the records that no member of a share group could do: each becomes a durable message at the dead-letter
/// address of its stream, with where it comes from, as those do that a queue has read. Any thread.
/// </summary>
internal sealed class ShareDeadLetters(AddressSpace space, BrokerServices services)
{
    private readonly Lock _gate = new();
    private readonly AppendMark _mark = services.Marks.Add();
    private readonly LogBatch _batch = new(64);

    /// <summary>Keeps one, and says so when it is on disk; true also when there is nothing, or no place, to be kept.
    /// False: not now.</summary>
    public void Keep(ShareDeadLetter letter, Action<bool> done) => _ = KeepAsync(letter, done);

    private async Task KeepAsync(ShareDeadLetter letter, Action<bool> done)
    {
        TopicIdPartition place = letter.Key.Partition;
        Partition? partition = services.Streams[space.Name].Find(place.TopicId)?.FindPartition(place.Partition);
        if (partition is null || partition.LastStableOffset <= letter.Offset)
        {
            // It is gone; or it is not decided yet whether it counts.
            done(partition is null);
            return;
        }

        RecordStretch? stretch = null;
        try
        {
            stretch = await StretchReader.ReadAsync(partition, letter.Offset).ConfigureAwait(false);
            if (stretch?.TryGet(letter.Offset, out RecordPlace record) == true)
            {
                Keep(partition, letter, record, stretch.Record(record), done);
            }
            else
            {
                done(true);
            }
        }
        catch (Exception e)
        {
            if (e is not (StorageException or BrokerException))
            {
                BrokerLog.NotBuried(services.Logger, letter.Key.GroupId, letter.Offset, e);
            }

            done(false);
        }
        finally
        {
            stretch?.Release();
        }
    }

    private void Keep(
        Partition partition, in ShareDeadLetter letter, in RecordPlace place, ReadOnlyMemory<byte> record,
        Action<bool> done)
    {
        string stream = partition.Stream.Name;
        string reason = letter.IsRejected ? "rejected" : "max-delivery-attempts";
        string? target = space.SettingsOf(stream).DeadLetterAddress;
        Queue[] targets = target is null || target == stream ? [] : Targets.Approach(space, target);
        if (targets.Length == 0)
        {
            BrokerLog.Dropped(services.Logger, letter.Key.GroupId, letter.Offset, reason);
            done(true);
            return;
        }

        MessageHead head = new()
        {
            Header = StreamMessages.HeaderOf(place),
            Address = Encoding.UTF8.GetBytes(stream),
            Origin = new Origin(
                stream, letter.Key.GroupId, RecordId.Of(partition.Number, letter.Offset), reason, services.NowMs, []),
        };
        bool inJournal = Array.Exists(targets, queue => queue.IsDurable);
        long end = Append(head, record.Span, targets, inJournal);
        if (inJournal)
        {
            services.Journal.WhenDurable(end, new DurableCallback(done));
        }
        else
        {
            done(true);
        }
    }

    private long Append(in MessageHead head, ReadOnlySpan<byte> payload, Queue[] targets, bool inJournal)
    {
        lock (_gate)
        {
            SegmentedLog log = services.LogOf(inJournal);
            try
            {
                _batch.Clear();
                _batch.Begin(RecordKind.Message);
                long[] durable = [.. targets.Where(queue => inJournal && queue.IsDurable).Select(queue => queue.Id)];
                MessageRecord.WriteHead(_batch, head, durable);
                _batch.Write(payload);
                int offset = _batch.End(targets.Length);
                int recordBytes = _batch.Bytes - offset - RecordFormat.HeaderBytes;
                _batch.Essential = true;
                _mark.Set(log.TailPosition);
                long position = log.Append(_batch);
                Targets.Post(targets, new ShardOp
                {
                    Kind = OpKind.Enqueue,
                    Approached = true,
                    Id = position + offset,
                    Position = position + offset,
                    RecordBytes = recordBytes,
                    Priority = Model.MessageHeader.DefaultPriority,
                    EntryFlags = inJournal ? EntryFlags.InJournal : 0,
                });
                return position + _batch.Bytes;
            }
            catch (StorageException)
            {
                Targets.GiveUp(targets);
                throw;
            }
            finally
            {
                _mark.MoveTo();
            }
        }
    }
}
