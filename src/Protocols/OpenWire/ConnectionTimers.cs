namespace Pillarbox.Protocols.OpenWire;

/// <summary>What the clock asks a connection to do.</summary>
internal enum TimerVerdict
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Send a KeepAliveInfo, so that the peer sees life.</summary>
    SendKeepAlive,

    /// <summary>The peer did not log in in time.</summary>
    HandshakeOver,

    /// <summary>The peer was silent for longer than was agreed.</summary>
    PeerSilent,

    /// <summary>A consumer's wait for a message is over.</summary>
    PullOver,
}

/// <summary>
/// The deadlines of one connection: a small machine that is told what happened and when, and says what is due. Reads no
/// clock; times are milliseconds of any steady clock.
/// </summary>
internal sealed class ConnectionTimers
{
    // A keep-alive goes out when nothing was written for a third of the agreed time, as clients do it.
    private const int KeepAlivesPerTimeout = 3;

    private long _handshakeDeadlineMs;
    private long _receivedMs;
    private long _sentMs;
    private long _inactivityMs;

    public ConnectionTimers(OpenWireOptions options, long nowMs)
    {
        _handshakeDeadlineMs = nowMs + options.HandshakeTimeoutMs;
        _receivedMs = nowMs;
        _sentMs = nowMs;
    }

    /// <summary>When the next wait of a consumer is over.</summary>
    public long PullDeadlineMs { get; set; } = long.MaxValue;

    /// <summary>The next time that <see cref="Check"/> may say something else than nothing.</summary>
    public long NextDeadlineMs =>
        Math.Min(Math.Min(_handshakeDeadlineMs, PullDeadlineMs), Math.Min(SilentAtMs, KeepAliveAtMs));

    private long SilentAtMs => _inactivityMs == 0 ? long.MaxValue : _receivedMs + _inactivityMs;

    private long KeepAliveAtMs => _inactivityMs == 0
        ? long.MaxValue
        : _sentMs + Math.Max(1, _inactivityMs / KeepAlivesPerTimeout);

    public void OnReceived(long nowMs) => _receivedMs = nowMs;

    public void OnSent(long nowMs) => _sentMs = nowMs;

    /// <summary>The wire format is agreed; 0: both may be silent for ever.</summary>
    public void OnNegotiated(long inactivityMs) => _inactivityMs = inactivityMs;

    public void OnConnected() => _handshakeDeadlineMs = long.MaxValue;

    /// <summary>What is due now.</summary>
    public TimerVerdict Check(long nowMs) =>
        nowMs >= _handshakeDeadlineMs ? TimerVerdict.HandshakeOver
        : nowMs >= SilentAtMs ? TimerVerdict.PeerSilent
        : nowMs >= PullDeadlineMs ? TimerVerdict.PullOver
        : nowMs >= KeepAliveAtMs ? TimerVerdict.SendKeepAlive
        : TimerVerdict.None;
}
