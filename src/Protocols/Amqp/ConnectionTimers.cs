namespace Pillarbox.Protocols.Amqp;

/// <summary>What the clock asks a connection to do.</summary>
internal enum TimerVerdict
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Send an empty frame, so that the peer sees life.</summary>
    SendHeartbeat,

    /// <summary>The peer did not finish the handshake in time.</summary>
    HandshakeOver,

    /// <summary>What the peer logged in with is no longer good.</summary>
    LoginOver,

    /// <summary>The peer was silent for longer than the idle timeout.</summary>
    PeerSilent,

    /// <summary>The peer did not answer the node's close.</summary>
    CloseOver,
}

/// <summary>
/// The deadlines of one connection (part 2 section 2.4.5): a small machine that is told what happened and when, and
/// says what is due.
/// Reads no clock; times are milliseconds of any steady clock.
/// </summary>
internal sealed class ConnectionTimers
{
    private readonly AmqpOptions _options;
    private readonly int _idleTimeoutMs;
    private long _handshakeDeadlineMs;
    private long _closeDeadlineMs = long.MaxValue;
    private long _loginEndsMs = long.MaxValue;
    private long _receivedMs;
    private long _sentMs;
    private long _heartbeatEveryMs = long.MaxValue;

    /// <param name="options">The limits.</param>
    /// <param name="nowMs">When the connection was made.</param>
    /// <param name="idleTimeoutMs">Silence of the peer after which it is gone; 0: never; null: what the options
    /// say.</param>
    public ConnectionTimers(AmqpOptions options, long nowMs, int? idleTimeoutMs = null)
    {
        _options = options;
        _idleTimeoutMs = idleTimeoutMs ?? options.IdleTimeoutMs;
        _handshakeDeadlineMs = nowMs + options.HandshakeTimeoutMs;
        _receivedMs = nowMs;
        _sentMs = nowMs;
    }

    /// <summary>The next time that <see cref="Check"/> may say something else than nothing.</summary>
    public long NextDeadlineMs =>
        Math.Min(
            Math.Min(_handshakeDeadlineMs, _closeDeadlineMs),
            Math.Min(_loginEndsMs, Math.Min(SilentAtMs, HeartbeatAtMs)));

    private long SilentAtMs => _idleTimeoutMs == 0 ? long.MaxValue : _receivedMs + _idleTimeoutMs;

    private long HeartbeatAtMs =>
        _heartbeatEveryMs == long.MaxValue ? long.MaxValue : _sentMs + _heartbeatEveryMs;

    /// <summary>The peer's open is here; its idle-time-out makes the node send at least every half of it.</summary>
    public void OnOpened(uint peerIdleTimeoutMs)
    {
        _handshakeDeadlineMs = long.MaxValue;
        _heartbeatEveryMs = peerIdleTimeoutMs == 0 ? long.MaxValue : Math.Max(1, peerIdleTimeoutMs / 2);
    }

    /// <summary>The peer logged in with something that ends.</summary>
    public void OnLoginEnds(long atMs) => _loginEndsMs = atMs;

    /// <summary>The node sent its close.</summary>
    public void OnCloseSent(long nowMs)
    {
        _handshakeDeadlineMs = long.MaxValue;
        _loginEndsMs = long.MaxValue;
        _closeDeadlineMs = nowMs + _options.CloseTimeoutMs;
        _heartbeatEveryMs = long.MaxValue;
    }

    /// <summary>Bytes came from the peer.</summary>
    public void OnReceived(long nowMs) => _receivedMs = nowMs;

    /// <summary>Bytes went to the peer.</summary>
    public void OnSent(long nowMs) => _sentMs = nowMs;

    /// <summary>What is due now.</summary>
    public TimerVerdict Check(long nowMs)
    {
        if (nowMs >= _handshakeDeadlineMs)
        {
            return TimerVerdict.HandshakeOver;
        }

        if (nowMs >= _closeDeadlineMs)
        {
            return TimerVerdict.CloseOver;
        }

        if (nowMs >= _loginEndsMs)
        {
            return TimerVerdict.LoginOver;
        }

        if (nowMs >= SilentAtMs)
        {
            return TimerVerdict.PeerSilent;
        }

        return nowMs >= HeartbeatAtMs ? TimerVerdict.SendHeartbeat : TimerVerdict.None;
    }
}
