namespace Pillarbox.Broker.Tests;

/// <summary>A clock that a test moves.</summary>
internal sealed class HandClock : TimeProvider
{
    private DateTimeOffset _now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public long NowMs => _now.ToUnixTimeMilliseconds();

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.Ticks;

    public void Advance(long milliseconds) => _now += TimeSpan.FromMilliseconds(milliseconds);
}
