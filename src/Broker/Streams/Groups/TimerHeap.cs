namespace Pillarbox.Broker.Streams.Groups;

/// <summary>Something to do at a time. Arming it again for later costs nothing: the heap notices when its entry comes
/// up.</summary>
internal sealed class CoordinatorTimer(Action onDue)
{
    /// <summary>When it is due, in milliseconds since the Unix epoch; never when it is not armed.</summary>
    public long DueMs { get; set; } = long.MaxValue;

    /// <summary>The time under which the heap holds it; never when it does not.</summary>
    public long QueuedMs { get; set; } = long.MaxValue;

    public bool IsArmed => DueMs != long.MaxValue;

    public void Fire() => onDue();
}

/// <summary>All timers of a coordinator, earliest first. One owner.</summary>
internal sealed class TimerHeap
{
    private readonly PriorityQueue<CoordinatorTimer, long> _queue = new();

    /// <summary>When to look again; may be early, never late.</summary>
    public long NextDueMs => _queue.TryPeek(out _, out long due) ? due : long.MaxValue;

    public void Arm(CoordinatorTimer timer, long dueMs)
    {
        timer.DueMs = dueMs;
        if (dueMs < timer.QueuedMs)
        {
            timer.QueuedMs = dueMs;
            _queue.Enqueue(timer, dueMs);
        }
    }

    public static void Cancel(CoordinatorTimer? timer)
    {
        if (timer is not null)
        {
            timer.DueMs = long.MaxValue;
        }
    }

    /// <summary>Fires everything that is due.</summary>
    public void Run(long nowMs)
    {
        while (_queue.TryPeek(out CoordinatorTimer? timer, out long queued) && queued <= nowMs)
        {
            _queue.Dequeue();
            if (queued != timer.QueuedMs)
            {
                continue;
            }

            timer.QueuedMs = long.MaxValue;
            if (timer.DueMs > nowMs)
            {
                Requeue(timer);
                continue;
            }

            timer.DueMs = long.MaxValue;
            timer.Fire();
        }
    }

    private void Requeue(CoordinatorTimer timer)
    {
        if (timer.IsArmed)
        {
            Arm(timer, timer.DueMs);
        }
    }
}
