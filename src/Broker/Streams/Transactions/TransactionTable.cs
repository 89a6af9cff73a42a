using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Groups.Records;

namespace Pillarbox.Broker.Streams.Transactions;

/// <summary>One transactional id: what is on disk, and whether something newer is on its way there.</summary>
internal sealed class TransactionSlot(string id, int partition)
{
    public string Id { get; } = id;

    /// <summary>The partition of the coordinator's stream that keeps it.</summary>
    public int Partition { get; } = partition;

    /// <summary>What is on disk; null before the first write.</summary>
    public TransactionSnapshot? Current { get; set; }

    /// <summary>Whether a newer state is being written.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Partitions whose marker is not yet on disk.</summary>
    public HashSet<TopicPartition> Unmarked { get; } = [];

    /// <summary>Those of them whose marker is being written: a second one could come behind the next transaction's
    /// records, and end that.</summary>
    public HashSet<TopicPartition> Marking { get; } = [];

    public CoordinatorTimer? Timeout { get; set; }

    public CoordinatorTimer? Retry { get; set; }

    /// <summary>Requests for when the last transaction is over; they are told whether it is.</summary>
    public Queue<Action<bool>> Waiting { get; } = new();

    public CoordinatorTimer? WaitingOver { get; set; }
}

/// <summary>All transactional ids, on disk and in memory. One owner: the loop.</summary>
internal sealed partial class TransactionTable(
    CoordinatorStore store, ProducerIds ids, int idsMax, ILogger logger) : ICoordinatorReplay
{
    private readonly Dictionary<string, TransactionSlot> _slots = [];

    public IReadOnlyCollection<TransactionSlot> All => _slots.Values;

    /// <summary>Called when a state is on disk, or could not be written, after whoever asked for it was told.</summary>
    public Action<TransactionSlot>? OnSettled { get; set; }

    public TransactionSlot? Find(string id) => _slots.GetValueOrDefault(id);

    /// <summary>Null when there are too many.</summary>
    public TransactionSlot? GetOrAdd(string id)
    {
        if (_slots.TryGetValue(id, out TransactionSlot? slot) || _slots.Count >= idsMax)
        {
            return slot;
        }

        slot = new TransactionSlot(id, store.PartitionOf(id));
        _slots.Add(id, slot);
        return slot;
    }

    /// <summary>Goes into a state: calls back with whether it is on disk. A refusal is told at once and nothing
    /// happens.</summary>
    public CoordinatorError Change(TransactionSlot slot, TransactionSnapshot next, Action<bool> done)
    {
        CoordinatorError refusal = store.Write(
            slot.Partition, ProducerStamp.None, [TransactionRecords.Write(slot.Id, next)], out long number);
        if (refusal != CoordinatorError.None)
        {
            return refusal;
        }

        slot.IsBusy = true;
        store.WhenDurable(slot.Partition, number, ok =>
        {
            slot.IsBusy = false;
            slot.Current = ok ? next : slot.Current;
            done(ok);
            OnSettled?.Invoke(slot);
        });
        return CoordinatorError.None;
    }

    /// <summary>Forgets an id that nobody uses.</summary>
    public void Forget(TransactionSlot slot)
    {
        CoordinatorRecord tombstone = new(TransactionRecords.KeyOf(slot.Id), null);
        if (store.Write(slot.Partition, ProducerStamp.None, [tombstone], out _) == CoordinatorError.None)
        {
            _slots.Remove(slot.Id);
        }
    }

    /// <summary>Forgets an id that never came to be.</summary>
    public void Drop(TransactionSlot slot) => _slots.Remove(slot.Id);

    public void OnRecord(int partition, ProducerStamp producer, ReadOnlySpan<byte> key, byte[]? value)
    {
        try
        {
            Apply(key, value);
        }
        catch (RecordFormatException e)
        {
            LogUnreadable(logger, partition, e.Message);
        }
    }

    public void OnMarker(int partition, ProducerStamp producer, bool committed)
    {
        // Nothing in this stream is written under a transaction.
    }

    private void Apply(ReadOnlySpan<byte> bytes, byte[]? value)
    {
        FieldSpan key = new(bytes);
        short kind = key.Short();
        if (kind == TransactionRecords.ProducerIdsKey && value is not null)
        {
            ids.Restore(new FieldSpan(value).Long());
        }
        else if (kind == TransactionRecords.TransactionKey)
        {
            Apply(key.String(), value);
        }
    }

    private void Apply(string id, byte[]? value)
    {
        if (value is null)
        {
            _slots.Remove(id);
            return;
        }

        // What is on disk was within the limit once; it is not dropped when the limit is lowered.
        if (!_slots.TryGetValue(id, out TransactionSlot? slot))
        {
            _slots.Add(id, slot = new TransactionSlot(id, store.PartitionOf(id)));
        }

        slot.Current = TransactionRecords.Read(value);
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Partition {Partition} of the transactions' stream holds a record that is left out: {Reason}")]
    private static partial void LogUnreadable(ILogger logger, int partition, string reason);
}
