using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Shards;

namespace Pillarbox.Broker.Queues.Feeds;

/// <summary>
/// Records that prepared branches of distributed transactions have settled, as the disk told at the node's start. Each
/// is loaded in its place like any other, but as if a consumer had it, until its branch ends. Filled before the shards
/// run; then the shard's.
/// </summary>
internal sealed class StagedRecords(Queue queue)
{
    private readonly Dictionary<long, Staged> _records = [];

    /// <summary>A branch has settled a record that this owner is said to have.</summary>
    public void Add(long id, int owner, uint stamp) => _records[id] = new Staged(owner, stamp);

    /// <summary>The stream is another one, with other records.</summary>
    public void Clear() => _records.Clear();

    /// <summary>A record was loaded: if a branch has settled it nobody else gets it.</summary>
    public void Hold(ref QueueEntry entry, byte priority, long sequence)
    {
        // One that was loaded before was asked for again.
        if (!_records.TryGetValue(entry.Id, out Staged? staged) || staged.Sequence >= 0)
        {
            return;
        }

        entry.Owner = staged.Owner;
        entry.Stamp = staged.Stamp;
        entry.Flags |= EntryFlags.Staged;
        queue.Contents.SetState(ref entry, EntryState.InFlight);
        staged.Sequence = sequence;
        if (staged.End is { } end)
        {
            _records.Remove(entry.Id);
            Settle(end, sequence);
        }
    }

    /// <summary>The branch has ended: what it said takes effect, or not. Of a record that is not loaded yet it does
    /// when it is.</summary>
    public void Conclude(StagedEnd end)
    {
        long id = end.Delivery.MessageId;
        if (!_records.TryGetValue(id, out Staged? staged))
        {
            return;
        }

        bool isAccepted = end.Kind == OpKind.SettleCommitted
            && (end.Outcome & OutcomeBits.KindMask) == OutcomeBits.Accepted;
        if (staged.Sequence >= 0)
        {
            _records.Remove(id);
            Settle(end, staged.Sequence);
        }
        else if (isAccepted || queue.Feed!.IsLost(id))
        {
            _records.Remove(id);
            queue.Counters.AcknowledgedTotal++;
            queue.Feed!.FindCursor(RecordId.Partition(id))?.Progress.Settle(RecordId.Offset(id));
        }
        else
        {
            staged.End = end;
        }
    }

    private void Settle(StagedEnd end, long sequence)
    {
        ShardOp op = new() { Kind = end.Kind, Subject = end.Delivery.Consumer };
        SettleOp.Fill(ref op, end.Delivery with { Sequence = sequence }, end.Outcome, end.Reason);
        queue.Settle(op);
    }

    private sealed class Staged(int owner, uint stamp)
    {
        public int Owner { get; } = owner;

        public uint Stamp { get; } = stamp;

        /// <summary>Its place in the queue; -1: it is not loaded.</summary>
        public long Sequence { get; set; } = -1;

        /// <summary>The branch has ended before it was loaded; null: not yet.</summary>
        public StagedEnd? End { get; set; }
    }
}

/// <summary>What the end of a branch means for a record that it has settled before the node's start.</summary>
internal sealed record StagedEnd(Delivery Delivery, OutcomeBits Outcome, string? Reason, OpKind Kind) : IShardWork
{
    /// <summary>The place of a delivery of which only the record is known.</summary>
    public const long NoSequence = -1;

    public void Run(Shard shard) => Delivery.Queue.Feed?.Staged?.Conclude(this);
}
