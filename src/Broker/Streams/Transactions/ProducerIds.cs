using Pillarbox.Broker.Streams.Groups;

namespace Pillarbox.Broker.Streams.Transactions;

/// <summary>Hands out producer ids, none twice: a block is reserved on disk before any of it is given. One owner: the
/// loop.</summary>
internal sealed class ProducerIds(CoordinatorStore store, int blockSize)
{
    private readonly Queue<Action<long>> _waiting = new();
    private long _next;
    private long _reserved;
    private bool _isReserving;

    /// <summary>The partition of the coordinator's stream that keeps the reservations.</summary>
    private const int Partition = 0;

    /// <summary>Found at start: ids below may have been given.</summary>
    public void Restore(long reserved)
    {
        _next = Math.Max(_next, reserved);
        _reserved = Math.Max(_reserved, reserved);
    }

    /// <summary>Calls back with a new id, or with -1 when none can be reserved.</summary>
    public void Take(Action<long> done)
    {
        if (_next < _reserved && _waiting.Count == 0)
        {
            done(_next++);
            return;
        }

        _waiting.Enqueue(done);
        if (!_isReserving)
        {
            Reserve();
        }
    }

    private void Reserve()
    {
        long end = _reserved + blockSize;
        CoordinatorError refusal = store.Write(
            Partition, ProducerStamp.None, [TransactionRecords.ProducerIds(end)], out long number);
        if (refusal != CoordinatorError.None)
        {
            Refuse();
            return;
        }

        _isReserving = true;
        store.WhenDurable(Partition, number, ok =>
        {
            _isReserving = false;
            if (ok)
            {
                _reserved = end;
                Serve();
            }
            else
            {
                Refuse();
            }
        });
    }

    private void Serve()
    {
        while (_next < _reserved && _waiting.TryDequeue(out Action<long>? done))
        {
            done(_next++);
        }

        if (_waiting.Count > 0)
        {
            Reserve();
        }
    }

    private void Refuse()
    {
        while (_waiting.TryDequeue(out Action<long>? done))
        {
            done(-1);
        }
    }
}
