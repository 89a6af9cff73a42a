namespace Pillarbox.Protocols.OpenWire;

/// <summary>The time of a pass of a connection's loop, which sets it; all that is done in the pass has this time.
/// </summary>
internal sealed class PassClock
{
    /// <summary>Milliseconds since the Unix epoch.</summary>
    public long NowMs { get; private set; }

    /// <summary>Milliseconds of a clock that never jumps.</summary>
    public long SteadyMs { get; private set; }

    /// <summary>A pass begins.</summary>
    public void Set(long nowMs, long steadyMs) => (NowMs, SteadyMs) = (nowMs, steadyMs);
}
