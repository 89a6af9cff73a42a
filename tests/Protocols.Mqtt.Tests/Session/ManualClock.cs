namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>The machine's clock, which a test may put forward.</summary>
internal sealed class ManualClock : TimeProvider
{
    private long _aheadMs;

    /// <summary>Puts the clock forward; timers fire as they would anyway.</summary>
    public void Advance(long milliseconds) => Interlocked.Add(ref _aheadMs, milliseconds);

    public override DateTimeOffset GetUtcNow() =>
        System.GetUtcNow().AddMilliseconds(Interlocked.Read(ref _aheadMs));

    public override long GetTimestamp() =>
        System.GetTimestamp() + (Interlocked.Read(ref _aheadMs) * System.TimestampFrequency / 1000);
}
