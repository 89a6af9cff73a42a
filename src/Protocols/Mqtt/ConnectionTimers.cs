namespace Pillarbox.Protocols.Mqtt;

/// <summary>What the clock asks a connection to do.</summary>
internal enum TimerVerdict
{
    None,

    /// <summary>The peer did not finish its login in time.</summary>
    HandshakeOver,

    /// <summary>Nothing came for one and a half times the keep alive (MQTT 5.0 §3.1.2.10).</summary>
    KeepAliveOver,
}

/// <summary>
/// The deadlines of one connection: a small machine that is told what happened and when, and says what is due. Reads no
/// clock; times are milliseconds of any steady clock.
/// </summary>
internal sealed class ConnectionTimers(int handshakeTimeoutMs, long nowMs)
{
    private long _handshakeDeadlineMs = nowMs + handshakeTimeoutMs;
    private long _keepAliveMs;
    private long _receivedMs = nowMs;

    /// <summary>The next time that <see cref="Check"/> may say something else than nothing.</summary>
    public long NextDeadlineMs => Math.Min(_handshakeDeadlineMs, SilentAtMs);

    private long SilentAtMs => _keepAliveMs == 0 ? long.MaxValue : _receivedMs + _keepAliveMs;

    /// <summary>The client is let in; 0 seconds: it may be silent for ever.</summary>
    public void OnConnected(int keepAliveSeconds, long nowMs)
    {
        _handshakeDeadlineMs = long.MaxValue;
        _keepAliveMs = keepAliveSeconds * 1500L;
        _receivedMs = nowMs;
    }

    /// <summary>Bytes came from the peer.</summary>
    public void OnReceived(long nowMs) => _receivedMs = nowMs;

    /// <summary>What is due now.</summary>
    public TimerVerdict Check(long nowMs) =>
        nowMs >= _handshakeDeadlineMs ? TimerVerdict.HandshakeOver
        : nowMs >= SilentAtMs ? TimerVerdict.KeepAliveOver
        : TimerVerdict.None;
}
