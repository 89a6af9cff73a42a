namespace Pillarbox.Protocols.Stomp;

/// <summary>What the clock asks a connection to do.</summary>
internal enum TimerVerdict
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Send an end of line, so that the peer sees life.</summary>
    SendHeartbeat,

    /// <summary>The peer did not finish its login in time.</summary>
    HandshakeOver,

    /// <summary>The peer was silent for longer than it promised.</summary>
    PeerSilent,
}

/// <summary>
/// The deadlines of one connection (1.2, "Heart-beating"): a small machine that is told what happened and when, and
/// says what is due. Reads no clock; times are milliseconds of any steady clock.
/// </summary>
internal sealed class StompTimers(StompOptions options, long nowMs)
{
    private long _handshakeDeadlineMs = nowMs + options.HandshakeTimeoutMs;
    private long _receivedMs = nowMs;
    private long _sentMs = nowMs;
    private long _sendEveryMs;
    private long _silenceMs;

    /// <summary>The next time that <see cref="Check"/> may say something else than nothing.</summary>
    public long NextDeadlineMs => Math.Min(_handshakeDeadlineMs, Math.Min(SilentAtMs, HeartbeatAtMs));

    private long SilentAtMs => _silenceMs == 0 ? long.MaxValue : _receivedMs + _silenceMs;

    private long HeartbeatAtMs => _sendEveryMs == 0 ? long.MaxValue : _sentMs + _sendEveryMs;

    /// <summary>
    /// What the node answers to a peer that can send every <paramref name="peerSendsMs"/> and wants every
    /// <paramref name="peerWantsMs"/> (0: not at all): what it can send, and what it wants.
    /// </summary>
    public (int Sends, int Wants) Answer(int peerSendsMs, int peerWantsMs)
    {
        int slowest = Math.Max(options.HeartbeatMsMin, options.HeartbeatMs);
        bool off = options.HeartbeatMs == 0;
        int sends = off || peerWantsMs == 0 ? 0 : Math.Clamp(peerWantsMs, options.HeartbeatMsMin, slowest);
        int wants = off || peerSendsMs == 0 ? 0 : Math.Max(peerSendsMs, options.HeartbeatMsMin);
        return (sends, wants);
    }

    /// <summary>The peer is logged in; both sides beat as agreed: the larger of what one can and the other wants.
    /// </summary>
    public void OnConnected(int peerSendsMs, int peerWantsMs, long nowMs)
    {
        (int sends, int wants) = Answer(peerSendsMs, peerWantsMs);
        _handshakeDeadlineMs = long.MaxValue;
        _receivedMs = _sentMs = nowMs;
        // Sent in half the time that was promised, for the tick that sends it is late, and so may the way be.
        _sendEveryMs = sends == 0 ? 0 : Math.Max(1, (long)Math.Max(sends, peerWantsMs) / 2);
        _silenceMs = wants == 0 ? 0 : (long)Math.Max(peerSendsMs, wants) * options.HeartbeatGraceFactor;
    }

    /// <summary>Bytes came from the peer.</summary>
    public void OnReceived(long nowMs) => _receivedMs = nowMs;

    /// <summary>Bytes went to the peer.</summary>
    public void OnSent(long nowMs) => _sentMs = nowMs;

    /// <summary>What is due now.</summary>
    public TimerVerdict Check(long nowMs) =>
        nowMs >= _handshakeDeadlineMs ? TimerVerdict.HandshakeOver
        : nowMs >= SilentAtMs ? TimerVerdict.PeerSilent
        : nowMs >= HeartbeatAtMs ? TimerVerdict.SendHeartbeat
        : TimerVerdict.None;
}
