namespace Pillarbox.Broker.Tests;

/// <summary>A clock that moves only by hand.</summary>
internal sealed class HandClock : TimeProvider
{
    private long _ticks = DateTimeOffset.UnixEpoch.AddYears(50).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public override DateTimeOffset GetUtcNow() => new(_ticks, TimeSpan.Zero);

    public void Advance(int milliseconds) => _ticks += milliseconds * TimeSpan.TicksPerMillisecond;
}
