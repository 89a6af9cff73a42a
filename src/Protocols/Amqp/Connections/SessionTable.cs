using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Connections;

/// <summary>The sessions of a connection by the peer's channels, and the channels of the node's own (part 2 section
/// 2.5.1). Used by the connection's loop alone.</summary>
internal sealed class SessionTable(ConnectionEndpoint connection)
{
    private readonly HashSet<ushort> _channels = [];
    private AmqpSession?[] _sessions = new AmqpSession?[1];
    private List<AmqpSession>? _begun;

    /// <summary>Those that the peer has begun.</summary>
    public int CountOfPeer => _sessions.Count(session => session is { IsBegunByNode: false });

    /// <summary>The session that a frame is for.</summary>
    /// <exception cref="AmqpException">There is none.</exception>
    public AmqpSession Find(ushort channel) =>
        (channel < _sessions.Length ? _sessions[channel] : null) ?? throw new AmqpException(
            AmqpErrorCondition.IllegalState, $"no session is begun on channel {channel}");

    /// <summary>The peer begins a session, or answers the node's begin (then the result is null).</summary>
    /// <exception cref="AmqpException">The channel is beyond the maximum, or taken; or nothing was begun that could be
    /// answered.</exception>
    public AmqpSession? OnBegin(ushort channel, Begin begin, ushort channelMax)
    {
        if (channel > channelMax)
        {
            throw new AmqpException(
                AmqpErrorCondition.ConnectionFramingError, $"channel {channel} is beyond channel-max {channelMax}");
        }

        if (channel < _sessions.Length && _sessions[channel] is not null)
        {
            throw new AmqpException(
                AmqpErrorCondition.IllegalState, $"a session is begun on channel {channel} already");
        }

        if (channel >= _sessions.Length)
        {
            Array.Resize(ref _sessions, Math.Max(channel + 1, _sessions.Length * 2));
        }

        if (begin.RemoteChannel is { } own)
        {
            _sessions[channel] = Begun(own, channel, begin);
            return null;
        }

        var session = new AmqpSession(connection, TakeChannel(channel), channel, begin);
        _sessions[channel] = session;
        return session;
    }

    /// <summary>Begins a session of the node's own.</summary>
    /// <exception cref="AmqpException">The peer takes no more; a link's error.</exception>
    public AmqpSession Begin()
    {
        ushort channel = TakeChannel(0);
        if (channel > connection.PeerOpen!.ChannelMax)
        {
            _channels.Remove(channel);
            throw new AmqpException(
                AmqpErrorCondition.ResourceLimitExceeded, "the peer takes no more sessions", AmqpSeverity.Link);
        }

        var session = new AmqpSession(connection, channel);
        (_begun ??= []).Add(session);
        return session;
    }

    /// <summary>Both have ended the session.</summary>
    public void Remove(ushort peerChannel, AmqpSession session)
    {
        _channels.Remove(session.Channel);
        _sessions[peerChannel] = null;
    }

    /// <summary>All of them end.</summary>
    public void Release(LinkEnd end)
    {
        foreach (AmqpSession? session in _sessions)
        {
            if (session is { State: SessionState.Mapped })
            {
                if (end != LinkEnd.ConnectionLost)
                {
                    session.FlushDispositions();
                }

                session.Release(end);
            }
        }
    }

    // The number that was wished for, or the lowest that is free.
    private ushort TakeChannel(ushort wish)
    {
        ushort channel = wish;
        while (!_channels.Add(channel))
        {
            channel = channel == ushort.MaxValue ? (ushort)0 : (ushort)(channel + 1);
        }

        return channel;
    }

    private AmqpSession Begun(ushort own, ushort channel, Begin begin)
    {
        AmqpSession session = _begun?.Find(s => s.Channel == own) ?? throw new AmqpException(
            AmqpErrorCondition.IllegalState, "the node begins no session that could be answered");
        _begun!.Remove(session);
        session.OnBegun(channel, begin);
        return session;
    }
}
