namespace Pillarbox.Broker.Streams;

/// <summary>The deadlines of all waiting reads: one heap and one timer for the node. Any thread.</summary>
internal sealed class ReadDeadlines : IDisposable
{
    /// <summary>Deadlines are kept to so many milliseconds: reads that end close together wake together.</summary>
    private const int GrainMs = 5;

    private readonly PriorityQueue<ReadAwaiter, long> _heap = new();
    private readonly List<ReadAwaiter> _due = [];
    private readonly TimeProvider _time;
    private readonly ITimer? _timer;
    private long _timerMs = long.MaxValue;

    public ReadDeadlines(TimeProvider time, bool ownTimer)
    {
        _time = time;
        _timer = ownTimer
            ? time.CreateTimer(_ => Tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan)
            : null;
    }

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    public void Add(ReadAwaiter awaiter)
    {
        lock (_heap)
        {
            if (!awaiter.IsInHeap)
            {
                awaiter.IsInHeap = true;
                _heap.Enqueue(awaiter, awaiter.DeadlineMs);
            }

            SetTimer();
        }
    }

    /// <summary>Ends the waits whose time is over.</summary>
    public void Tick()
    {
        lock (_heap)
        {
            _timerMs = long.MaxValue;
            long nowMs = NowMs;
            while (_heap.TryPeek(out ReadAwaiter? awaiter, out long deadlineMs) && deadlineMs <= nowMs)
            {
                _heap.Dequeue();
                awaiter.IsInHeap = false;
                Settle(awaiter, nowMs);
            }

            SetTimer();
            foreach (ReadAwaiter awaiter in _due)
            {
                awaiter.Fire();
            }

            _due.Clear();
        }
    }

    public void Dispose() => _timer?.Dispose();

    /// <summary>An awaiter that was used again since it was entered has a later deadline now.</summary>
    private void Settle(ReadAwaiter awaiter, long nowMs)
    {
        if (!awaiter.IsArmed)
        {
            return;
        }

        if (awaiter.DeadlineMs <= nowMs)
        {
            _due.Add(awaiter);
            return;
        }

        awaiter.IsInHeap = true;
        _heap.Enqueue(awaiter, awaiter.DeadlineMs);
    }

    private void SetTimer()
    {
        if (_timer is not null && _heap.TryPeek(out _, out long nextMs) && nextMs < _timerMs - GrainMs)
        {
            _timerMs = nextMs;
            _timer.Change(
                TimeSpan.FromMilliseconds(Math.Max(GrainMs, nextMs - NowMs)), Timeout.InfiniteTimeSpan);
        }
    }
}
