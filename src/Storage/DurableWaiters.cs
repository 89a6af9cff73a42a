namespace Pillarbox.Storage;

/// <summary>Who waits for which position. Any thread adds, the flusher calls.</summary>
internal sealed class DurableWaiters
{
    private readonly Lock _gate = new();
    private readonly List<(long Position, IDurableWaiter Waiter)> _waiting = [];
    private readonly List<IDurableWaiter> _due = [];
    private long _durable;
    private StorageFailedException? _failure;

    /// <summary>True when somebody waits.</summary>
    public bool Any => Volatile.Read(ref _count) > 0;

    private int _count;

    /// <summary>Registers a waiter, or calls it at once. True when it was registered.</summary>
    public bool Add(long position, IDurableWaiter waiter)
    {
        StorageFailedException? failure;
        long durable;
        lock (_gate)
        {
            failure = _failure;
            durable = _durable;
            if (failure is null && position > durable)
            {
                _waiting.Add((position, waiter));
                Volatile.Write(ref _count, _waiting.Count);
                return true;
            }
        }

        if (position <= durable || failure is null)
        {
            waiter.OnDurable(durable);
        }
        else
        {
            waiter.OnFailed(failure);
        }

        return false;
    }

    /// <summary>Everything below a position has become durable. One thread at a time.</summary>
    public void Complete(long durable)
    {
        lock (_gate)
        {
            _durable = durable;
            TakeDue(durable);
        }

        foreach (IDurableWaiter waiter in _due)
        {
            waiter.OnDurable(durable);
        }

        _due.Clear();
    }

    /// <summary>Nothing more will become durable. One thread at a time.</summary>
    public void Fail(StorageFailedException failure)
    {
        lock (_gate)
        {
            _failure = failure;
            TakeDue(long.MaxValue);
        }

        foreach (IDurableWaiter waiter in _due)
        {
            waiter.OnFailed(failure);
        }

        _due.Clear();
    }

    private void TakeDue(long durable)
    {
        int kept = 0;
        for (int i = 0; i < _waiting.Count; i++)
        {
            if (_waiting[i].Position <= durable)
            {
                _due.Add(_waiting[i].Waiter);
            }
            else
            {
                _waiting[kept++] = _waiting[i];
            }
        }

        _waiting.RemoveRange(kept, _waiting.Count - kept);
        Volatile.Write(ref _count, kept);
    }
}
