namespace Pillarbox.Simulation.Tests;

/// <summary>A clock that the simulation moves; timers fire on its way, earliest first.</summary>
internal sealed class SimClock : TimeProvider
{
    private readonly List<SimTimer> _timers = [];
    private long _ticks = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public override DateTimeOffset GetUtcNow() => new(_ticks, TimeSpan.Zero);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(this, callback, state);
        _timers.Add(timer);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(int milliseconds)
    {
        long until = _ticks + (milliseconds * TimeSpan.TicksPerMillisecond);
        while (_timers.Where(timer => timer.DueAt <= until).MinBy(timer => timer.DueAt) is { } next)
        {
            _ticks = Math.Max(_ticks, next.DueAt);
            next.Fire();
        }

        _ticks = until;
    }

    /// <summary>The node is dead: nothing of it fires any more.</summary>
    public void DropTimers() => _timers.Clear();

    private sealed class SimTimer(SimClock clock, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public long DueAt { get; private set; } = long.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            DueAt = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : clock._ticks + dueTime.Ticks;
            return true;
        }

        public void Fire()
        {
            DueAt = _period > TimeSpan.Zero ? DueAt + _period.Ticks : long.MaxValue;
            callback(state);
        }

        public void Dispose() => clock._timers.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
